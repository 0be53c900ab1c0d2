"""Foo/changes (RFC 8620 §5.2): a range of the change log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from jmapcore.protocol.errors import CannotCalculateChanges
from jmapcore.protocol.registry import Response
from jmapcore.protocol.schema import CHANGES, Argument, ObjectType
from jmapcore.protocol.wire import MAX_INT, Int, Nullable, String
from jmapcore.standard.ids import wire_id
from jmapcore.store.prepared import Row
from jmapcore.store.reading import Reading
from jmapcore.store.states import number_in
from jmapcore.store.write import CREATED, DESTROYED, VOLATILE

if TYPE_CHECKING:
    from jmapcore.context import RequestContext

LOG = """
    SELECT modseq, object, operation FROM change_log
    WHERE account_id = %s AND type = %s AND modseq > %s AND modseq <= %s ORDER BY modseq LIMIT %s"""
_PAGE = 5_000
_NO_END = 2**63 - 1


def arguments(declared: ObjectType) -> dict[str, Argument]:
    """The arguments of Foo/changes."""
    return {
        "sinceState": Argument(String()),
        "maxChanges": Argument(Nullable(Int(1, MAX_INT))),
        **declared.arguments.get(CHANGES, {}),
    }


@dataclass(slots=True)
class Changes:
    """What happened to the records of a type in a range of the log."""

    created: dict[int, None] = field(default_factory=dict)
    updated: dict[int, bool] = field(default_factory=dict)
    """True where more than volatile properties changed."""
    destroyed: dict[int, None] = field(default_factory=dict)
    up_to: int = 0
    complete: bool = True

    def __len__(self) -> int:
        return len(self.created) + len(self.updated) + len(self.destroyed)

    def add(self, number: int, operation: str) -> None:
        """Take one entry of the log, in its order; a create and a destroy in the range cancel out."""
        if operation == CREATED:
            self.created[number] = None
        elif operation == DESTROYED:
            self.updated.pop(number, None)
            if number in self.created:
                del self.created[number]
            else:
                self.destroyed[number] = None
        elif number not in self.created:
            self.updated[number] = self.updated.get(number, False) or operation != VOLATILE

    def leave_out(self, hidden: Callable[[int], bool] | None) -> None:
        """Forget records of which the caller must not learn."""
        if hidden is not None:
            self.created = {number: None for number in self.created if not hidden(number)}
            self.updated = {number: more for number, more in self.updated.items() if not hidden(number)}
            self.destroyed = {number: None for number in self.destroyed if not hidden(number)}


def read_ahead(reading: Reading, type_name: str, state: str, limit: int) -> list[Row] | None:
    """The first entries of the log after a state that a client has, in the round trip that reads where the type stands.

    None where nothing new is expected, and for what is no state. Whether it was one of this account, only its mark says.
    """
    since = number_in(state)
    if since is None or not reading.has_moved(type_name, since):
        return None
    (entries,) = reading.run((LOG, (reading.account_id, type_name, since, _NO_END, _page(limit))))
    return entries


def _page(limit: int) -> int:
    return min(_PAGE, limit + 1)


def changes_between(
    reading: Reading, type_name: str, since: int, until: int, limit: int, entries: list[Row] | None = None
) -> Changes:
    """The changes after `since` and up to `until`, `limit` records at most; `up_to` says how far it got.

    `entries` are what `read_ahead` gave for the same state and limit. The log is read in its order, so a record met on two
    pages is never created after it was updated or destroyed, nor destroyed before (the MUST NOTs of RFC 8620 §5.2).
    """
    changes = Changes(up_to=since)
    account_id = reading.account_id
    page = _page(limit)
    while changes.up_to < until:
        if entries is None:
            (entries,) = reading.run((LOG, (account_id, type_name, changes.up_to, until, page)))
        for modseq, number, operation in entries:
            if modseq > until:
                break
            known = number in changes.created or number in changes.updated
            if len(changes) >= limit and not known:
                changes.complete = False
                return changes
            changes.add(number, operation)
            changes.up_to = modseq
        if len(entries) < page or entries[-1][0] > until:
            changes.up_to = until
        page, entries = _PAGE, None
    return changes


def changes(context: RequestContext, declared: ObjectType, values: dict[str, Any]) -> list[Response]:
    """What was created, updated and destroyed since a state (RFC 8620 §5.2)."""
    access = context.account(values["accountId"], declared.capability)
    reading = context.reading(access)
    limit = min(values["maxChanges"] or MAX_INT, settings.JMAP_MAX_CHANGES)
    entries = read_ahead(reading, declared.name, values["sinceState"], limit)
    mark = reading.mark(declared.name)
    since = mark.position(values["sinceState"])
    if since is None:
        raise CannotCalculateChanges(values["sinceState"][:40])
    found = changes_between(reading, declared.name, since, mark.modseq, limit, entries)
    found.leave_out(declared.storage.hidden(reading))
    response: dict[str, Any] = {
        "accountId": values["accountId"],
        "oldState": values["sinceState"],
        "newState": mark.state if found.complete else mark.at(found.up_to),
        "hasMoreChanges": not found.complete,
        "created": [wire_id(declared, number) for number in found.created],
        "updated": [wire_id(declared, number) for number in found.updated],
        "destroyed": [wire_id(declared, number) for number in found.destroyed],
    }
    if declared.volatile_properties:
        # "If only [these] properties have changed since the old state" (RFC 8621 §2.2): nothing came or went either.
        only_volatile = (
            found.updated and not found.created and not found.destroyed and not any(found.updated.values())
        )
        response["updatedProperties"] = list(declared.volatile_properties) if only_volatile else None
    return [(f"{declared.name}/changes", response)]
