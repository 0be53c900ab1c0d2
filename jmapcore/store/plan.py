"""The plan of a /set: what it will create, update and destroy, and what it refuses (RFC 8620 §5.3).

The plan is made and checked as a whole, since /set accepts whatever leaves a valid final state: the checks look at the records
as they will be, fail what does not fit, and are run again until nothing more fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jmapcore.protocol.errors import InvalidProperties, NotFound, SetError
from jmapcore.protocol.schema import ObjectType
from jmapcore.protocol.wire import object_id

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.store.write import AccountWrite

Record = dict[str, Any]
"""A record by its property names, with values as on the wire."""


@dataclass(slots=True)
class PlannedCreate:
    """A record to be created."""

    creation_id: str
    id: int
    record: Record
    given: frozenset[str]
    """The properties that the client sent."""
    prepared: Any = None
    """What the type's storage prepared before the lock."""


@dataclass(slots=True)
class PlannedUpdate:
    """A record to be updated."""

    id: int
    old: Record
    new: Record
    keys: list[str]
    """The ids under which the client named it."""
    reported: Record = field(default_factory=dict)
    """What changed otherwise than the client asked."""
    _changed: frozenset[str] | None = None

    @property
    def changed(self) -> frozenset[str]:
        """The properties whose value really changes."""
        if self._changed is None:
            old = self.old
            self._changed = frozenset([name for name, value in self.new.items() if old.get(name) != value])
        return self._changed

    def merge(self, key: str, new: Record, reported: Record) -> None:
        """Add what the client said of the same record under another id."""
        self.new |= new
        self.keys.append(key)
        self.reported |= reported
        self._changed = None


@dataclass(slots=True)
class PlannedDestroy:
    """A record to be destroyed; `old` holds what the type's storage loaded of it."""

    id: int
    old: Record
    key: str
    aliases: list[str] = field(default_factory=list)
    """Further ids under which the client named it (`#creationId`)."""


@dataclass
class SetPlan:
    """What one /set call will do."""

    type: ObjectType
    access: AccountAccess
    write: AccountWrite
    arguments: Mapping[str, Any]
    creates: dict[str, PlannedCreate] = field(default_factory=dict)
    updates: dict[int, PlannedUpdate] = field(default_factory=dict)
    destroys: dict[int, PlannedDestroy] = field(default_factory=dict)
    not_created: dict[str, SetError] = field(default_factory=dict)
    not_updated: dict[str, SetError] = field(default_factory=dict)
    not_destroyed: dict[str, SetError] = field(default_factory=dict)
    passing: list[PlannedCreate] = field(default_factory=list)
    """Created and destroyed by the same call: reported, never stored."""
    response: dict[str, Any] = field(default_factory=dict)
    """Further members of the response."""
    implicit: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Method calls that follow, their responses under the same call id (onSuccess… arguments)."""
    flawed: list[tuple[InvalidProperties, Record]] = field(default_factory=list)
    """What was refused for the values of some properties, with the others: what these refer to is still to be looked up."""
    failures: int = 0

    def fail_create(self, creation_id: str, error: SetError) -> None:
        """Refuse a create."""
        create = self.creates.pop(creation_id, None) or self._no_longer_passing(creation_id)
        if create is not None:
            self.not_created[creation_id] = error
            self.failures += 1
            update = self.updates.pop(create.id, None)
            if update is not None:  # of the record that this call was to create
                self.not_updated.update(dict.fromkeys(update.keys, NotFound()))

    def _no_longer_passing(self, creation_id: str) -> PlannedCreate | None:
        """Take a record out that the call was to create and to destroy; then there is none to destroy."""
        create = next((each for each in self.passing if each.creation_id == creation_id), None)
        if create is not None:
            self.passing.remove(create)
            self.fail_destroy(create.id, NotFound())
        return create

    def fail_update(self, number: int, error: SetError) -> None:
        """Refuse an update."""
        update = self.updates.pop(number, None)
        if update is not None:
            for key in update.keys:
                self.not_updated[key] = error
            self.failures += 1

    def fail_destroy(self, number: int, error: SetError) -> None:
        """Refuse a destroy."""
        destroy = self.destroys.pop(number, None)
        if destroy is not None:
            self.not_destroyed.update(dict.fromkeys([destroy.key, *destroy.aliases], error))
            self.failures += 1
            for create in [each for each in self.passing if each.id == number]:
                self.passing.remove(create)
                self.creates[create.creation_id] = create

    def fail(self, item: PlannedCreate | PlannedUpdate, error: SetError) -> None:
        """Refuse a create or an update."""
        if isinstance(item, PlannedCreate):
            self.fail_create(item.creation_id, error)
        else:
            self.fail_update(item.id, error)

    def records(self) -> list[tuple[PlannedCreate | PlannedUpdate, Record]]:
        """The records as they will be that this call creates or updates."""
        creates = [(create, create.record) for create in self.creates.values()]
        return [*creates, *((update, {**update.old, **update.new}) for update in self.updates.values())]

    def wire_id(self, number: int) -> str:
        """The id on the wire of one of its records."""
        return "singleton" if self.type.singleton else object_id(self.type.letter, number)

    def created_ids(self) -> dict[str, str]:
        """The ids of what it creates, by creation id."""
        ids = {create.creation_id: self.wire_id(create.id) for create in self.creates.values()}
        return ids | {create.creation_id: self.wire_id(create.id) for create in self.passing}
