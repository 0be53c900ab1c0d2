"""Collations of the Collation registry (RFC 4790, RFC 5051) as sort keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

_DIGITS = re.compile(r"[0-9]+")


def ascii_numeric(text: str) -> tuple[int, int]:
    """i;ascii-numeric (RFC 4790 §9.1): by the number at the start; texts without one are equal and come last."""
    match = _DIGITS.match(text)
    if match is None:
        return (1, 0)
    digits = match[0].lstrip("0")
    # A number of thousands of digits is compared by its length and digits, never converted.
    return (0, int(digits or "0")) if len(digits) <= 4000 else (0, 10**4000)


_ASCII_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}


def ascii_casemap(text: str) -> bytes:
    """i;ascii-casemap (RFC 4790 §9.2): ASCII letters without case, the rest by octets."""
    return text.translate(_ASCII_UPPER).encode("utf-8", "surrogatepass")


def unicode_casemap(text: str) -> bytes:
    """i;unicode-casemap (RFC 5051 §2): titlecase each character, decompose, compare the octets."""
    if text.isascii():
        return text.upper().encode()
    titled = "".join(character.title() if len(character.title()) == 1 else character for character in text)
    return unicodedata.normalize("NFKD", titled).encode("utf-8", "surrogatepass")


COLLATIONS: dict[str, Callable[[str], Any]] = {
    "i;ascii-numeric": ascii_numeric,
    "i;ascii-casemap": ascii_casemap,
    "i;unicode-casemap": unicode_casemap,
}
DEFAULT_COLLATION = "i;unicode-casemap"
