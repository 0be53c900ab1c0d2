"""Foo/get (RFC 8620 §5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from jmapcore.protocol.errors import InvalidArguments, RequestTooLarge
from jmapcore.protocol.registry import Response
from jmapcore.protocol.schema import GET, Argument, ObjectType
from jmapcore.protocol.wire import Id, ListOf, Nullable, String
from jmapcore.standard.ids import not_found, numbers

if TYPE_CHECKING:
    from jmapcore.context import RequestContext


def arguments(declared: ObjectType) -> dict[str, Argument]:
    """The arguments of Foo/get."""
    return {
        "ids": Argument(Nullable(ListOf(Id(to=declared.name)))),
        "properties": Argument(Nullable(ListOf(String()))),
        **declared.arguments.get(GET, {}),
    }


def requested_properties(declared: ObjectType, asked: list[str] | None) -> tuple[str, ...]:
    """The properties to answer, `id` first; those of the declaration where the client names none.

    Raises `InvalidArguments` for an unknown one.
    """
    if asked is None:
        return ("id", *(name for name, each in declared.properties.items() if each.in_get and name != "id"))
    for name in asked:
        if name not in declared.properties and not (
            declared.accepts_property and declared.accepts_property(name)
        ):
            raise InvalidArguments(f"there is no property {name[:100]}")
    return ("id", *(name for name in dict.fromkeys(asked) if name != "id"))


def get(context: RequestContext, declared: ObjectType, values: dict[str, Any]) -> list[Response]:
    """Fetch records by their ids, or all of them (RFC 8620 §5.1)."""
    limit = settings.JMAP_LIMITS["maxObjectsInGet"]
    properties = requested_properties(declared, values["properties"])
    found: dict[str, int] = {}
    unknown: list[str] = []
    wanted: list[int] | None = None
    if values["ids"] is not None:
        if len(values["ids"]) > limit:
            raise RequestTooLarge(f"more than {limit} ids")
        found, unknown = numbers(context, declared, values["ids"])
        wanted = list(dict.fromkeys(found.values()))
    access = context.access(declared, values)
    reading = context.reading(access)
    fetched = declared.storage.fetch(reading, wanted, properties, values, limit + 1)
    if wanted is None:
        if len(fetched.records) > limit:
            raise RequestTooLarge(f"the account has more than {limit} records of this type")
        records = list(fetched.records.values())
    else:
        records = [fetched.records[number] for number in wanted if number in fetched.records]
        missing = (text for text, number in found.items() if number not in fetched.records)
        unknown = not_found(values["ids"], unknown, missing)
    response: dict[str, Any] = {}
    if declared.has_account:
        response["accountId"] = values["accountId"]
    if declared.has_state:
        response["state"] = reading.mark(declared.name).state
    response |= {"list": records, "notFound": unknown, **fetched.response}
    return [(f"{declared.name}/get", response)]
