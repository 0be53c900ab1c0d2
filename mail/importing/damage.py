"""What is damaged in a message, as far as its bytes show without decoding it."""

from __future__ import annotations

import re

_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_HEADER_LINE = re.compile(rb"(?:[!-9;-~]+[ \t]*:|[ \t])")
_MULTIPART = re.compile(
    rb"^content-type[ \t]*:[ \t\r\n]*multipart/[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE
)
_DIVIDER = re.compile(rb"boundary[ \t]*=[ \t]*(?:\"([^\"\r\n]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)
_MOST_HEADER = 100_000


def damage(raw: bytes) -> str | None:
    """Return a sentence about the first damage found in a message with CRLF line ends, or None.

    Looked for: no header, lines of the header that are no fields (RFC 5322 §2.2), NUL octets (§2.3 excludes
    them), and a multipart that is not closed (RFC 2046 §5.1.1), as in messages that were cut off.
    """
    if not _FIELD.match(raw):
        if raw[:1] in (b"\r", b"\n"):
            return "The message has no header."
        return "The message does not begin with a header field."
    end = raw.find(b"\r\n\r\n")
    header = raw[: end if end >= 0 else len(raw)][:_MOST_HEADER]
    return _header_damage(header) or _body_damage(raw, header)


def _header_damage(header: bytes) -> str | None:
    for number, line in enumerate(header.split(b"\r\n"), 1):
        if line and not _HEADER_LINE.match(line):
            return f"Line {number} of the header is not a header field."
    return None


def _body_damage(raw: bytes, header: bytes) -> str | None:
    if b"\0" in raw:
        return "The message contains NUL characters."
    multipart = _MULTIPART.search(header)
    if multipart is None:
        return None
    value = _DIVIDER.search(multipart[0])
    if value is None:
        return "The message says it has several parts, but not what divides them."
    boundary = b"--" + (value[1] or value[2])
    if b"\n" + boundary not in raw:
        return "The message says it has several parts, but it has none."
    if b"\n" + boundary + b"--" not in raw:
        return "The last part of the message is not closed; it may have been cut off."
    return None
