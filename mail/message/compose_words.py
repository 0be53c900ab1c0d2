"""Header field values out of text: encoded words (RFC 2047) and folding (RFC 5322 §2.2.3).

A value is made as words, each with the white space before it. `folded` breaks lines before words and nowhere else, so that
unfolding gives back what was there.
"""

import re
import unicodedata
from binascii import b2a_base64
from collections.abc import Iterable

LONGEST_LINE = 998
"""Octets of a line without its CRLF (RFC 5322 §2.1.1)."""

LONGEST_WORD = 900
"""Octets of a word that no white space breaks: with its field's name it still fits on a line."""

LINE = 76
"""Octets of a line of a folded field: all that a line with an encoded word may have (RFC 2047 §2)."""

ENCODED_WORD = 75
"""Characters of an encoded word at most (RFC 2047 §2)."""

_SHORTEST_ENCODED_WORD = 30
_FRAME = len("=?utf-8?q??=")
_LONGEST_NAME = 48
"""Characters of a field's name beyond which its value may begin on the next line."""

_AS_IT_IS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
"""What the Q encoding leaves alone even in a display name (RFC 2047 §5)."""

_Q = [chr(octet) if octet in _AS_IT_IS else "_" if octet == 32 else f"={octet:02X}" for octet in range(256)]
_Q_LENGTH = [len(text) for text in _Q]

_MANY_SPACES = " " * 40


class ComposeError(ValueError):
    """Something cannot be part of a message: a control character, or a word that fits on no line."""


def checked(text: str) -> str:
    """Text that is safe in a header field: with spaces for tabs.

    Raises `ComposeError` for a control character, CR, LF and NUL among them, and for half a surrogate pair.
    """
    if not text.isprintable():
        text = text.replace("\t", " ")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            raise ComposeError("control characters are not allowed")
    return text


def octets(text: str) -> int:
    """The length of text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def folded(name: str, words: Iterable[str]) -> str:
    """A field's value, with a line break before each word that would go beyond the line.

    Each word begins with the white space before it, at least one character. Raises `ComposeError` for one that fits on no line.
    """
    pieces: list[str] = []
    used = len(name) + 1
    for word in words:
        length = octets(word)
        if length > LONGEST_LINE:
            raise ComposeError("a word is too long for a line")
        beyond = used + length > LINE
        if beyond and (pieces or len(name) > _LONGEST_NAME or used + length > LONGEST_LINE):
            pieces.append("\r\n")
            used = 0
        pieces.append(word)
        used += length
    return "".join(pieces)


def encoded_words(text: str, room: int = ENCODED_WORD) -> list[str]:
    """Text as encoded words of 75 characters at most, the first one in `room`, without spaces between them."""
    raw = text.encode()
    q_length = sum(_Q_LENGTH[octet] for octet in raw)
    # A little longer is fine where people can read it.
    encode = _b_word if q_length > 4 * ((len(raw) + 2) // 3) + 6 else _q_word
    if room < _SHORTEST_ENCODED_WORD:
        room = ENCODED_WORD
    if encode is _q_word and q_length + _FRAME <= room:
        return [_q_word(raw)]
    words: list[str] = []
    piece = b""
    used = 0
    for character in text:
        octets_of = character.encode()
        # No character is cut in two: "each encoded-word MUST represent an integral number of characters" (RFC 2047 §5).
        if encode is _q_word:
            more = used + sum(_Q_LENGTH[octet] for octet in octets_of)
            fits = more + _FRAME <= room
        else:
            more = used + len(octets_of)
            fits = 4 * ((more + 2) // 3) + _FRAME <= room
        if not fits and piece:
            words.append(encode(piece))
            more -= used
            piece, room = b"", ENCODED_WORD
        piece += octets_of
        used = more
    words.append(encode(piece))
    return words


def _q_word(raw: bytes) -> str:
    return f"=?utf-8?q?{''.join([_Q[octet] for octet in raw])}?="


def _b_word(raw: bytes) -> str:
    return f"=?utf-8?b?{b2a_base64(raw, newline=False).decode('ascii')}?="


def text_words(name: str, text: str) -> list[str]:
    """Unstructured text as words for `folded`; what ASCII cannot say, or what would be taken for something else, encoded.

    Raises `ComposeError` for control characters.
    """
    text = checked(text)
    if not text:
        return []
    tokens = text.split(" ")
    if _MANY_SPACES in text:
        marks = [True] * len(tokens)
    else:
        marks = [not token.isascii() or "=?" in token or len(token) > LONGEST_WORD for token in tokens]
        if not any(marks) and tokens[0] and tokens[-1]:
            return _plain_words(tokens)
        _mark_spaces(tokens, marks)
    words: list[str] = []
    position = 0
    spaces = ""
    while position < len(tokens):
        end = position + 1
        while end < len(tokens) and marks[end] == marks[position]:
            end += 1
        run = tokens[position:end]
        if marks[position]:
            room = ENCODED_WORD if words else LINE - len(name) - 2
            encoded = encoded_words(" ".join(run), room)
            words += [f"{spaces} {encoded[0]}", *(f" {word}" for word in encoded[1:])]
        else:
            words += _plain_words(run)
            # Further spaces before the encoded word that follows.
            spaces = " " * (len(run) - len(" ".join(run).rstrip(" ").split(" ")))
        position = end
    return words


def _mark_spaces(tokens: list[str], marks: list[bool]) -> None:
    """Mark the empty tokens, which stand for further spaces, that would be lost outside of an encoded word.

    Those at the ends of the text, together with the word there, and those after an encoded word: white space between two encoded
    words "is ignored" (RFC 2047 §6.2).
    """
    for order in (range(len(tokens)), range(len(tokens) - 1, -1, -1)):
        if not tokens[order[0]]:
            marks[next((index for index in order if tokens[index]), order[-1])] = True
    before = True
    for index, token in enumerate(tokens):
        if not token:
            marks[index] = before
        before = marks[index]


def _plain_words(tokens: list[str]) -> list[str]:
    """Tokens with the spaces before them; an empty token is one more space."""
    words: list[str] = []
    spaces = ""
    for token in tokens:
        spaces += " "
        if token:
            words.append(spaces + token)
            spaces = ""
    return words


_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_TO_QUOTE = re.compile(r'(["\\])')
_LONGEST_PHRASE = 60


def phrase_words(text: str, room: int = ENCODED_WORD) -> list[str]:
    """A display name as words for `folded`: atoms, a quoted string, or encoded words (RFC 5322 §3.2.5, RFC 2047 §5).

    `room` is that of the first encoded word. Raises `ComposeError` for control characters.
    """
    text = checked(text).strip()
    if text.isascii() and len(text) <= _LONGEST_PHRASE and "=?" not in text:
        if _ATOMS.fullmatch(text):
            return [f" {text}"]
        quoted = _TO_QUOTE.sub(r"\\\1", text)
        return [f' "{quoted}"']
    return [f" {word}" for word in encoded_words(text, room)]
