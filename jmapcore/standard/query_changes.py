"""Foo/queryChanges (RFC 8620 §5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from jmapcore.protocol.errors import CannotCalculateChanges, TooManyChanges
from jmapcore.protocol.registry import Response
from jmapcore.protocol.schema import QUERY, QUERY_CHANGES, Argument, ObjectType
from jmapcore.protocol.wire import Anything, Boolean, Id, Nullable, String, UnsignedInt
from jmapcore.standard.changes import Changes, changes_between, read_ahead
from jmapcore.standard.ids import number_of, wire_id
from jmapcore.standard.query import parsed_query
from jmapcore.store.query import Query
from jmapcore.store.reading import Reading

if TYPE_CHECKING:
    from jmapcore.context import RequestContext


def arguments(declared: ObjectType) -> dict[str, Argument]:
    """The arguments of Foo/queryChanges: those of /query that make the query, and its own."""
    return {
        "filter": Argument(Anything(), None),
        "sort": Argument(Anything(), None),
        "sinceQueryState": Argument(String()),
        "maxChanges": Argument(Nullable(UnsignedInt())),
        "upToId": Argument(Nullable(Id(to=declared.name))),
        "calculateTotal": Argument(Boolean(), False),
        **declared.arguments.get(QUERY, {}),
        **declared.arguments.get(QUERY_CHANGES, {}),
    }


def query_changes(context: RequestContext, declared: ObjectType, values: dict[str, Any]) -> list[Response]:
    """How the results of a query changed since a state (RFC 8620 §5.6).

    Where the query looks at what may change, every record that changed is taken out, and put back where it now is: "the server
    MUST include all Foos in the current results for which this property may have changed". Elsewhere an update moves nothing.
    """
    parsed = parsed_query(context, declared, values)
    access = context.account(values["accountId"], declared.capability)
    reading = context.reading(access)
    with reading.snapshot():
        most_looked_at = settings.JMAP_MAX_QUERY_CHANGES
        entries = read_ahead(reading, declared.name, values["sinceQueryState"], most_looked_at)
        mark = reading.mark(declared.name)
        since = mark.position(values["sinceQueryState"])
        if since is None or not declared.storage.can_calculate_changes(parsed):
            raise CannotCalculateChanges(values["sinceQueryState"][:40])
        removed: list[int] = []
        added: list[tuple[int, int]] = []
        total: int | None = None
        if since != mark.modseq or values["calculateTotal"]:
            last = _last(context, declared, parsed, values["upToId"])
            found = changes_between(reading, declared.name, since, mark.modseq, most_looked_at, entries)
            if not found.complete:
                raise CannotCalculateChanges("too many changes")
            found.leave_out(declared.storage.hidden(reading))
            removed, touched = _touched(reading, parsed, since, found)
            if touched or values["calculateTotal"]:
                added, total = _placed(reading, parsed, touched, last)
    most = values["maxChanges"]
    if most is not None and len(removed) + len(added) > most:
        raise TooManyChanges
    response: dict[str, Any] = {
        "accountId": values["accountId"],
        "oldQueryState": values["sinceQueryState"],
        "newQueryState": mark.state,
        "removed": [wire_id(declared, number) for number in removed],
        "added": [{"id": wire_id(declared, number), "index": index} for index, number in added],
    }
    if values["calculateTotal"]:
        response["total"] = total
    return [(f"{declared.name}/queryChanges", response)]


def _touched(reading: Reading, parsed: Query, since: int, found: Changes) -> tuple[list[int], set[int]]:
    """(what the client takes out, what is looked for in the results anew): a new record has not been in them yet."""
    touched = {*found.created, *found.destroyed, *_moved(parsed, found)}
    if touched:
        touched |= parsed.type.storage.affected(reading, parsed, since, touched)
    return [number for number in touched if number not in found.created], touched


def _placed(
    reading: Reading, parsed: Query, touched: set[int], last: int | None
) -> tuple[list[tuple[int, int]], int]:
    """(index and record of those touched that are in the results, how many results there are)."""
    placed, total = parsed.type.storage.places(reading, parsed, touched if last is None else touched | {last})
    # What comes after upToId the client has not cached.
    bound = next((index for index, number in placed if number == last), total)
    return [(index, number) for index, number in placed if number in touched and index <= bound], total


def _moved(parsed: Query, found: Changes) -> set[int]:
    """The updated records whose place may be another now."""
    if not parsed.mutable:
        return set()
    looks_at_volatile = not parsed.needs().isdisjoint(parsed.type.volatile_properties)
    return {number for number, more in found.updated.items() if more or looks_at_volatile}


def _last(context: RequestContext, declared: ObjectType, parsed: Query, text: str | None) -> int | None:
    """The record of `upToId`; None where it has no effect, which is where the filter or the sort looks at what may change."""
    if text is None or parsed.mutable:
        return None
    return number_of(declared, context.resolve_id(text))
