"""Reading an account for one method call: the states first, then the rows (never the other way round)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jmapcore.store.database import Connection, execute, read
from jmapcore.store.prepared import Row, Statement
from jmapcore.store.states import TypeMark, marks, states_statement
from jmapcore.store.write import UnknownAccountError

if TYPE_CHECKING:
    from accounts.access import AccountAccess


class Reading:
    """The statements of one method call on one account; the first round trip brings the states of its types along."""

    def __init__(self, connection: Connection, access: AccountAccess) -> None:
        self.connection = connection
        self.access = access
        self.account_id = access.account_id
        self._epoch: str | None = None
        self._marks: dict[str, TypeMark] = {}

    def run(self, *statements: Statement) -> list[list[Row]]:
        """Run statements in one round trip; the rows of each. The states are those before the first of them."""
        if self._epoch is not None:
            return read(self.connection, self.account_id, *statements)
        states, *results = read(
            self.connection, self.account_id, states_statement(self.account_id), *statements
        )
        self._epoch, self._marks = marks(states)
        if not self._epoch:
            raise UnknownAccountError(f"account {self.account_id} has no state row")
        return results

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within the block every statement sees the same moment, the states included (indexes into results depend on it)."""
        execute(self.connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            execute(self.connection, "ROLLBACK")

    def mark(self, type_name: str) -> TypeMark:
        """Where a type stood before the first statement."""
        if self._epoch is None:
            self.run()
        return self._marks.get(type_name) or TypeMark(self._epoch or "", 0, 0)
