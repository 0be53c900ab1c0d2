"""A condition of a request that is checked in the round trip of its first statements: that its credential is still good.

`awaiting` says which condition the present thread's request waits for. The first statements that only read, or begin a
transaction, take it along (`PreparedPipeline.run`), and their rows reach nobody unless it holds. Whatever else borrows a
connection has it checked first (`pool.connection`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from jmapcore.protocol.errors import RequestError

Statement = tuple[str, Sequence[Any]]


class Condition(Protocol):
    """What must hold: a statement that reads, and whether its rows are as expected."""

    statement: Statement

    def holds(self, rows: list[tuple[Any, ...]]) -> bool:
        """Whether these rows are as expected."""


class NotConfirmedError(RequestError):
    """The condition does not hold: nothing was written, and nothing that was read may be used."""

    status = 401


class _Awaiting(threading.local):
    condition: Condition | None = None


awaiting = _Awaiting()


@lru_cache(maxsize=2_000)
def _first_word(sql: str) -> str:
    return sql.split(None, 1)[0]


def place_among(statements: Sequence[Statement]) -> int | None:
    """Where among these statements the condition's goes: before what reads, but inside of a transaction that they begin.

    None where one may write: it must not run before the rows of the condition were seen.
    """
    if statements and statements[0][0].startswith("BEGIN"):
        # A transaction's isolation cannot be chosen after its first query; and nothing in it is done before its COMMIT.
        return 1
    if all(_first_word(sql) == "SELECT" for sql, _ in statements):
        return 0
    return None
