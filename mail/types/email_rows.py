"""A query as SQL: the table that is read, what is joined, and the statements that give rows, their number and their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jmapcore.store.query import FilterNode, Operator

Fragment = tuple[str, list[Any]]
"""A piece of SQL and its parameters."""

THREADS_OF_RESULTS = "threads of results"
"""Under which `Reading.kept` has the Threads of the Emails that a query gave: email id → thread id."""


@dataclass(frozen=True, slots=True)
class Source:
    """The table that is read in order, and what its columns are called."""

    sql: str
    condition: Fragment
    id: str
    thread: str
    received: str
    parameters: tuple[Any, ...] = ()
    """Those in `sql`."""
    collapsed: bool = False
    """Each Thread has one row."""
    is_ordered: bool = True
    """The rows come from an index by receivedAt of what the condition says."""
    is_read_whole: bool = False
    """All rows are read before the first one is known: how many they are comes for nothing."""


@dataclass
class Selection:
    """A query as SQL; `count` counts its rows, `total` is a statement that gives the number of results where one exists."""

    source: Source
    joins: list[Fragment] = field(default_factory=list)
    conditions: list[Fragment] = field(default_factory=list)
    order: list[Fragment] = field(default_factory=list)
    keys: list[Fragment] = field(default_factory=list)
    """What Python sorts by; none where the order of the rows is the order of the results."""
    total: tuple[str, Sequence[Any]] | None = None

    def rows(
        self, limit: int | None = None, offset: int = 0, *, counted: bool = False
    ) -> tuple[str, list[Any]]:
        """The statement of (email id, thread id, keys …) in order; `counted` adds the number of all rows to each."""
        columns: list[Fragment] = [(self.source.id, []), (self.source.thread, []), *self.keys]
        columns += [("count(*) OVER ()", [])] if counted else []
        sql, parameters = self._from(columns)
        sql += " ORDER BY " + ", ".join(text for text, _ in self.order)
        parameters += [value for _, values in self.order for value in values]
        if limit is not None:
            sql += " LIMIT %s OFFSET %s"
            parameters += [limit, offset]
        return sql, parameters

    def count(self) -> tuple[str, list[Any]]:
        """The statement that counts the rows."""
        return self._from([("count(*)", [])])

    def positions(self, account_id: int, ids: Sequence[int]) -> tuple[str, list[Any]] | None:
        """The statement of (rows before it, email id) for those of the Emails that are among the rows.

        Counted along the index that the rows come from; None where the rows are not those of an index alone.
        """
        source = self.source
        if self.joins or self.conditions or self.keys or not source.is_ordered:
            return None
        alias = source.id.partition(".")[0]

        def of_another(text: str) -> str:
            return text.replace(f"{alias}.", "b.")

        sql = f"""
            SELECT (SELECT count(*) FROM {source.sql.partition(" ")[0]} AS b WHERE {of_another(source.condition[0])}
                AND ({of_another(source.received)}, {of_another(source.id)}) > ({source.received}, {source.id})), {source.id}
            FROM email AS e JOIN {source.sql} ON {source.condition[0]} AND {source.id} = e.id
                AND {source.thread} = e.thread_id AND {source.received} = e.received_at
            WHERE e.account_id = %s AND e.id = ANY(%b::int[]) ORDER BY 1"""  # noqa: S608  # our own names
        return sql, [*source.condition[1], *source.condition[1], account_id, list(ids)]

    def _from(self, columns: Sequence[Fragment]) -> tuple[str, list[Any]]:
        conditions = [self.source.condition, *self.conditions]
        sql = f"SELECT {', '.join(text for text, _ in columns)} FROM {self.source.sql}"  # noqa: S608  # our own names
        sql += "".join(text for text, _ in self.joins)
        sql += " WHERE " + " AND ".join(text for text, _ in conditions)
        parameters = [value for _, values in columns for value in values]
        parameters += self.source.parameters
        return sql, parameters + [value for _, values in [*self.joins, *conditions] for value in values]


def conjuncts(node: FilterNode | None) -> Iterator[FilterNode]:
    """The parts of a filter that must all be true."""
    if isinstance(node, Operator) and node.operator == "AND":
        for condition in node.conditions:
            yield from conjuncts(condition)
    elif node is not None:
        yield node
