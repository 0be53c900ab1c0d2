"""Reading mbox files (RFC 4155), whose quoted lines are taken as mboxrd: each `>From ` loses one `>`.

The file is read as a stream: one message is in memory at a time, and never more of it than the size limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO

from mail.importing.damage import damage
from mail.importing.keywords import field_marks
from mail.importing.source_message import (
    MAX_MESSAGE_SIZE,
    Found,
    LeftOut,
    Skipped,
    SourceMessage,
    too_large,
    with_crlf,
)

_LINE = 65_536
_BLOCK = 1 << 20
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_MONTH = rb"(?P<month>" + b"|".join(_MONTHS) + rb")"
_TIME = rb"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
_ZONE = rb"(?:[ \t]+(?P<zone>[+-]\d{4}))?(?:[ \t]+[A-Z]{1,5})?"
# "Thu Aug 22 12:36:23 2002", as ctime writes it, with a zone before or after the year in some writers.
_CTIME = re.compile(
    rb"[ \t]" + _MONTH + rb"[ \t]+(?P<day>\d{1,2})[ \t]+" + _TIME + _ZONE
    + rb"[ \t]+(?P<year>\d{4})(?:[ \t]+(?P<late_zone>[+-]\d{4}))?[ \t\r\n]*$",
    re.IGNORECASE,
)  # fmt: skip
# "Thu, 22 Aug 2002 12:36:23 +0100", as in header fields.
_FIELD_DATE = re.compile(
    rb"[ \t](?P<day>\d{1,2})[ \t]+"
    + _MONTH
    + rb"[ \t]+(?P<year>\d{4})[ \t]+"
    + _TIME
    + _ZONE
    + rb"[ \t\r\n]*$",
    re.IGNORECASE,
)
_BARE_ADDRESS = re.compile(rb"From (?:-|\S+@\S+)\s*$")
_FIELD_START = re.compile(rb"[!-9;-~]+[ \t]*:")
_QUOTED = re.compile(rb">+From ")
_SEPARATOR = re.compile(rb"\n\r?\nFrom ")


def from_line_date(line: bytes) -> datetime | None:
    """Return the date of a `From ` line, in UTC where it names no zone, or None where there is none."""
    match = _CTIME.search(line[:1000]) or _FIELD_DATE.search(line[:1000])
    if match is None:
        return None
    fields = match.groupdict()
    zone = fields["zone"] or fields.get("late_zone")
    try:
        return datetime(
            int(fields["year"]),
            _MONTHS.index(fields["month"].lower()) + 1,
            int(fields["day"]),
            int(fields["hour"]),
            int(fields["minute"]),
            min(int(fields["second"] or 0), 59),
            tzinfo=_zone(zone) if zone else UTC,
        )
    except ValueError:
        return None


def _zone(text: bytes) -> timezone:
    """Return the offset `+hhmm`; ValueError where it is a day or more."""
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(-offset if text[:1] == b"-" else offset)


def separates(line: bytes, following: bytes, after_blank: bool) -> bool:
    """Whether `line` begins a message, rather than being text of a body that nobody quoted.

    With a date: after an empty line, or before a header field. Without one: an address alone, after an empty
    line and before a header field.
    """
    if not line.startswith(b"From "):
        return False
    before_field = _FIELD_START.match(following) is not None
    if from_line_date(line) is not None:
        return after_blank or before_field
    return after_blank and before_field and _BARE_ADDRESS.match(line) is not None


class _Collector:
    """The octets of one message while they are read, at most `limit` of them."""

    def __init__(self, from_line: bytes, origin: str, limit: int) -> None:
        self.date = from_line_date(from_line)
        self.origin = origin
        self.limit = limit
        self.octets = bytearray()
        self.size = 0

    def add(self, line: bytes) -> None:
        """Keep a line, or let go of everything once the message is too large."""
        self.size += len(line)
        if self.size <= self.limit:
            self.octets += line
        else:
            self.octets.clear()

    def finish(self, folder: tuple[str, ...], file_time: datetime | None) -> SourceMessage | Skipped:
        """Return what was collected, without the empty line that ends a message in an mbox."""
        if self.size > self.limit:
            return too_large(self.origin, self.limit)
        raw = with_crlf(bytes(self.octets))
        if raw.endswith(b"\r\n\r\n"):
            raw = raw[:-2]
        if not raw.strip():
            return Skipped(self.origin, LeftOut.EMPTY, "The message is empty.")
        if len(raw) > self.limit:
            return too_large(self.origin, self.limit)
        marks = field_marks(raw)
        if marks.deleted:
            return Skipped(self.origin, LeftOut.DELETED, "The message is marked as deleted.")
        found = SourceMessage(folder, raw, self.origin, marks.keywords, self.date, file_time, damage(raw))
        return found.labelled(marks.folders)


def _with_following(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield each line (in pieces of at most 64 KiB) together with the one that follows."""
    line = stream.readline(_LINE)
    while line:
        following = stream.readline(_LINE)
        yield line, following
        line = following


def read_mbox(
    stream: BinaryIO,
    origin: str,
    folder: tuple[str, ...] = (),
    file_time: datetime | None = None,
    limit: int = MAX_MESSAGE_SIZE,
) -> Found:
    """Yield the messages of an mbox, whose first line that is not empty begins with `From `.

    `origin` is the file's name, to which each message's number is added. Errors of the stream are raised.
    """
    current: _Collector | None = None
    number = 0
    line_start = after_blank = True
    for line, following in _with_following(stream):
        first = current is None and line.lstrip(b"\xef\xbb\xbf").startswith(b"From ")
        if line_start and (first or separates(line, following, after_blank)):
            if current is not None:
                yield current.finish(folder, file_time)
            number += 1
            current = _Collector(line, f"{origin}, message {number}", limit)
        elif current is not None:
            current.add(line[1:] if line_start and _QUOTED.match(line) else line)
        after_blank = line_start and line in (b"\n", b"\r\n")
        line_start = line.endswith(b"\n")
    if current is not None:
        yield current.finish(folder, file_time)


def estimate_messages(stream: BinaryIO) -> int:
    """Return about how many messages an mbox holds: one, and one for each `From ` after an empty line."""
    total, tail = 1, b""
    while block := stream.read(_BLOCK):
        block = tail + block
        # A separator that lies across two blocks is met in the second; one that ended in the tail was
        # counted.
        total += sum(1 for match in _SEPARATOR.finditer(block) if match.end() > len(tail))
        tail = block[-7:]
    return total
