"""The checks of a whole /set plan: references, unique properties, and what the type itself demands of the final state."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from jmapcore.protocol.errors import AlreadyExists, InvalidProperties
from jmapcore.protocol.schema import Unique
from jmapcore.standard.ids import number_of
from jmapcore.store.plan import PlannedCreate, PlannedUpdate, Record, SetPlan

if TYPE_CHECKING:
    from jmapcore.context import RequestContext


def check_plan(context: RequestContext, plan: SetPlan) -> None:
    """Fail what would leave an invalid final state, until nothing more fails."""
    if plan.flawed:
        _complete_errors(context, plan)
    while True:
        before = plan.failures
        _check_references(context, plan)
        for unique in plan.type.unique:
            _check_unique(plan, unique)
        if plan.type.check_set is not None:
            plan.type.check_set(plan)
        if plan.failures == before:
            return


def _items(plan: SetPlan) -> Iterator[tuple[PlannedCreate | PlannedUpdate, Record]]:
    """The planned records with the properties whose references are new."""
    for create in (*plan.creates.values(), *plan.passing):
        yield create, create.record
    for update in plan.updates.values():
        yield update, {name: update.new[name] for name in update.changed}


_Target = tuple[str, str, int | None]
"""A property, and the type and number that it refers to (None: an id that no record has)."""

_Reference = tuple[PlannedCreate | PlannedUpdate, str, str, int | None]
"""A record, and a `_Target` of it."""


def _references_of(context: RequestContext, plan: SetPlan, record: Record) -> Iterator[_Target]:
    """What a record refers to."""
    for name, value in record.items():
        declared = plan.type.properties.get(name)
        if declared is None or value is None or not declared.type.may_refer:
            continue
        for type_name, text in declared.type.references(value):
            yield name, type_name, number_of(context.registry.types[type_name], text)


def _references(context: RequestContext, plan: SetPlan) -> list[_Reference]:
    """Every reference that is new."""
    return [
        (item, *target) for item, record in _items(plan) for target in _references_of(context, plan, record)
    ]


def _complete_errors(context: RequestContext, plan: SetPlan) -> None:
    """List what refers to nothing together with the values of a wrong type.

    "There MUST also be a "properties" property … that lists *all* the properties that were invalid" (RFC 8620 §5.3).
    """
    targets = [
        (error, *target) for error, record in plan.flawed for target in _references_of(context, plan, record)
    ]
    existing = _existing(context, plan, [(type_name, number) for _, _, type_name, number in targets])
    for error, name, type_name, number in targets:
        if number is None or number not in existing[type_name]:
            error.add([name])


def _existing(
    context: RequestContext, plan: SetPlan, targets: list[tuple[str, int | None]]
) -> dict[str, set[int]]:
    """Which of the records referred to there are, or will be, by type."""
    created = {create.id for create in plan.creates.values()}
    existing: dict[str, set[int]] = {}
    for type_name in {type_name for type_name, _ in targets}:
        numbers = {number for name, number in targets if name == type_name and number is not None}
        own = type_name == plan.type.name
        known = context.registry.types[type_name].storage.existing(
            plan.write, numbers - created if own else numbers
        )
        existing[type_name] = (known - set(plan.destroys)) | created if own else known
    return existing


def _check_references(context: RequestContext, plan: SetPlan) -> None:
    """A reference names a record that exists, or that this call creates; never one that it destroys."""
    references = _references(context, plan)
    existing = _existing(context, plan, [(type_name, number) for _, _, type_name, number in references])
    while True:
        invalid: dict[int, tuple[PlannedCreate | PlannedUpdate, set[str]]] = {}
        for item, name, type_name, number in references:
            if number is None or not (
                number in existing[type_name] or _goes_with(plan, item, type_name, number)
            ):
                invalid.setdefault(id(item), (item, set()))[1].add(name)
        if not invalid:
            return
        taken = _taken_properties(plan, invalid.keys())
        for key, (item, names) in invalid.items():
            plan.fail(item, InvalidProperties(names | taken.get(key, set())))
            if isinstance(item, PlannedCreate):  # what refers to it fails with it, in a chain of any length
                existing.get(plan.type.name, set()).discard(item.id)
        references = [each for each in references if id(each[0]) not in invalid]


def _goes_with(plan: SetPlan, item: PlannedCreate | PlannedUpdate, type_name: str, number: int) -> bool:
    """What is created and destroyed by one call may refer to what the call destroys, itself created by it or not."""
    return (
        type_name == plan.type.name and number in plan.destroys and any(item is each for each in plan.passing)
    )


def _claims(plan: SetPlan, unique: Unique) -> list[tuple[PlannedCreate | PlannedUpdate, Record]]:
    """The records that want values that nobody else may have."""
    return [
        (item, record)
        for item, record in plan.records()
        if (isinstance(item, PlannedCreate) or item.changed & set(unique.properties))
        and (unique.ignore_null is None or record.get(unique.ignore_null) is not None)
    ]


def _stored_values(plan: SetPlan, unique: Unique, records: list[Record]) -> dict[tuple[Any, ...], int]:
    """Of the values of these records, those that a record has that this call does not touch: values → its number."""
    replaced = {*plan.updates, *plan.destroys}
    found = plan.type.storage.unique_values(plan, unique, records)
    return {key: number for key, number in found.items() if number not in replaced}


def _taken_properties(plan: SetPlan, refused: Collection[int]) -> dict[int, set[str]]:
    """What else is invalid of records that are refused for other properties: values that a stored record has.

    `refused` are the identities of the planned records, and the keys of the answer.
    """
    found: dict[int, set[str]] = {}
    for unique in plan.type.unique:
        claims = [each for each in _claims(plan, unique) if id(each[0]) in refused]
        if unique.error == "alreadyExists" or not claims:
            continue
        stored = _stored_values(plan, unique, [record for _, record in claims])
        for item, record in claims:
            if tuple(record[name] for name in unique.properties) in stored:
                found.setdefault(id(item), set()).update(unique.properties)
    return found


def _check_unique(plan: SetPlan, unique: Unique) -> None:
    """No two records have the same values, in the final state."""
    names = unique.properties
    items = _claims(plan, unique)
    if not items:
        return
    taken = _stored_values(plan, unique, [record for _, record in items])
    created = {create.id for create in plan.creates.values()}
    for update in plan.updates.values():
        # An update of what this call creates is part of that create, which has to find its values free.
        if update.id not in created and not update.changed & set(names):
            record = {**update.old, **update.new}
            if all(name in record for name in names):
                taken[tuple(record[name] for name in names)] = update.id
    for item, record in items:
        key = tuple(record[name] for name in names)
        other = taken.setdefault(key, item.id)
        if other != item.id:
            if unique.error == "alreadyExists":
                plan.fail(item, AlreadyExists(plan.wire_id(other)))
            else:
                plan.fail(item, InvalidProperties(names))
