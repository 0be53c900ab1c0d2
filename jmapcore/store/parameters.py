"""Parameters of statements in PostgreSQL's form: what the engine sends all the time, without asking psycopg for each.

psycopg looks at each list three times and asks a dumper for each element, 30 microseconds for a list of two. Whatever is not
known here, lists with nulls or of mixed types among it, goes psycopg's way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct, error, pack
from typing import Any

import psycopg

BOOL = 16
BYTEA, BYTEA_ARRAY = 17, 1001
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
_BIG = Struct("!q")

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _integer(value: int) -> Encoded:
    return b"%d" % value, INT8, AS_TEXT


def _text(value: str) -> Encoded:
    if "\0" in value:
        raise psycopg.DataError("PostgreSQL text cannot hold NUL")
    return value.encode(), UNKNOWN, AS_TEXT


def _octets(value: bytes) -> Encoded:
    return value, BYTEA, AS_BINARY


def _time(value: datetime) -> Encoded | None:
    if value.tzinfo is None:
        return None
    return _BIG.pack((value - _EPOCH) // _MICROSECOND), TIMESTAMPTZ, AS_BINARY


def _truth(value: bool) -> Encoded:
    return b"t" if value else b"f", BOOL, AS_TEXT


def _nothing(value: None) -> Encoded:
    return None, UNKNOWN, AS_TEXT


def _list(values: list[Any]) -> Encoded | None:
    kinds = set(map(type, values))
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if kind is int:
        return integers(values), INT8_ARRAY, AS_BINARY
    if kind is str:
        return texts(values), TEXT_ARRAY, AS_BINARY
    if kind is bytes:
        return _elements(BYTEA, map(_with_length, values), len(values)), BYTEA_ARRAY, AS_BINARY
    if kind is datetime and all(value.tzinfo for value in values):
        return times(values), TIMESTAMPTZ_ARRAY, AS_BINARY
    return None


ENCODERS: dict[type, Callable[[Any], Encoded | None]] = {
    int: _integer,
    str: _text,
    bytes: _octets,
    datetime: _time,
    bool: _truth,
    type(None): _nothing,
    list: _list,
}
"""By the exact type of a parameter. They give None for what psycopg has to encode, and raise `psycopg.DataError` for what no type
can hold."""


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
    return _elements(TEXT, map(_element, values), len(values))


def _elements(element_type: int, elements: Iterable[bytes], count: int) -> bytes:
    return _HEAD.pack(1, 0, element_type, count, 1) + b"".join(elements)


def _with_length(octets: bytes) -> bytes:
    return len(octets).to_bytes(4, "big") + octets


def _element(text: str) -> bytes:
    return _short_element(text) if len(text) <= _SHORT else _new_element(text)


def _new_element(text: str) -> bytes:
    return _with_length(text.encode())


_SHORT = 40
_short_element = lru_cache(maxsize=5_000)(_new_element)
"""Keywords, names of types and the like come again and again."""
