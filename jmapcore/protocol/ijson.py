"""I-JSON (RFC 7493): what JMAP takes as JSON. orjson parses; what it does not see is checked here."""

from __future__ import annotations

import re
from typing import Any

import orjson

from jmapcore.protocol.errors import NotJSON

MAX_DEPTH = 100
"""Nesting of arrays and objects above which a text is refused."""
MAX_CONTAINERS = 250_000
"""Arrays and objects above which a text is refused: ten megabytes of empty ones would take seconds, and much memory."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_KEY = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*(:)?', re.DOTALL)


def loads(body: bytes) -> Any:
    """The value of an I-JSON text.

    Raises `NotJSON` for malformed JSON or UTF-8, NaN and Infinity, lone surrogates, duplicate keys (RFC 7493 §2.3), nesting
    above `MAX_DEPTH`, and more arrays and objects than `MAX_CONTAINERS`.
    """
    if _brackets(body) > MAX_CONTAINERS and _brackets(_STRING.sub(b"", body)) > MAX_CONTAINERS:
        raise NotJSON(f"The request body has more than {MAX_CONTAINERS} arrays and objects.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotJSON("The request body is not valid JSON.") from None
    if _members(value) != _KEY.findall(body).count(b":"):
        raise NotJSON("The request body is not I-JSON: an object has the same name twice.")
    return value


def _brackets(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _members(value: Any) -> int:
    """How many members the objects inside have together; raises `NotJSON` where they nest too deep."""
    count = 0
    level: list[Any] = [value] if type(value) is dict or type(value) is list else []
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for item in level:
            if type(item) is dict:
                count += len(item)
                item = item.values()
            for child in item:
                kind = type(child)
                if kind is dict or kind is list:
                    inner.append(child)
        if not inner:
            return count
        level = inner
    raise NotJSON(f"The request body nests deeper than {MAX_DEPTH} levels.")
