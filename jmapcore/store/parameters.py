"""Parameters of statements in PostgreSQL's form: what the engine sends all the time, without asking psycopg for each.

psycopg looks at each list three times and asks a dumper for each element, 30 microseconds for a list of two. Whatever is not
known here, lists with nulls or of mixed types among it, goes psycopg's way.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct, error, pack
from typing import Any

import psycopg

INT8, INT8_ARRAY = 20, 1016
TEXT, TEXT_ARRAY = 25, 1009
TIMESTAMPTZ, TIMESTAMPTZ_ARRAY = 1184, 1185
UNKNOWN = 0
"""PostgreSQL takes the type from the place where the parameter stands."""

AS_TEXT, AS_BINARY = 0, 1

Encoded = tuple[bytes | None, int, int]
"""The octets (None: null), the type, and the form."""

_HEAD = Struct("!iiIii")
"""One dimension, no nulls, the type of the elements, how many, and that the first has the number 1."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encoded(value: Any) -> Encoded | None:
    """A parameter; None for what psycopg has to encode. Raises `psycopg.DataError` for what no type can hold."""
    kind = type(value)
    if kind is int:
        return str(value).encode(), INT8, AS_TEXT
    if kind is str:
        if "\0" in value:
            raise psycopg.DataError("PostgreSQL text cannot hold NUL")
        return value.encode(), UNKNOWN, AS_TEXT
    if value is None:
        return None, UNKNOWN, AS_TEXT
    if kind is list and value:
        kinds = set(map(type, value))
        if len(kinds) == 1:
            return _array(value, kinds.pop())
    return None


def _array(values: list[Any], kind: type) -> Encoded | None:
    if kind is int:
        return integers(values), INT8_ARRAY, AS_BINARY
    if kind is str:
        return texts(values), TEXT_ARRAY, AS_BINARY
    if kind is datetime and all(value.tzinfo for value in values):
        return times(values), TIMESTAMPTZ_ARRAY, AS_BINARY
    return None


def _numbers(element_type: int, values: list[int]) -> bytes:
    count = len(values)
    elements = [8] * (2 * count)
    elements[1::2] = values
    try:
        return _HEAD.pack(1, 0, element_type, count, 1) + pack("!" + "iq" * count, *elements)
    except error:
        raise psycopg.DataError("a number is beyond 64 bits") from None


def integers(values: list[int]) -> bytes:
    """A list of int, not empty, as `bigint[]`."""
    return _numbers(INT8, values)


def times(values: list[datetime]) -> bytes:
    """A list of aware datetime, not empty, as `timestamptz[]`."""
    return _numbers(TIMESTAMPTZ, [(time - _EPOCH) // _MICROSECOND for time in values])


def texts(values: list[str]) -> bytes:
    """A list of str, not empty, as `text[]`; PostgreSQL refuses NUL."""
    elements = map(_element, values)
    return _HEAD.pack(1, 0, TEXT, len(values), 1) + b"".join(elements)


def _element(text: str) -> bytes:
    return _short_element(text) if len(text) <= _SHORT else _new_element(text)


def _new_element(text: str) -> bytes:
    octets = text.encode()
    return len(octets).to_bytes(4, "big") + octets


_SHORT = 40
_short_element = lru_cache(maxsize=5_000)(_new_element)
"""Keywords, names of types and the like come again and again."""
