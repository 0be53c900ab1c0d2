"""Content-Type and Content-Disposition: value and parameters (RFC 2045 §5.1, RFC 2183, RFC 2231)."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mail.message.charsets import codec_name, decode_known
from mail.message.encoded_words import COMMENT, composed, decode_words_anywhere, unfolded, without_controls

#: Octets of a field that are looked at, and parameters that are kept: far above what any mailer writes.
LONGEST_FIELD = 65_536
MOST_PARAMETERS = 500

_CFWS = rf"(?>(?:\s++|{COMMENT})*)"
_WORD = r"([!#$%&'*+\-.^_`{|}~0-9A-Za-z]+)"
_TYPE = re.compile(rf"{_CFWS}{_WORD}{_CFWS}/{_CFWS}{_WORD}", re.DOTALL)
_TOKEN = re.compile(rf"{_CFWS}{_WORD}", re.DOTALL)
_PARAMETER = re.compile(
    r"""(?:;|(?<!\s)\s)\s*+(?P<name>[^\s=;*"()]+)(?:\*(?P<section>\d{1,4}))?(?P<extended>\*)?\s*+=\s*+"""
    r"""(?:"(?P<quoted>(?>(?:[^"\\]++|\\.)*))"|(?P<plain>[^;\s]*+))""",
    re.DOTALL,
)
_UNTIL_SEMICOLON = re.compile(r"[^;]*+")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class Parameters:
    """A field's value without its parameters (lower case; empty if it has none), and its decoded parameters
    by lower-case name.
    """

    value: str
    parameters: dict[str, str]


def content_type(value: bytes) -> Parameters:
    """A Content-Type field; the value is "text/plain" where there is no valid one (RFC 2045 §5.2)."""
    text = unfolded(value[:LONGEST_FIELD])
    found = _TYPE.match(text)
    if found is None:
        return Parameters("text/plain", _parameters(text, 0))
    return Parameters(f"{found[1]}/{found[2]}".lower(), _parameters(text, found.end()))


def content_disposition(value: bytes) -> Parameters:
    """A Content-Disposition field."""
    text = unfolded(value[:LONGEST_FIELD])
    found = _TOKEN.match(text)
    if found is None:
        return Parameters("", _parameters(text, 0))
    return Parameters(found[1].lower(), _parameters(text, found.end()))


def file_name(value: str) -> str | None:
    """A file name parameter for showing: encoded words decoded, no control characters, NFC; None if nothing
    is left.
    """
    return composed(without_controls(decode_words_anywhere(value))).strip() or None


def _parameters(text: str, start: int) -> dict[str, str]:
    if "=" not in text:
        return {}
    found: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    position = start
    for _ in range(MOST_PARAMETERS):
        match = _PARAMETER.search(text, position)
        if match is None:
            break
        position = match.end()
        name = match["name"].lower()
        value: str = match["quoted"]
        if value is not None:
            value = _QUOTED_PAIR.sub(r"\1", value)
        elif name in ("name", "filename") and (rest := _UNTIL_SEMICOLON.match(text, position)):
            # File names often stand unquoted with spaces in them.
            value, position = (match["plain"] + rest[0]).strip(), rest.end()
        else:
            value = match["plain"]
            if name == "charset":
                value = value.partition("(")[0]  # a comment; other values may have parentheses in them
        if match["extended"] or match["section"]:
            # The first of two parameters of one name is the one that counts, as everywhere here.
            number = int(match["section"] or 0)
            sections.setdefault(name, {}).setdefault(number, (value, match["extended"] is not None))
        else:
            found.setdefault(name, value)
    for name, pieces in sections.items():
        if (joined := _joined(pieces)) is not None:
            # RFC 2231 says more than the plain parameter, which is there for older software.
            found[name] = joined
    return found


def _joined(pieces: dict[int, tuple[str, bool]]) -> str | None:
    """The value of a parameter that came in sections (RFC 2231 §3, §4); None if the first is missing."""
    if 0 not in pieces:
        return None
    charset = "utf-8"
    octets: list[bytes] = []
    for number in range(len(pieces)):
        if number not in pieces:
            break
        value, extended = pieces[number]
        if number == 0 and extended and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        octets.append(unquote_to_bytes(value) if extended else value.encode("utf_8"))
    return decode_known(b"".join(octets), codec_name(charset) or "utf_8")[0]
