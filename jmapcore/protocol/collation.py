"""Collations of the Collation registry (RFC 4790, RFC 5051) as sort keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
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


_LONGEST_KEPT = 256
_LONGEST_RUN = 1_000


def unicode_casemap(text: str) -> bytes:
    """i;unicode-casemap (RFC 5051 §2): titlecase each character, decompose, compare the octets."""
    if text.isascii():
        return text.upper().encode()
    return _kept_key(text) if len(text) <= _LONGEST_KEPT else _unicode_key(text)


def _unicode_key(text: str) -> bytes:
    titled = "".join(character.title() if len(character.title()) == 1 else character for character in text)
    # In pieces: marks are sorted, which takes quadratic time in a run of them, and no text that means something has such runs.
    pieces = (titled[start : start + _LONGEST_RUN] for start in range(0, len(titled), _LONGEST_RUN))
    decomposed = "".join([unicodedata.normalize("NFKD", piece) for piece in pieces])
    return decomposed.encode("utf-8", "surrogatepass")


_kept_key = lru_cache(maxsize=8_192)(_unicode_key)
"""A filter of many conditions compares the same names again and again."""


COLLATIONS: dict[str, Callable[[str], Any]] = {
    "i;ascii-numeric": ascii_numeric,
    "i;ascii-casemap": ascii_casemap,
    "i;unicode-casemap": unicode_casemap,
}
DEFAULT_COLLATION = "i;unicode-casemap"
