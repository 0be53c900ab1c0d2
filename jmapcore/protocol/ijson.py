"""I-JSON (RFC 7493): what JMAP takes as JSON. orjson parses; what it does not see is checked here."""

from __future__ import annotations

import re
from typing import Any

import orjson

from jmapcore.protocol.errors import NotJSON

MAX_DEPTH = 100
"""Nesting of arrays and objects above which a text is refused."""

_KEY = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*(:)?', re.DOTALL)


def loads(body: bytes) -> Any:
    """The value of an I-JSON text.

    Raises `NotJSON` for malformed JSON or UTF-8, NaN and Infinity, lone surrogates, duplicate keys (RFC 7493 §2.3), and
    nesting above `MAX_DEPTH`.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotJSON("The request body is not valid JSON.") from None
    if _members(value) != sum(1 for match in _KEY.finditer(body) if match[1]):
        raise NotJSON("The request body is not I-JSON: an object has the same name twice.")
    return value


def _members(value: Any) -> int:
    """How many members the objects inside have together; raises `NotJSON` where they nest too deep."""
    count = 0
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for item in level:
            if type(item) is dict:
                count += len(item)
                inner.extend(child for child in item.values() if type(child) is dict or type(child) is list)
            elif type(item) is list:
                inner.extend(child for child in item if type(child) is dict or type(child) is list)
        if not inner:
            return count
        level = inner
    raise NotJSON(f"The request body nests deeper than {MAX_DEPTH} levels.")
