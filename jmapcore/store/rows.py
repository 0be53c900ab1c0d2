"""Statements that add, change and drop rows of an account: a parameter for each value, or of many rows an array for each column.

Most writes touch one row of each table. Taking arrays apart costs PostgreSQL as much again as writing that row, and encoding them
costs the caller more than the values do. One text for each small number of rows is still few to prepare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jmapcore.store.prepared import Statement

FEW = 4
"""Rows that are written with a parameter for each value."""

Columns = Mapping[str, str]
"""Names and SQL types."""

Rows = Sequence[Sequence[Any]]


class Insertion:
    """Adds rows to a table.

    `columns` are what a row holds behind the account; `forms` say how a column is made of its value, `{}`; `conflict` ends the
    statement.
    """

    def __init__(
        self, table: str, columns: Columns, *, forms: Columns | None = None, conflict: str = ""
    ) -> None:
        shapes = [(forms or {}).get(name, "{}") for name in columns]
        names = ", ".join(columns)
        head = f"INSERT INTO {table} (account_id, {names})"
        row = f"(%s, {', '.join(shape.format('%s') for shape in shapes)})"
        made = ", ".join(shape.format(f"n.{name}") for name, shape in zip(columns, shapes, strict=True))
        self._few = [f"{head} VALUES {', '.join([row] * count)} {conflict}" for count in range(FEW + 1)]
        self._many = f"{head} SELECT %s, {made} FROM unnest({_arrays(columns)}) AS n ({names}) {conflict}"  # noqa: S608  # our own names

    def of(self, account_id: int, rows: Rows) -> Statement:
        """The statement that adds these rows, at least one."""
        if len(rows) > FEW:
            return self._many, (account_id, *map(list, zip(*rows, strict=True)))
        return self._few[len(rows)], [value for row in rows for value in (account_id, *row)]


class Change:
    """Changes rows of a table.

    A row is given as its values, then its keys. `forms` say how a column is made of its value, `{}`; columns of the table are
    named there as they are.
    """

    def __init__(self, table: str, values: Columns, keys: Columns, *, forms: Columns | None = None) -> None:
        shapes = {name: (forms or {}).get(name, "{}") for name in values}
        one = ", ".join(f"{name} = {shape.format('%s')}" for name, shape in shapes.items())
        more = ", ".join(f"{name} = {shape.format(_given(name))}" for name, shape in shapes.items())
        self._texts = [
            f"UPDATE {table} SET {one} WHERE {_equal(keys)}",  # noqa: S608  # our own names
            *(
                f"UPDATE {table} AS r SET {more} FROM {source} WHERE {_joined(keys)}"  # noqa: S608  # our own names
                for source in _sources({**values, **keys})
            ),
        ]

    def of(self, account_id: int, rows: Rows) -> Statement:
        """The statement that changes these rows, at least one, each once."""
        return _statement(self._texts, account_id, rows)


class Removal:
    """Drops rows of a table, which are given as their keys."""

    def __init__(self, table: str, keys: Columns) -> None:
        self._texts = [
            f"DELETE FROM {table} WHERE {_equal(keys)}",  # noqa: S608  # our own names
            *(
                f"DELETE FROM {table} AS r USING {source} WHERE {_joined(keys)}"  # noqa: S608  # our own names
                for source in _sources(keys)
            ),
        ]

    def of(self, account_id: int, rows: Rows) -> Statement:
        """The statement that drops these rows, at least one."""
        return _statement(self._texts, account_id, rows)


def _given(name: str) -> str:
    return f"n.new_{name}"


def _arrays(columns: Columns) -> str:
    return ", ".join(f"%s::{kind}[]" for kind in columns.values())


def _equal(keys: Columns) -> str:
    return " AND ".join(f"{name} = %s" for name in (*keys, "account_id"))


def _joined(keys: Columns) -> str:
    return " AND ".join([*(f"r.{name} = {_given(name)}" for name in keys), "r.account_id = %s"])


def _sources(columns: Columns) -> list[str]:
    """What rows come from: two of them, and so on up to FEW, and any number."""
    names = f"n ({', '.join(f'new_{name}' for name in columns)})"
    row = f"({', '.join(f'%s::{kind}' for kind in columns.values())})"
    few = [f"(VALUES {', '.join([row] * count)}) AS {names}" for count in range(2, FEW + 1)]
    return [*few, f"unnest({_arrays(columns)}) AS {names}"]


def _statement(texts: Sequence[str], account_id: int, rows: Rows) -> Statement:
    if len(rows) > FEW:
        return texts[-1], (*map(list, zip(*rows, strict=True)), account_id)
    return texts[len(rows) - 1], [*(value for row in rows for value in row), account_id]
