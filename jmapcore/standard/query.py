"""Foo/query (RFC 8620 §5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from jmapcore.protocol.errors import AnchorNotFound
from jmapcore.protocol.registry import Response
from jmapcore.protocol.schema import QUERY, Argument, ObjectType
from jmapcore.protocol.wire import Anything, Boolean, Id, Int, Nullable, UnsignedInt
from jmapcore.standard.ids import number_of, wire_id
from jmapcore.store.query import Query, WindowRequest, parse_filter, parse_sort

if TYPE_CHECKING:
    from jmapcore.context import RequestContext


def arguments(declared: ObjectType) -> dict[str, Argument]:
    """The arguments of Foo/query."""
    return {
        "filter": Argument(Anything(), None),
        "sort": Argument(Anything(), None),
        "position": Argument(Int(), 0),
        "anchor": Argument(Nullable(Id(to=declared.name))),
        "anchorOffset": Argument(Int(), 0),
        "limit": Argument(Nullable(UnsignedInt())),
        "calculateTotal": Argument(Boolean(), False),
        **declared.arguments.get(QUERY, {}),
    }


def parsed_query(context: RequestContext, declared: ObjectType, values: dict[str, Any]) -> Query:
    """The query of /query and /queryChanges arguments."""
    extra = {name: values[name] for name in declared.arguments.get(QUERY, {}) if name in values}
    return Query(
        declared,
        parse_filter(declared, values["filter"], context.resolve_id),
        parse_sort(declared, values["sort"]),
        extra,
    )


def query(context: RequestContext, declared: ObjectType, values: dict[str, Any]) -> list[Response]:
    """The ids of the records that match a filter, in the order of a sort (RFC 8620 §5.5)."""
    parsed = parsed_query(context, declared, values)
    access = context.account(values["accountId"], declared.capability)
    anchor = None
    if values["anchor"] is not None:
        anchor = number_of(declared, context.resolve_id(values["anchor"]))
        if anchor is None:
            raise AnchorNotFound
    most = settings.JMAP_MAX_QUERY_IDS
    limit = min(most, values["limit"]) if values["limit"] is not None else most
    request = WindowRequest(
        values["position"], anchor, values["anchorOffset"], limit, values["calculateTotal"]
    )
    reading = context.reading(access)
    window = declared.storage.window(reading, parsed, request)
    response: dict[str, Any] = {
        "accountId": values["accountId"],
        "queryState": reading.mark(declared.name).state,
        "canCalculateChanges": declared.storage.can_calculate_changes(parsed),
        "position": window.position,
        "ids": [wire_id(declared, number) for number in window.ids],
    }
    if values["calculateTotal"]:
        response["total"] = window.total
    if (values["limit"] is None and len(window.ids) == most) or (values["limit"] or 0) > most:
        response["limit"] = most
    return [(f"{declared.name}/query", response)]
