"""Patches that only put members into sets or take them out, `keywords/$seen` and the like: what most updates are.

They are applied without checking the rest of the set again. Whatever is not of this kind, or wrong in any way, is left to the
general way (`jmapcore.protocol.patch`), which knows the errors.
"""

from __future__ import annotations

from collections.abc import Mapping

from jmapcore.protocol.references import tokens
from jmapcore.protocol.schema import ObjectType, SetBy
from jmapcore.protocol.wire import IsTrue, MapOf, WireError
from jmapcore.store.plan import Record

_Member = tuple[str, str, int]
"""A property that is a set, one of its keys in the normal form, and how many members it must have."""


class SetMembers:
    """Applies such patches within one /set; `known` are the ids of what it creates."""

    def __init__(self, declared: ObjectType, known: Mapping[str, str], *, read_only: bool) -> None:
        self._type = declared
        self._known = known
        self._read_only = read_only
        self._members: dict[str, _Member | None] = {}

    def patched(self, current: Record, patch: Mapping[str, object]) -> Record | None:
        """The properties that the patch touches, with their new values; None for a patch of another kind."""
        new: Record = {}
        seen = set()
        for pointer, value in patch.items():
            if pointer in self._members:
                member = self._members[pointer]
            else:
                member = self._members[pointer] = self._member(pointer)
            if member is None or member in seen or (value is not True and value is not None):
                return None
            seen.add(member)
            name, key, _ = member
            if name not in new:
                if type(current.get(name)) is not dict:
                    return None
                new[name] = dict(current[name])
            if value is None:
                new[name].pop(key, None)
            else:
                new[name][key] = True
        if any(len(new[name]) < least for name, _, least in seen):
            return None
        return new

    def _member(self, pointer: str) -> _Member | None:
        """What a pointer points to; None where it is no member of a set that the client may write."""
        name, _, rest = pointer.partition("/")
        declared = self._type.properties.get(name)
        if declared is None or not rest or "/" in rest:
            return None
        if declared.set_by is not SetBy.CLIENT or (self._read_only and not declared.writable_read_only):
            return None
        kind = declared.type
        if not isinstance(kind, MapOf) or not isinstance(kind.of, IsTrue):
            return None
        try:
            (key,) = tokens(f"/{rest}")
            return name, kind.key.check(kind.key.replace(key, self._known)), kind.min_items
        except (ValueError, WireError):
            return None
