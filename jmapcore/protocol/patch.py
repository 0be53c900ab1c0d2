"""PatchObject (RFC 8620 §5.3): a set of JSON Pointers and what to set there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from jmapcore.protocol.errors import InvalidPatch
from jmapcore.protocol.references import tokens

REMOVED = object()
"""Stands for a property that a patch sets to null, and so to its default."""


def apply_patch(record: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that a patch touches, with their new values; `REMOVED` for a null at the top.

    The record is left as it is. Raises `InvalidPatch` for a pointer into an array, through something that does not exist, or
    that is a prefix of another one.
    """
    paths = _paths(patch)
    changed: dict[str, Any] = {}
    for pointer, path in paths.items():
        value = patch[pointer]
        if len(path) == 1:
            changed[path[0]] = REMOVED if value is None else value
            continue
        name = path[0]
        if name not in changed:
            if name not in record:
                raise InvalidPatch(f"{pointer}: there is no {name}")
            changed[name] = _copy(record[name])
        _set(changed[name], path[1:], value, pointer)
    return changed


def _paths(patch: Mapping[str, Any]) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for pointer in patch:
        try:
            paths[pointer] = tokens("/" + pointer)
        except ValueError:
            raise InvalidPatch(f"{pointer} is no JSON Pointer") from None
    if len(paths) > 1 and any("/" in pointer for pointer in patch):
        # Sorted, a prefix stands right before the first path that it is a prefix of.
        ordered = sorted(paths.values())
        for first, second in itertools.pairwise(ordered):
            if second[: len(first)] == first:
                raise InvalidPatch(f"{'/'.join(first)} is a prefix of another pointer")
    return paths


def _set(target: Any, path: list[str], value: Any, pointer: str) -> None:
    for token in path[:-1]:
        if type(target) is not dict or token not in target:
            raise InvalidPatch(f"{pointer}: a part before the last does not exist")
        target = target[token]
    if type(target) is not dict:
        raise InvalidPatch(f"{pointer} points into something that is no object")
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = value


def _copy(value: Any) -> Any:
    if type(value) is dict:
        return {name: _copy(item) for name, item in value.items()}
    return value  # arrays are replaced as a whole, never changed in place
