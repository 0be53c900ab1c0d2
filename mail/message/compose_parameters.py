"""Fields of a body part with parameters: Content-Type, Content-Disposition (RFC 2045 §5.1, RFC 2183, RFC 2231)."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from mail.message.compose_words import ComposeError, checked, encoded_words, folded

TOKEN = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]{1,127}")
TYPE = re.compile(r"[!#$&\-^_.+0-9A-Za-z]{1,127}/[!#$&\-^_.+0-9A-Za-z]{1,127}")

LONGEST_NAME = 1_024
"""Characters of a parameter's value: far above what file systems keep, and in sections still fewer than a reader may take."""

_PARAMETER_NAME = re.compile(r"[!#$&+\-.^_`{|}~0-9A-Za-z]{1,40}")
_PLAIN = 60
_SECTION = 50
_TO_QUOTE = re.compile(r'(["\\])')
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`{|}~"


def parameter_field(
    field: str, value: str, parameters: Iterable[tuple[str, str]], file_name: str | None = None
) -> str:
    """The value of a field with parameters, and for Content-Type with `name` as older software reads it.

    Raises `ComposeError` for a control character or a parameter that is too long.
    """
    words = [f" {value}"]
    for name, text in parameters:
        if not _PARAMETER_NAME.fullmatch(name) or len(text) > LONGEST_NAME:
            raise ComposeError("no such parameter")
        words[-1] += ";"
        words += _separated(_parameter_words(name, checked(text)))
    if file_name is not None:
        words[-1] += ";"
        words += _name_words(checked(file_name))
    return folded(field, words)


def _separated(items: list[str]) -> list[str]:
    return [*(f" {item};" for item in items[:-1]), f" {items[-1]}"]


def _parameter_words(name: str, text: str) -> list[str]:
    """A parameter, in sections and percent-encoded where it has to be (RFC 2231 §3, §4)."""
    if text.isascii() and len(text) <= _PLAIN:
        if TOKEN.fullmatch(text):
            return [f"{name}={text}"]
        return [f"{name}={_quoted(text)}"]
    escaped = "utf-8''" + quote(text, safe=_ATTRIBUTE_CHARACTERS)
    if len(escaped) <= _PLAIN:
        return [f"{name}*={escaped}"]
    sections: list[str] = []
    while escaped:
        cut = min(_SECTION, len(escaped))
        # No escape is cut in two.
        cut -= next((back for back in (1, 2) if escaped[cut - back : cut - back + 1] == "%"), 0)
        sections.append(escaped[:cut])
        escaped = escaped[cut:]
    return [f"{name}*{number}*={section}" for number, section in enumerate(sections)]


def _name_words(text: str) -> list[str]:
    """The parameter `name` of Content-Type: encoded words in quotes, against RFC 2047 §5 and as most software expects it.

    RFC 8621 §4.1.4 reads it so too, "for compatibility with existing systems"; in Content-Disposition the name is by the book.
    """
    if text.isascii() and len(text) <= _PLAIN and "=?" not in text:
        return [f" name={_quoted(text)}"]
    first, *rest = encoded_words(text, 68)
    words = [f' name="{first}', *(f" {word}" for word in rest)]
    words[-1] += '"'
    return words


def _quoted(text: str) -> str:
    return '"' + _TO_QUOTE.sub(r"\\\1", text) + '"'
