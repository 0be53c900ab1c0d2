"""Content-Transfer-Encoding (RFC 2045 §6): decoding that is tolerant, incremental, and the same however the
input is cut.
"""

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Callable, Iterable, Iterator

#: Encodings under which the octets of a body are its content.
IDENTITY = frozenset({"7bit", "8bit", "binary"})

#: Encodings that are decoded. Any other is unknown, and "treated as though it had no transfer encoding" (RFC
#: 8621 §4.1.4).
KNOWN = IDENTITY | {"base64", "quoted-printable"}

#: Longest run of white space before a line end that is taken for padding added in transport.
PADDING = 998

_BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(octet for octet in range(256) if octet not in _BASE64_ALPHABET)

_WHOLE_QUADS = re.compile(rb"(?>(?:=*+[^=]=*+[^=]{3})*)")
_PADDED_QUAD = re.compile(rb"=*+[^=]=*+[^=]{1,2}=")

_LINE_PADDING = re.compile(rb"(?<![ \t])[ \t]{1,%d}+(?=\r?\n)" % PADDING)
_END_PADDING = re.compile(rb"(?<![ \t])[ \t]{1,%d}+\Z" % PADDING)
_HEX_DIGITS = frozenset(bytes([digit]) for digit in b"0123456789ABCDEFabcdef")


class Base64Decoder:
    """Decodes base64 piece by piece. What is not of the alphabet is skipped, padding ends the data."""

    def __init__(self) -> None:
        self._carry = b""
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        """The octets that are complete after this piece of encoded text."""
        if self._ended:
            return b""
        letters = self._carry + data.translate(None, _NOT_BASE64)
        if b"=" in letters:
            letters = self._until_padding(letters)
        whole = len(letters) & ~3
        self._carry = letters[whole:]
        return a2b_base64(letters[:whole])

    def _until_padding(self, letters: bytes) -> bytes:
        """The letters before the padding. A "=" where no padding can be is noise (RFC 2045 §6.8)."""
        quads = _WHOLE_QUADS.match(letters)
        assert quads is not None
        rest = letters[quads.end() :]
        if padded := _PADDED_QUAD.match(rest):
            self._ended = True
            rest = padded[0]
        return letters[: quads.end()].replace(b"=", b"") + rest.replace(b"=", b"")

    def finish(self) -> bytes:
        """The octets of an incomplete last group; a single left-over letter is no octet."""
        carry, self._carry = self._carry, b""
        return a2b_base64(carry + b"=" * (4 - len(carry))) if len(carry) >= 2 else b""


class QuotedPrintableDecoder:
    """Decodes quoted-printable piece by piece; what is no valid escape stays as it is.

    White space at the end of a line "must be deleted, as it will necessarily have been added by intermediate
    transport agents" (RFC 2045 §6.7), but for runs longer than `PADDING`, so that what is kept back between
    pieces is bounded.
    """

    def __init__(self) -> None:
        self._carry = b""

    def feed(self, data: bytes) -> bytes:
        """The octets that are certain after this piece of encoded text."""
        data = self._carry + data
        keep = len(data) - self._open_end(data)
        self._carry = data[keep:]
        return self._decode(data[:keep])

    @staticmethod
    def _open_end(data: bytes) -> int:
        """How many octets at the end could mean something else once more is known."""
        end = len(data) - (1 if data.endswith(b"\r") else 0)
        low = max(0, end - PADDING - 1)
        start = low + len(data[low:end].rstrip(b" \t"))
        if start == len(data) and data[-1:] in _HEX_DIGITS:
            return 2 if _equal_signs(data[:-1]) & 1 else 0
        if signs := _equal_signs(data[:start]):
            # "==" is an "=" that was not encoded: whether the last sign begins an escape depends on their number.
            start -= 2 - (signs & 1)
        return len(data) - start

    @staticmethod
    def _decode(data: bytes) -> bytes:
        if b"=\r" in data:
            # The C decoder looks for the LF of a soft line break, however far away it is.
            data = data.replace(b"=\r\n", b"=\n").replace(b"=\r", b"=\n")
        if b" \n" in data or b" \r\n" in data or b"\t\n" in data or b"\t\r\n" in data:
            data = _LINE_PADDING.sub(b"", data)
        return a2b_qp(data)

    def finish(self) -> bytes:
        """What was kept back, decoded as the end of the data."""
        carry, self._carry = self._carry, b""
        return self._decode(_END_PADDING.sub(b"", carry))


def _equal_signs(data: bytes) -> int:
    """How many "=" the data ends with."""
    return len(data) - len(data.rstrip(b"="))


def decode_chunks(encoding: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Transfer-decode a body that comes in pieces; the joined result does not depend on where it was cut."""
    make: Callable[[], Base64Decoder | QuotedPrintableDecoder]
    if encoding == "base64":
        make = Base64Decoder
    elif encoding == "quoted-printable":
        make = QuotedPrintableDecoder
    else:
        yield from chunks
        return
    decoder = make()
    for chunk in chunks:
        if decoded := decoder.feed(chunk):
            yield decoded
    if decoded := decoder.finish():
        yield decoded


def decode(encoding: str, data: bytes) -> bytes:
    """Transfer-decode a body that is in memory as a whole."""
    if encoding not in ("base64", "quoted-printable"):
        return data
    return b"".join(decode_chunks(encoding, (data,)))
