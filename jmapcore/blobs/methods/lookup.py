"""Blob/lookup (RFC 9404 §4.3): the objects of each type that refer to a blob."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings

from jmapcore.blobs.content import open_sources
from jmapcore.blobs.methods.access import BLOB, blob_access, request_connection
from jmapcore.blobs.methods.errors import UnknownDataType
from jmapcore.blobs.references import finders
from jmapcore.blobs.wire_ids import BlobName, parse_blob_id
from jmapcore.context import opens
from jmapcore.protocol.errors import RequestTooLarge
from jmapcore.protocol.registry import Method, Registry, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Id, ListOf, String, object_id
from jmapcore.store.database import read

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

Matches = dict[str, dict[int, list[str]]]
"""By the name of a type: blob id → wire ids of its objects that refer to the blob."""


def supported_type_names(registry: Registry) -> list[str]:
    """The types that can be looked in."""
    known = finders()
    return [name for name in registry.types if name in known]


def lookup(context: RequestContext, values: dict[str, Any]) -> list[Response]:
    """Find the objects that refer to blobs. Raises `UnknownDataType`, `RequestTooLarge`."""
    limit: int = settings.JMAP_LIMITS["maxObjectsInGet"]
    if len(values["ids"]) > limit:
        raise RequestTooLarge(f"more than {limit} ids")
    access = blob_access(context, values)
    type_names = list(dict.fromkeys(values["typeNames"]))
    _check_types(context, access, type_names)
    names: dict[str, BlobName] = {}
    unknown: dict[str, None] = {}
    for text in values["ids"]:
        wire_id = context.resolve_id(text)
        name = parse_blob_id(wire_id)
        if name is None:
            unknown[text] = None
        else:
            names[wire_id] = name
    matches = _matches(context, access, type_names, {name.blob_id for name in names.values()})
    # "If a blob is not visible to a user or does not exist on the server at all, then the server MUST still return an empty
    # array for each type"; in `notFound` are those that are no blob ids at all.
    response = {
        "accountId": values["accountId"],
        "list": [
            {"id": wire_id, "matchedIds": matched}
            for wire_id, matched in _by_id(context, access, names, type_names, matches).items()
        ],
        "notFound": list(unknown),
    }
    return [("Blob/lookup", response)]


def _check_types(context: RequestContext, access: AccountAccess, type_names: Iterable[str]) -> None:
    supported = supported_type_names(context.registry)
    for name in type_names:
        if name not in supported:
            raise UnknownDataType(f"there are no blobs in {name[:100]}")
        capability = context.registry.capabilities[context.registry.types[name].capability]
        # "the capability that defines each type must also be used by the overall JMAP request"
        is_open = opens(capability, context.caller) and capability.available(access)
        if not context.registry.in_use(capability, context.using) or not is_open:
            raise UnknownDataType(f"{capability.uri} is not in use")


def _matches(
    context: RequestContext, access: AccountAccess, type_names: Sequence[str], blob_ids: Iterable[int]
) -> Matches:
    """All in one round trip."""
    ids = list(blob_ids)
    if not ids or not type_names:
        return {}
    asked = [(name, find(access.account_id, ids)) for name in type_names for find in finders()[name]]
    found = read(context.connection, access.account_id, *(statement for _, statement in asked))
    numbers: dict[str, dict[int, set[int]]] = {}
    for (name, _), rows in zip(asked, found, strict=True):
        by_blob = numbers.setdefault(name, {})
        for blob_id, number in rows:
            by_blob.setdefault(blob_id, set()).add(number)
    letters = {name: context.registry.types[name].letter for name in type_names}
    return {
        name: {
            blob_id: [object_id(letters[name], number) for number in sorted(objects)]
            for blob_id, objects in by_blob.items()
        }
        for name, by_blob in numbers.items()
    }


def _by_id(
    context: RequestContext,
    access: AccountAccess,
    names: Mapping[str, BlobName],
    type_names: Sequence[str],
    matches: Matches,
) -> dict[str, dict[str, list[str]]]:
    found = {
        wire_id: {type_name: matches.get(type_name, {}).get(name.blob_id, []) for type_name in type_names}
        for wire_id, name in names.items()
    }
    # Who refers to a blob refers to its parts, and to the parts in them: to those that there are.
    parts = [
        wire_id for wire_id, name in names.items() if name.part is not None and any(found[wire_id].values())
    ]
    present = open_sources(access, parts, request_connection(context))
    for wire_id in parts:
        if wire_id not in present:
            found[wire_id] = {type_name: [] for type_name in type_names}
    return found


BLOB_LOOKUP = Method(
    "Blob/lookup",
    BLOB,
    lookup,
    {
        "accountId": Argument(Id()),
        "typeNames": Argument(ListOf(String())),
        "ids": Argument(ListOf(Id(to="Blob"))),
    },
)
