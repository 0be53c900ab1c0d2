"""Reading the files of a folder or an archive, each as what it is: a message, an mbox, or no mail."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol, cast

from mail.importing.damage import damage
from mail.importing.folders import clean_folder
from mail.importing.keywords import Marks, field_marks
from mail.importing.layout import Layout, Parts, Place, Survey, is_control_file, without_mbox_suffix
from mail.importing.maildir import flags_of
from mail.importing.mbox import estimate_messages, from_line_date, read_mbox
from mail.importing.source_message import (
    MAX_MESSAGE_SIZE,
    Found,
    LeftOut,
    Skipped,
    SourceMessage,
    too_large,
    with_crlf,
)

_HEAD = 65_536
_ARCHIVE_NAME = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|zst|7z|rar)$", re.IGNORECASE)
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_TELLING_FIELDS = frozenset({b"received", b"message-id", b"return-path", b"delivered-to", b"mime-version"})
_USUAL_FIELDS = frozenset(
    {b"from", b"to", b"cc", b"date", b"subject", b"sender", b"reply-to", b"content-type"}
)


@dataclass(slots=True)
class Entry:
    """One regular file of a tree: its names below the root, size in octets, time, and how to read it.

    `open` may be called once, and only until the next entry is asked for (archives are read as a stream).
    """

    parts: Parts
    size: int
    modified: datetime | None
    origin: str
    open: Callable[[], BinaryIO]


class Tree(Protocol):
    """A folder or an archive that was given.

    `name` is the mailbox of messages that lie directly in it, `inbox` the mailbox it is when it is a Maildir,
    and `wrapped` whether a single directory in it stands for it.
    """

    name: str
    inbox: Parts
    wrapped: bool

    def survey(self) -> Survey:
        """Walk the names."""
        ...

    def entries(self) -> Iterator[Entry | Skipped]:
        """Yield the files, and what cannot be read."""
        ...


def looks_like_message(head: bytes) -> bool:
    """Whether the beginning of a file reads like a message's header: a telling field, or two usual ones."""
    usual: set[bytes] = set()
    for line in head.splitlines():
        if not line:
            break
        match = _FIELD.match(line)
        if match is None:
            if line[:1] not in b" \t":
                break
            continue
        name = match[1].lower()
        if name in _TELLING_FIELDS:
            return True
        usual |= {name} & _USUAL_FIELDS
    return len(usual) >= 2


def begins_mbox(head: bytes) -> bool:
    """Whether a file's first line that is not empty is a `From ` line."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").startswith(b"From ")


def _layout(tree: Tree) -> Layout:
    survey = tree.survey()
    root = survey.root(tree.wrapped)
    return Layout(survey, root, clean_folder((root[-1] if root else tree.name,)), tree.inbox)


def read_tree(tree: Tree) -> Found:
    """Yield all messages of a folder or an archive."""
    layout = _layout(tree)
    for entry in tree.entries():
        if isinstance(entry, Skipped):
            yield entry
        elif not is_control_file(entry.parts[-1]):
            yield from read_entry(entry, layout.place(entry.parts))


def count_tree(tree: Tree) -> int:
    """Return about how many messages (and things left out) `read_tree` yields."""
    layout = _layout(tree)
    total = 0
    for entry in tree.entries():
        if isinstance(entry, Skipped):
            total += 1
        elif not is_control_file(entry.parts[-1]):
            total += count_entry(entry, in_maildir=layout.place(entry.parts).subfolder is not None)
    return total


def count_entry(entry: Entry, in_maildir: bool = False) -> int:
    """Return about how many messages a file holds: one, or those of an mbox."""
    if in_maildir or _is_single(entry.parts[-1]):
        return 1
    try:
        with _buffered(entry.open()) as stream:
            return estimate_messages(stream) if begins_mbox(stream.peek(_HEAD)) else 1
    except (OSError, EOFError, ValueError):
        return 1


def read_entry(entry: Entry, where: Place) -> Found:
    """Yield what a file holds: a message, the messages of an mbox, or the reason why nothing is read."""
    if where.hidden:
        yield Skipped(
            entry.origin, LeftOut.NO_MESSAGE, "The file lies in a hidden folder that is no Maildir."
        )
    elif where.subfolder == "tmp":
        yield Skipped(
            entry.origin, LeftOut.UNFINISHED, "The message was never delivered completely (Maildir's tmp)."
        )
    else:
        try:
            yield from _read_open(entry, where)
        except PermissionError:
            yield Skipped(entry.origin, LeftOut.UNREADABLE, "There is no permission to read the file.")
        except (OSError, EOFError, ValueError) as error:
            yield Skipped(entry.origin, LeftOut.UNREADABLE, f"The file cannot be read to its end: {error}")


def _read_open(entry: Entry, where: Place) -> Found:
    name = entry.parts[-1]
    keywords, deleted = (
        flags_of(name, where.letters) if where.subfolder == "cur" else (frozenset[str](), False)
    )
    if deleted:
        yield Skipped(entry.origin, LeftOut.DELETED, "The message is flagged as deleted.")
        return
    with _buffered(entry.open()) as stream:
        head = stream.peek(_HEAD)
        if not head:
            yield Skipped(entry.origin, LeftOut.EMPTY, "The file is empty.")
        elif where.subfolder is None and begins_mbox(head) and not _is_single(name):
            yield from _read_mbox_file(entry, stream, where)
        elif where.subfolder is None and not _is_single(name) and not looks_like_message(head):
            yield _no_message(entry.origin, name)
        else:
            yield _read_single(entry, stream, where.folder, keywords)


def _read_single(
    entry: Entry, stream: BinaryIO, folder: Parts, keywords: frozenset[str]
) -> SourceMessage | Skipped:
    """Return the one message of a file; a leading `From ` line is taken off."""
    raw = stream.read(MAX_MESSAGE_SIZE + 1)
    if len(raw) > MAX_MESSAGE_SIZE:
        return too_large(entry.origin)
    date = None
    if raw.startswith(b"From "):
        line, _, raw = raw.partition(b"\n")
        date = from_line_date(line)
    raw = with_crlf(raw)
    marks = field_marks(raw) if date is not None else Marks()
    if marks.deleted:
        return Skipped(entry.origin, LeftOut.DELETED, "The message is marked as deleted.")
    if not raw.strip():
        return Skipped(entry.origin, LeftOut.EMPTY, "The message is empty.")
    if len(raw) > MAX_MESSAGE_SIZE:
        return too_large(entry.origin)
    keywords |= marks.keywords
    found = SourceMessage(folder, raw, entry.origin, keywords, date, entry.modified, damage(raw))
    return found.labelled(marks.folders)


def _read_mbox_file(entry: Entry, stream: BinaryIO, where: Place) -> Found:
    """Yield the messages of an mbox, which is a mailbox of its own name.

    Two kinds of file look like an mbox of one message and are a message of their folder: numbered ones that
    kept their `From ` line; and `mbox`, the mail of the folder it lies in.
    """
    name = entry.parts[-1]
    stem = without_mbox_suffix(name)
    own = where.folder if stem == "mbox" else clean_folder((*(() if where.at_root else where.folder), stem))
    found = read_mbox(stream, entry.origin, own, entry.modified)
    first = next(found, None)
    second = next(found, None)
    if second is None and stem == name and name[:1].isdigit() and isinstance(first, SourceMessage):
        first.folder = where.folder
    yield from (item for item in (first, second) if item is not None)
    yield from found


def _no_message(origin: str, name: str) -> Skipped:
    if _ARCHIVE_NAME.search(name):
        reason = "An archive inside another source is not opened; give its path by itself."
        return Skipped(origin, LeftOut.REFUSED, reason)
    return Skipped(origin, LeftOut.NO_MESSAGE, "The file is not a message.")


def _is_single(name: str) -> bool:
    """Whether the name says that the file is one message."""
    return name.lower().endswith((".eml", ".email"))


def _buffered(stream: BinaryIO) -> io.BufferedReader:
    """Return a reader that can peek 64 KiB, around whatever an archive or the file system gave."""
    return io.BufferedReader(cast("io.RawIOBase", stream), _HEAD)
