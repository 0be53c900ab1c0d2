"""JSON Pointers with `*`, and result references (RFC 8620 §3.7)."""

from __future__ import annotations

import re
from typing import Any

from jmapcore.protocol.errors import InvalidArguments, InvalidResultReference, RequestTooLarge

_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,9})\Z")
_BAD_ESCAPE = re.compile(r"~(?![01])")
MAX_ITEMS = 100_000
"""Items that one reference may select."""
MAX_STEPS = 250_000
"""Items that the `*` of all references of one request may visit together."""


class Steps:
    """How many items the references of a request may still visit: empty ones select nothing, and take time."""

    def __init__(self, left: int = MAX_STEPS) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """Count items. Raises `RequestTooLarge` where they are too many."""
        self.left -= count
        if self.left < 0:
            raise RequestTooLarge("the result references visit too much")


def tokens(pointer: str) -> list[str]:
    """The reference tokens of a JSON Pointer (RFC 6901 §3). Raises `ValueError`."""
    if pointer == "":
        return []
    if pointer[0] != "/" or _BAD_ESCAPE.search(pointer):
        raise ValueError("not a JSON Pointer")
    parts = pointer[1:].split("/")
    return [part.replace("~1", "/").replace("~0", "~") for part in parts] if "~" in pointer else parts


def evaluate(pointer: str, value: Any, steps: Steps) -> Any:
    """What a pointer with `*` selects in a value.

    Raises `LookupError` or `ValueError` where it selects nothing, `RequestTooLarge` where that takes too many steps.
    """
    return _evaluate(tokens(pointer), 0, value, steps)


def _evaluate(path: list[str], start: int, value: Any, steps: Steps) -> Any:
    for position in range(start, len(path)):
        token = path[position]
        if type(value) is dict:
            value = value[token]
        elif type(value) is list:
            if token == "*":  # noqa: S105  # a token of a pointer
                return _map(path, position + 1, value, steps)
            if not _INDEX.match(token):
                raise LookupError("an array has indexes")
            value = value[int(token)]
        else:
            raise LookupError("neither array nor object")
    return value


def _map(path: list[str], position: int, items: list[Any], steps: Steps) -> list[Any]:
    steps.take(len(items))
    result: list[Any] = []
    is_last = position == len(path) - 1 and path[position] != "*"
    for item in items:
        selected = (
            item[path[position]] if is_last and type(item) is dict else _evaluate(path, position, item, steps)
        )
        if type(selected) is list:
            result.extend(selected)
        else:
            result.append(selected)
        if len(result) > MAX_ITEMS:
            raise LookupError("the reference selects too much")
    return result


def referenced_arguments(arguments: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """The result references among the arguments: name → (resultOf, name, path).

    Raises `InvalidArguments` for an argument in both forms, `InvalidResultReference` for what is no ResultReference.
    """
    references: dict[str, tuple[str, str, str]] = {}
    for name, value in arguments.items():
        if name[:1] != "#":
            continue
        if name[1:] in arguments:
            raise InvalidArguments(f"{name[1:]} is given both as a value and as a reference")
        if type(value) is not dict or set(value) != {"resultOf", "name", "path"}:
            raise InvalidResultReference(f"{name} is no ResultReference")
        reference = (value["resultOf"], value["name"], value["path"])
        if not all(type(item) is str for item in reference):
            raise InvalidResultReference(f"{name} is no ResultReference")
        references[name[1:]] = reference
    return references
