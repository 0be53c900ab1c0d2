"""The content of body parts as it travels: which transfer encoding, and the encoded octets (RFC 2045 §6)."""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mail.message.compose_words import LONGEST_LINE

SMALL = 1_048_576
"""Octets up to which text is looked at as a whole; larger text travels as base64, a piece at a time."""

_BLOCK = 57 * 1024
_BASE64_LINE = 76

#: Text that travels as it is: ASCII in lines of up to 78 characters (RFC 5322 §2.1.1), none of which begins with "From ", as
#: mailbox files would change it (RFC 2049 §3).
_PLAIN_TEXT = re.compile(r"(?>(?:(?!From )[\t -~]{0,78}\n)*)(?!From )[\t -~]{0,78}+")
_FROM_LINE = re.compile(rb"^From ", re.MULTILINE)
_LONG_QUOTED_LINE = re.compile(rb"^([^\n]{74,75})(=(?:20|09))$", re.MULTILINE)
_LONG_LINE = re.compile(rb"[^\n]{%d}" % (LONGEST_LINE + 2))
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Octets:
    """Content of a part: its size, and its octets in pieces, as often as they are asked for."""

    size: int
    pieces: Callable[[], Iterable[bytes]]

    def whole(self) -> bytes:
        """All octets in memory."""
        return b"".join(self.pieces())


@dataclass(frozen=True, slots=True)
class Encoded:
    """Content ready to be written: the transfer encoding, and the octets under it, with CRLF line ends.

    `type` and `charset` replace those of the part where they are not None.
    """

    encoding: str
    pieces: Callable[[], Iterable[bytes]]
    charset: str | None = None
    type: str | None = None


def encoded_text(text: str) -> Encoded:
    """A body value: UTF-8, as it is where lines and characters allow it, else quoted-printable or, if unreadable, base64."""
    text = text.replace("\r\n", "\n")
    # NUL and bare CR, which 7bit and 8bit cannot carry, are not plain either.
    if _PLAIN_TEXT.fullmatch(text):
        plain = text.replace("\n", "\r\n").encode("ascii")
        return Encoded("7bit", lambda: [plain], "utf-8")
    return _encoded_lines(text.encode(), "utf-8")


def _encoded_lines(raw: bytes, charset: str | None) -> Encoded:
    """Text with LF line ends as quoted-printable or base64; a bare CR would be lost in the former."""
    if b"\r" not in raw and 3 * _escapes(raw) <= len(raw):
        quoted = _quoted_printable(raw)
        return Encoded("quoted-printable", lambda: [quoted], charset)
    content = raw.replace(b"\n", b"\r\n")
    return Encoded("base64", lambda: base64_lines([content]), charset)


_UNESCAPED = bytes([9, 10, *range(32, 61), *range(62, 127)])


def _escapes(raw: bytes) -> int:
    """How many octets quoted-printable has to escape, but for white space at line ends."""
    return len(raw.translate(None, _UNESCAPED))


def _quoted_printable(raw: bytes) -> bytes:
    """Text with LF line ends in quoted-printable (RFC 2045 §6.7), no line of which begins with "From "."""
    encoded = b2a_qp(raw, istext=True)
    if b"From " in encoded:
        # The soft line break keeps the line as short as it was.
        encoded = _FROM_LINE.sub(b"=46=\nrom ", encoded)
    if b"=20\n" in encoded or b"=09\n" in encoded or encoded[-3:] in (b"=20", b"=09"):
        # Python lets white space that it escapes at a line's end go beyond the 76 characters of a line.
        encoded = _LONG_QUOTED_LINE.sub(rb"\1=\n\2", encoded)
    return encoded.replace(b"\n", b"\r\n")


def base64_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Octets in base64, in lines of 76 characters, however the pieces are cut."""
    rest = b""
    for piece in pieces:
        rest += piece
        for start in range(0, len(rest) - _BLOCK + 1, _BLOCK):
            yield _base64_block(rest[start : start + _BLOCK])
        rest = rest[len(rest) - len(rest) % _BLOCK :]
    if rest:
        yield _base64_block(rest)


def _base64_block(block: bytes) -> bytes:
    letters = b2a_base64(block, newline=False)
    lines = [letters[start : start + _BASE64_LINE] for start in range(0, len(letters), _BASE64_LINE)]
    return b"\r\n".join([*lines, b""])


def encoded_content(type_: str, content: Octets, charset: str | None) -> Encoded:
    """The content of a blob: octet for octet, but for the line ends of messages."""
    if type_ in _MESSAGES:
        return _encoded_message(type_, content)
    if type_ in _REPORTS and content.size <= SMALL and _is_seven_bit(content.whole()):
        return Encoded("7bit", content.pieces)
    if type_.startswith(("text/", "message/")) and content.size <= SMALL:
        return _encoded_text_content(content.whole(), charset, is_text=type_.startswith("text/"))
    return Encoded("base64", lambda: base64_lines(content.pieces()))


def _encoded_text_content(raw: bytes, charset: str | None, *, is_text: bool) -> Encoded:
    """Text that a client uploaded: as it is, or as quoted-printable, where its line ends are those of mail.

    Text without a charset that is UTF-8 and not ASCII is labelled so: "us-ascii", which it would have by default, it is not.
    """
    if is_text and charset is None and not raw.isascii() and _is_utf8(raw):
        charset = "utf-8"
    if b"\0" in raw or _BARE_LINE_END.search(raw):
        return Encoded("base64", lambda: base64_lines([raw]), charset)
    lines = raw.replace(b"\r\n", b"\n")
    if raw.isascii() and _PLAIN_TEXT.fullmatch(lines.decode("ascii")):
        return Encoded("7bit", lambda: [raw], charset)
    return _encoded_lines(lines, charset)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


_MESSAGES = frozenset({"message/rfc822", "message/global"})

_REPORTS = frozenset({"message/delivery-status", "message/disposition-notification"})
"""Fields for programs, in which a long word may make a long line: "7bit … MUST be used" (RFC 3464 §2.1, RFC 8098 §3.1)."""


def _is_seven_bit(raw: bytes) -> bool:
    return (
        raw.isascii() and b"\0" not in raw and not _BARE_LINE_END.search(raw) and not _LONG_LINE.search(raw)
    )


def _encoded_message(type_: str, content: Octets) -> Encoded:
    """A message inside a message: "No encoding other than "7bit", "8bit", or "binary" is permitted" (RFC 2046 §5.2.1).

    Bare CR and LF become CRLF, which is what they stand for in a message. One with NUL or with lines that are too long fits into
    neither 7bit nor 8bit; it travels as message/global, which may be base64 (RFC 6532 §3.5), and keeps its octets.
    """
    raw = content.whole()
    lines = _LINE_END.sub(b"\r\n", raw) if _BARE_LINE_END.search(raw) else raw
    if b"\0" in lines or _LONG_LINE.search(lines):
        return Encoded("base64", lambda: base64_lines(content.pieces()), type="message/global")
    return Encoded("7bit" if lines.isascii() else "8bit", lambda: [lines], type=type_)
