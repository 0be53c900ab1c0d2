"""RFC 2047 encoded words, and the way from a header field's octets to text (RFC 8621 §4.1.2.1, §4.1.2.2)."""

import re
from binascii import a2b_base64, a2b_qp
from unicodedata import normalize

from mail.message.charsets import codec_name, decode_known

#: Octets of a field that its parsed forms look at: about ten thousand addresses. The Raw form has all of them.
LONGEST_FIELD = 262_144


def _comment(depth: int) -> str:
    inner = rf"|{_comment(depth - 1)}" if depth else ""
    return rf"\((?>(?:[^()\\]++|\\.{inner})*)\)"


#: A regular expression for a comment with others inside it (RFC 5322 §3.2.2), no deeper than anybody writes. To
#: match it at one place is linear; to search for it is quadratic, and only for short text.
COMMENT = _comment(4)

_WORD = r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?\s]*)\?="

#: An encoded word "MUST be separated from an adjacent word by linear white space" (RFC 2047 §5).
_WORD_IN_TEXT = re.compile(r"(?<![^\s])" + _WORD + r"(?![^\s])")

#: In a comment the parentheses may touch it.
_WORD_IN_COMMENT = re.compile(r"(?<![^\s(])" + _WORD + r"(?![^\s)])")

#: Real mail puts encoded words into parameters, against the RFC, next to anything.
_WORD_ANYWHERE = re.compile(_WORD)

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_CONTROLS_BUT_TAB = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_PIECE = re.compile(r"[^ ]{1000}|[^ ]{0,999} ?", re.DOTALL)
_SPACE = re.compile(r"\s*")


def raw_text(value: bytes) -> str:
    """A field's octets as text: UTF-8, U+FFFD for what is none, NUL dropped (RFC 8621 §4.1.2.1)."""
    text = value.decode("utf_8", "replace")
    return text.replace("\x00", "") if "\x00" in text else text


def unfolded(value: bytes) -> str:
    """A field's octets as text without line ends (RFC 5322 §2.2.3) and without control characters but TAB."""
    text = value[:LONGEST_FIELD].decode("utf_8", "replace")
    return text if text.isprintable() else _CONTROLS_BUT_TAB.sub("", text)


def without_controls(text: str) -> str:
    """Text without C0 and C1 control characters and DEL."""
    return text if text.isprintable() else _CONTROLS.sub("", text)


def composed(text: str) -> str:
    """Normalization Form C, in linear time.

    Sorting combining marks is quadratic in the length of a run, so long text is normalised in pieces that end
    at a space where there is one.
    """
    if text.isascii():
        return text
    if len(text) <= 1000:
        return normalize("NFC", text)
    return "".join(normalize("NFC", piece) for piece in _PIECE.findall(text))


def decode_words(text: str) -> str:
    """Text with its encoded words decoded; what violates syntax, placement or white space rules stays as it
    is.
    """
    return _decode(text, _WORD_IN_TEXT) if "=?" in text else text


def decode_words_in_comment(text: str) -> str:
    """The text between the parentheses of a comment, decoded."""
    return _decode(text, _WORD_IN_COMMENT) if "=?" in text else text


def decode_words_anywhere(text: str) -> str:
    """Text with its encoded words decoded whatever stands next to them."""
    return _decode(text, _WORD_ANYWHERE) if "=?" in text else text


def _decode(text: str, word: re.Pattern[str]) -> str:
    pieces: list[str] = []
    octets: list[bytes] = []
    open_codec = ""
    end = 0

    def close_run() -> None:
        """Decode the octets that were joined so far."""
        if octets:
            pieces.append(without_controls(decode_known(b"".join(octets), open_codec)[0]))
            octets.clear()

    follows_word = False
    for match in word.finditer(text):
        codec = codec_name(match[1])
        content = _content(match[2], match[3]) if codec else None
        if codec is None or content is None:
            continue
        between = text[end : match.start()]
        if not (follows_word and _SPACE.fullmatch(between)):
            close_run()
            pieces.append(between)
        elif codec != open_codec:
            close_run()
        # Octets of adjacent words of one charset are joined first: mailers cut multi-octet characters in two.
        octets.append(content)
        open_codec, end, follows_word = codec, match.end(), True
    close_run()
    pieces.append(text[end:])
    return "".join(pieces)


def _content(encoding: str, encoded: str) -> bytes | None:
    """The octets of an encoded word; None where the encoded text breaks the syntax of its encoding."""
    if encoding in "Qq":
        # RFC 2047 §4.2: only printable ASCII; real mail has unencoded UTF-8 too, which is kept.
        return a2b_qp(encoded.encode("utf_8"), header=True)
    if not _BASE64.fullmatch(encoded):
        return None
    letters = encoded.rstrip("=")
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return a2b_base64(letters + "=" * (-len(letters) % 4))
