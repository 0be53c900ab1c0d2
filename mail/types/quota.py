"""The type Quota (RFC 9425): what the account may hold, and for administrators what a domain or tenant may hold together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmapcore.protocol.collation import unicode_casemap
from jmapcore.protocol.schema import (
    CHANGES,
    GET,
    QUERY,
    QUERY_CHANGES,
    Filter,
    ObjectType,
    Property,
    SetBy,
    Sort,
)
from jmapcore.protocol.wire import Id, ListOf, Nullable, String, UnsignedInt, WireType
from jmapcore.store.usage import QUOTA as NAME
from mail.types.capability import QUOTA
from mail.types.quota_storage import QuotaStorage


def _told(wire: WireType, *, volatile: bool = False) -> Property:
    return Property(wire, set_by=SetBy.SERVER, volatile=volatile)


def _equals(name: str) -> Filter:
    def matches(record: Mapping[str, Any], value: Any) -> bool:
        return bool(record[name] == value)

    return Filter(String(), (name,), matches, mutable=False)


def _name_contains(record: Mapping[str, Any], value: str) -> bool:
    return unicode_casemap(value) in unicode_casemap(record["name"])


def _types_contain(record: Mapping[str, Any], value: str) -> bool:
    return value in record["types"]


QUOTA_TYPE = ObjectType(
    name=NAME,
    capability=QUOTA,
    letter="q",
    methods=frozenset({GET, CHANGES, QUERY, QUERY_CHANGES}),
    storage=QuotaStorage(),
    properties={
        "id": _told(Id()),
        "resourceType": _told(String()),
        "used": _told(UnsignedInt(), volatile=True),
        "hardLimit": _told(UnsignedInt()),
        "scope": _told(String()),
        "name": _told(String()),
        "types": _told(ListOf(String())),
        "warnLimit": _told(Nullable(UnsignedInt())),
        "softLimit": _told(Nullable(UnsignedInt())),
        "description": _told(Nullable(String())),
    },
    filters={
        "name": Filter(String(), ("name",), _name_contains),
        "scope": _equals("scope"),
        "resourceType": _equals("resourceType"),
        "type": Filter(String(), ("types",), _types_contain, mutable=False),
    },
    sorts={"name": Sort(("name",), text=True), "used": Sort(("used",))},
)
