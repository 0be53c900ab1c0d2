"""Records kept in one table of an account, a column for each property: the storage of a type that has no special needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.db import models

from jmapcore.protocol.schema import ObjectType, Property, Unique
from jmapcore.protocol.wire import (
    Boolean,
    Id,
    Int,
    Nullable,
    String,
    UTCDate,
    WireType,
    format_utc,
    object_id,
    object_number,
    parse_date,
)
from jmapcore.store.plan import PlannedUpdate, Record, SetPlan
from jmapcore.store.prepared import Row, Statement
from jmapcore.store.query import Query, matches, sorted_records
from jmapcore.store.reading import Reading
from jmapcore.store.storage import Fetched, Storage
from jmapcore.store.write import AccountWrite

if TYPE_CHECKING:
    from accounts.access import AccountAccess


def snake_case(name: str) -> str:
    """The column of a property: parentId → parent_id."""
    return "".join(f"_{character.lower()}" if character.isupper() else character for character in name)


@dataclass(frozen=True, slots=True)
class Column:
    """How one property is stored."""

    name: str
    sql_type: str
    to_wire: Callable[[Any], Any]
    to_database: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def column(name: str, wire: WireType, letters: Callable[[str], str]) -> Column:
    """The column of a property by its wire type; what is no plain value is kept as JSON."""
    inner = wire.of if isinstance(wire, Nullable) else wire
    if isinstance(inner, Id) and inner.to is not None:
        target = inner.to
        return Column(
            name,
            "integer",
            lambda value: None if value is None else object_id(letters(target), value),
            lambda value: None if value is None else object_number(letters(target), value),
        )
    if isinstance(inner, Boolean):
        return Column(name, "boolean", _same, _same)
    if isinstance(inner, Int):
        return Column(name, "bigint", _same, _same)
    if isinstance(inner, String | Id):
        return Column(name, "text", _same, _same)
    if isinstance(inner, UTCDate):
        return Column(
            name,
            "timestamptz",
            lambda value: None if value is None else format_utc(value),
            lambda value: None if value is None else parse_date(value),
        )
    return Column(
        name,
        "jsonb",
        _same,
        lambda value: None if value is None else orjson.dumps(value).decode(),
    )


class ModelStorage(Storage):
    """A tracked model with the columns account_id and id, and one for each stored property.

    `per_user` names the model that holds the per-user properties: (account_id, object_id, user_id, a column for each).
    `shown` is an SQL condition on a row, without parameters: others are kept for a purpose of the type's own, and are no records.
    """

    def __init__(
        self, model: type[models.Model], *, per_user: type[models.Model] | None = None, shown: str = "true"
    ) -> None:
        self.table = model._meta.db_table
        self.user_table = per_user._meta.db_table if per_user is not None else None
        self.shown = shown

    def bind(self, declared: ObjectType, letters: Callable[[str], str]) -> None:
        """Learn the type that is stored here, as it is registered."""
        self.type = declared
        self.columns: dict[str, Column] = {}
        self.user_columns: dict[str, Column] = {}
        for name, each in declared.properties.items():
            if name == "id" or each.computed is not None:
                continue
            columns = self.user_columns if each.per_user else self.columns
            columns[name] = column(snake_case(name), each.type, letters)

    # Reading

    def _select(self, names: Sequence[str], user_id: int) -> tuple[str, list[Any]]:
        """SELECT … FROM …, and its parameters; the id comes first."""
        parts, joined = ["r.id"], False
        for name in names:
            if name in self.user_columns:
                joined = True
                parts.append(f"u.{self.user_columns[name].name}")
            else:
                parts.append(f"r.{self.columns[name].name}")
        sql = f"SELECT {', '.join(parts)} FROM {self.table} r"  # names of our own declarations
        parameters: list[Any] = []
        if joined:
            sql += (
                f" LEFT JOIN {self.user_table} u ON u.account_id = r.account_id AND u.account_id = %s"
                " AND u.object_id = r.id AND u.user_id = %s"
            )
        return sql, parameters

    def select(
        self, access: AccountAccess, names: Sequence[str], ids: Sequence[int] | None, limit: int | None = None
    ) -> Statement:
        """The statement that reads properties of these records, or of all."""
        sql, parameters = self._select(names, access.user_id)
        if " JOIN " in sql:
            parameters += [access.account_id, access.user_id]
        sql += f" WHERE r.account_id = %s AND {self.shown}"
        parameters.append(access.account_id)
        if ids is not None:
            sql += " AND r.id = ANY(%s)"
            parameters.append(list(ids))
        sql += " ORDER BY r.id"
        if limit is not None:
            sql += " LIMIT %s"
            parameters.append(limit)
        return sql, parameters

    def stored(self, names: Collection[str]) -> list[str]:
        """Those of the names that have a column, in a fixed order."""
        return [name for name in (*self.columns, *self.user_columns) if name in names]

    def record(self, row: Row, names: Sequence[str]) -> Record:
        """The record in a row of `select`."""
        record: Record = {"id": "singleton" if self.type.singleton else object_id(self.type.letter, row[0])}
        for name, value in zip(names, row[1:], strict=True):
            user_column = self.user_columns.get(name)
            if user_column is None:
                record[name] = self.columns[name].to_wire(value)
            elif value is None:
                record[name] = self.type.properties[name].default_value()
            else:
                record[name] = user_column.to_wire(value)
        return record

    def _needed(self, properties: Collection[str]) -> list[str]:
        computed = any(self._declared(name).computed for name in properties if name != "id")
        return self.stored(set(self.columns) | set(self.user_columns) if computed else properties)

    def _declared(self, name: str) -> Property:
        return self.type.properties[name]

    def _answer(self, access: AccountAccess, record: Record, properties: Sequence[str]) -> Record:
        answer = {}
        for name in properties:
            computed = None if name == "id" else self._declared(name).computed
            answer[name] = record[name] if computed is None else computed(access, record)
        return answer

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """The records of these ids, or all."""
        names = self._needed(properties)
        (rows,) = reading.run(self.select(reading.access, names, ids, limit))
        return Fetched(
            {row[0]: self._answer(reading.access, self.record(row, names), properties) for row in rows}
        )

    def load(
        self, write: AccountWrite, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> dict[int, Record]:
        """These records under the lock, with every stored property: a later check may need any of them."""
        wanted = self._all()
        (rows,) = write.prelude
        return {row[0]: self.record(row, wanted) for row in rows}

    def prelude(
        self, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> Sequence[Statement]:
        """The records, as `load` reads them."""
        return [self.select(access, self._all(), ids)]

    def _all(self) -> list[str]:
        return self.stored(set(self.columns) | set(self.user_columns))

    def existing(self, write: AccountWrite, ids: Collection[int]) -> set[int]:
        """Which of these ids exist."""
        if not ids:
            return set()
        sql = f"SELECT id FROM {self.table} WHERE account_id = %s AND id = ANY(%s) AND {self.shown}"  # our own table
        return {row[0] for row in write.execute(sql, (write.account_id, list(ids)))}

    def unique_values(
        self, plan: SetPlan, unique: Unique, records: Sequence[Record]
    ) -> dict[tuple[Any, ...], int]:
        """The stored records with one of these values in the first of the unique properties."""
        first = self.columns[unique.properties[0]]
        names = list(unique.properties)
        sql, parameters = self._select(names, plan.access.user_id)
        values = list({first.to_database(record[unique.properties[0]]) for record in records})
        condition = f"(r.{first.name} = ANY(%s::{first.sql_type}[])" + (
            f" OR r.{first.name} IS NULL)" if None in values else ")"
        )
        (rows,) = plan.write.run(
            (f"{sql} WHERE r.account_id = %s AND {condition}", [*parameters, plan.write.account_id, values])
        )
        found = {}
        for row in rows:
            record = self.record(row, names)
            if unique.ignore_null is None or record[unique.ignore_null] is not None:
                found[tuple(record[name] for name in names)] = row[0]
        return found

    # Writing

    def apply(self, plan: SetPlan) -> None:
        """Insert, update and delete in as few statements as there are kinds; record each change."""
        statements: list[Statement] = []
        account_id = plan.write.account_id
        updates = [update for update in plan.updates.values() if update.changed]
        if plan.destroys:
            gone = list(plan.destroys)
            statements.append(
                (f"DELETE FROM {self.table} WHERE account_id = %s AND id = ANY(%s)", (account_id, gone))
            )  # our own table
            if self.user_table:
                statements.append(
                    (
                        f"DELETE FROM {self.user_table} WHERE account_id = %s AND object_id = ANY(%s)",
                        (account_id, gone),
                    )
                )  # our own table
        changed = [update for update in updates if update.changed & set(self.columns)]
        if changed:
            statements.append(self._update_statement(account_id, changed))
        if plan.creates:
            statements.append(self._insert_statement(plan))
        if self.user_columns:
            statements += self._user_statements(plan, updates)
        if statements:
            plan.write.run(*statements)
        self.record_changes(plan, updates)

    def record_changes(self, plan: SetPlan, updates: Sequence[PlannedUpdate]) -> None:
        """Append to the change log what `apply` wrote."""
        for create in plan.creates.values():
            plan.write.created(self.type.name, create.id)
        for update in updates:
            plan.write.updated(self.type.name, update.id)
        for number in plan.destroys:
            if not any(create.id == number for create in plan.passing):
                plan.write.destroyed(self.type.name, number)

    def _insert_statement(self, plan: SetPlan) -> Statement:
        creates = list(plan.creates.values())
        names = [column_.name for column_ in self.columns.values()]
        arrays = ", ".join(f"%s::{_array_type(column_)}[]" for column_ in self.columns.values())
        values = ", ".join(_from_array(column_) for column_ in self.columns.values())
        sql = (
            f"INSERT INTO {self.table} (account_id, id{''.join(', ' + name for name in names)})"  # our own names
            f" SELECT %s, v.id{', ' if names else ''}{values} FROM unnest(%s::int[]{', ' if names else ''}{arrays})"
            f" AS v (id{''.join(', ' + name for name in names)})"
        )
        columns = [
            [column_.to_database(create.record[name]) for create in creates]
            for name, column_ in self.columns.items()
        ]
        return sql, (plan.write.account_id, [create.id for create in creates], *columns)

    def _update_statement(self, account_id: int, updates: Sequence[PlannedUpdate]) -> Statement:
        touched = [name for name in self.columns if any(name in update.changed for update in updates)]
        columns = [self.columns[name] for name in touched]
        assignments = ", ".join(f"{column_.name} = {_from_array(column_)}" for column_ in columns)
        arrays = ", ".join(f"%s::{_array_type(column_)}[]" for column_ in columns)
        names = ", ".join(column_.name for column_ in columns)
        sql = (
            f"UPDATE {self.table} r SET {assignments} FROM unnest(%s::int[], {arrays}) AS v (id, {names})"  # our own names
            " WHERE r.account_id = %s AND r.id = v.id"
        )
        values = [
            [column_.to_database(update.new.get(name, update.old[name])) for update in updates]
            for name, column_ in zip(touched, columns, strict=True)
        ]
        return sql, ([update.id for update in updates], *values, account_id)

    def _user_statements(self, plan: SetPlan, updates: Sequence[PlannedUpdate]) -> list[Statement]:
        rows = [(create.id, create.record) for create in plan.creates.values()]
        rows += [
            (update.id, {**update.old, **update.new})
            for update in updates
            if update.changed & set(self.user_columns)
        ]
        if not rows:
            return []
        columns = list(self.user_columns.values())
        names = ", ".join(column_.name for column_ in columns)
        sql = (
            f"INSERT INTO {self.user_table} (account_id, object_id, user_id, {names})"  # our own names
            f" SELECT %s, v.id, %s, {', '.join(_from_array(column_) for column_ in columns)}"
            f" FROM unnest(%s::int[], {', '.join(f'%s::{_array_type(column_)}[]' for column_ in columns)}) AS v (id, {names})"
            " ON CONFLICT (account_id, object_id, user_id) DO UPDATE SET "
            + ", ".join(f"{column_.name} = excluded.{column_.name}" for column_ in columns)
        )
        values = [
            [column_.to_database(record[name]) for _, record in rows]
            for name, column_ in self.user_columns.items()
        ]
        return [(sql, (plan.write.account_id, plan.access.user_id, [number for number, _ in rows], *values))]

    # Querying

    def results(self, reading: Reading, query: Query) -> list[int]:
        """All records are read and judged one by one: right for types of which an account has some thousands at most."""
        names = self.stored(query.needs())
        (rows,) = reading.run(self.select(reading.access, names, None))
        records = [{**self.record(row, names), "": row[0]} for row in rows]
        found = [record for record in records if matches(query.filter, record)]
        return [record[""] for record in sorted_records(found, query.sort)]


def _array_type(column_: Column) -> str:
    return "text" if column_.sql_type == "jsonb" else column_.sql_type


def _from_array(column_: Column) -> str:
    return f"v.{column_.name}::jsonb" if column_.sql_type == "jsonb" else f"v.{column_.name}"
