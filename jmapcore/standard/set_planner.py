"""The records of a /set as they will be (RFC 8620 §5.3): each create, patch and destroy of a call, valid in itself or refused."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jmapcore.protocol.errors import (
    ForbiddenSet,
    InvalidPatch,
    InvalidProperties,
    NotFound,
    SetError,
    Singleton,
    WillDestroy,
)
from jmapcore.protocol.patch import REMOVED, apply_patch
from jmapcore.protocol.references import tokens
from jmapcore.protocol.schema import REQUIRED, Property, SetBy
from jmapcore.protocol.wire import MapOf, WireError
from jmapcore.standard.ids import number_of
from jmapcore.standard.set_members import SetMembers
from jmapcore.store.plan import PlannedCreate, PlannedDestroy, PlannedUpdate, Record, SetPlan

if TYPE_CHECKING:
    from jmapcore.context import RequestContext


class Planner:
    """Makes the plan of the records that are valid in themselves."""

    def __init__(self, context: RequestContext, plan: SetPlan, loaded: Mapping[int, Record]) -> None:
        self.context = context
        self.plan = plan
        self.loaded = loaded
        self.type = plan.type
        self.read_only = plan.access.is_read_only

    def refuse(self, creates: Mapping[str, Record], refused: Mapping[str, SetError]) -> None:
        """Take note of what the storage refused as it prepared the creates."""
        self.plan.not_created.update(refused)
        for key, error in refused.items():
            if isinstance(error, InvalidProperties):
                others = {name: value for name, value in creates[key].items() if name not in error.properties}
                self.plan.flawed.append((error, self._replaced(others)))

    def _replaced(self, given: Record) -> Record:
        """Those of the properties that are of their types, with the ids that `#creationId`s stand for."""
        replaced: Record = {}
        for name, value in given.items():
            declared = self.type.properties.get(name)
            if declared is not None:
                with suppress(WireError):
                    replaced[name] = declared.type.check(
                        declared.type.replace(value, self.context.created_ids)
                    )
        return replaced

    def fill(self, creates: Mapping[str, Record], prepared: Mapping[str, Any]) -> None:
        """Fill the plan."""
        arguments_ = self.plan.arguments
        creates = {key: record for key, record in creates.items() if key not in self.plan.not_created}
        if self.read_only:
            # Before they take ids: who may only read must not use them up.
            self.plan.not_created.update({key: ForbiddenSet() for key in creates})
            creates = {}
        ids = dict(zip(creates, self.plan.write.new_ids(len(creates)), strict=True)) if creates else {}
        self.known = self.context.created_ids | {
            key: self.plan.wire_id(number) for key, number in ids.items()
        }
        for key, record in creates.items():
            try:
                self._create(key, ids[key], record, prepared.get(key))
            except SetError as error:
                self.plan.not_created[key] = error
        destroys = self._numbers(arguments_["destroy"] or [], self.plan.not_destroyed)
        updates = self._numbers(arguments_["update"] or {}, self.plan.not_updated)
        patches = {key: (arguments_["update"] or {})[key] for key in updates}
        self.members = SetMembers(self.type, self.known, read_only=self.read_only)
        self.fresh = {create.id: create for create in self.plan.creates.values()}
        self.doomed = set(destroys.values())
        for key, number in updates.items():
            try:
                self._update(key, number, patches[key])
            except SetError as error:
                self.plan.not_updated[key] = error
        for key, number in destroys.items():
            try:
                self._destroy(key, number)
            except SetError as error:
                self.plan.not_destroyed[key] = error

    def _numbers(self, keys: Any, refused: dict[str, SetError]) -> dict[str, int]:
        numbers = {}
        for key in keys:
            text = self.known.get(key[1:], key) if key[:1] == "#" else key
            number = number_of(self.type, text)
            if number is None:
                refused[key] = NotFound()
            else:
                numbers[key] = number
        return numbers

    def _create(self, key: str, number: int, given: Record, prepared: Any) -> None:
        if self.type.singleton:
            raise Singleton
        record, invalid = {}, []
        for name, value in given.items():
            declared = self.type.properties.get(name)
            if declared is None or declared.set_by is SetBy.SERVER:
                if not (declared is None and self.type.accepts_property and self.type.accepts_property(name)):
                    invalid.append(name)
                    continue
                record[name] = value
                continue
            try:
                record[name] = self._checked(declared, value)
            except WireError:
                invalid.append(name)
        for name, declared in self.type.properties.items():
            if name in given or declared.computed is not None or name == "id":
                continue
            if declared.default is not REQUIRED:
                record[name] = declared.default_value()
            elif declared.set_by is not SetBy.SERVER and prepared is None:
                invalid.append(name)
        if invalid:
            raise self._invalid(invalid, record)
        record |= self._check_record(record, frozenset(given))
        self.plan.creates[key] = PlannedCreate(key, number, record, frozenset(given), prepared)

    def _checked(self, declared: Property, value: Any) -> Any:
        return declared.type.check(declared.type.replace(value, self.known))

    def _check_record(self, record: Record, changed: frozenset[str]) -> Mapping[str, Any]:
        if self.type.check_record is None:
            return {}
        try:
            return self.type.check_record(self.plan.access, record, changed)
        except InvalidProperties as error:
            self.plan.flawed.append((error, {name: record[name] for name in changed}))
            raise

    def _update(self, key: str, number: int, patch: Mapping[str, Any]) -> None:
        fresh = self.fresh
        earlier = self.plan.updates.get(number)
        current = fresh[number].record if number in fresh else self.loaded.get(number)
        if current is None:
            raise NotFound
        if number in self.doomed:
            raise WillDestroy
        before = current if earlier is None else {**current, **earlier.new}
        moved = self.members.patched(before, patch)
        new, asked = (moved, moved) if moved is not None else self._patched(number, before, patch)
        new = {**new, **self._check_record({**before, **new}, frozenset(new))}
        # "any property that changed in a way *not* explicitly requested by the PatchObject" (§5.3)
        reported = {name: value for name, value in new.items() if value != asked.get(name, before.get(name))}
        if number in fresh:
            fresh[number].record |= new
            new = {}
        if earlier is None:
            self.plan.updates[number] = PlannedUpdate(number, current, new, [key], reported)
        else:
            earlier.merge(key, new, reported)

    def _patched(self, number: int, current: Record, patch: Mapping[str, Any]) -> tuple[Record, Record]:
        """The properties that the patch touches: checked, and as the client asked for them.

        Raises `InvalidPatch` or `InvalidProperties`.
        """
        new, asked, invalid = {}, {}, []
        patch = self._with_normal_keys(patch)
        for name, value in apply_patch(self._with_computed(current, patch), patch).items():
            declared = self.type.properties.get(name)
            if declared is None:
                invalid.append(name)
                continue
            if name == "id":
                if value != self.plan.wire_id(number):
                    invalid.append(name)
                continue
            try:
                checked = self._patched_value(declared, value)
            except WireError:
                invalid.append(name)
                continue
            if declared.set_by is not SetBy.CLIENT or (self.read_only and not declared.writable_read_only):
                value = (
                    declared.computed(self.plan.access, current) if declared.computed else current.get(name)
                )
                if value != checked:
                    invalid.append(name)
                continue
            new[name] = checked
            asked[name] = checked if value is REMOVED else declared.type.replace(value, self.known)
        if invalid:
            if self.read_only and set(invalid) <= set(self.type.properties):
                raise ForbiddenSet
            raise self._invalid(invalid, new)
        return new, asked

    def _invalid(self, names: list[str], others: Record) -> InvalidProperties:
        """The error that lists these properties; `check_plan` adds those of the others that refer to nothing."""
        error = InvalidProperties(names)
        self.plan.flawed.append((error, others))
        return error

    def _with_normal_keys(self, patch: Mapping[str, Any]) -> Mapping[str, Any]:
        """The patch with each pointer to a member of a map in the normal form of the map's keys, as in a whole map.

        `keywords/$Seen` removes `$seen`, and `mailboxIds/#new` what a `#new` stands for.
        """
        normal: dict[str, Any] = {}
        for pointer, value in patch.items():
            name = pointer.partition("/")[0]
            declared = self.type.properties.get(name) if pointer.count("/") == 1 else None
            if declared is not None and isinstance(declared.type, MapOf):
                try:
                    _, key = tokens(f"/{pointer}")
                except ValueError:
                    raise InvalidPatch(f"{pointer} is no JSON Pointer") from None
                try:
                    checked = declared.type.key.check(declared.type.key.replace(key, self.known))
                except WireError:
                    checked = key  # the check of the whole map refuses it
                pointer = f"{name}/{checked.replace('~', '~0').replace('/', '~1')}"
            if pointer in normal:
                raise InvalidPatch(f"two pointers to {pointer}")
            normal[pointer] = value
        return normal

    def _with_computed(self, current: Record, patch: Mapping[str, Any]) -> Record:
        """The record with the computed properties that a pointer goes into: identical values are allowed there too."""
        names = {pointer.split("/", 1)[0] for pointer in patch if "/" in pointer}
        values = {}
        for name in names & self.type.properties.keys():
            computed = self.type.properties[name].computed
            if computed is not None:
                values[name] = computed(self.plan.access, current)
        return {**current, **values}

    def _patched_value(self, declared: Property, value: Any) -> Any:
        if value is not REMOVED:
            return self._checked(declared, value)
        if declared.set_by is SetBy.SERVER:
            return None  # no default of the client's: null has to be "identical to the current server value"
        if declared.default is not REQUIRED:
            return declared.default_value()
        if declared.type.nullable:
            return None
        raise WireError("it cannot be removed")

    def _destroy(self, key: str, number: int) -> None:
        fresh, loaded = self.fresh, self.loaded
        if self.type.singleton:
            raise Singleton
        if self.read_only:
            raise ForbiddenSet
        if number in self.plan.destroys:
            self.plan.destroys[number].aliases.append(key)
            return
        if number in fresh:
            self.plan.passing.append(self.plan.creates.pop(fresh[number].creation_id))
        elif number not in loaded:
            raise NotFound
        self.plan.destroys[number] = PlannedDestroy(number, loaded.get(number, {}), key)
