"""Reading an account for one method call: the states first, then the rows (never the other way round)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jmapcore.store.database import SET_ACCOUNT, Connection, run
from jmapcore.store.prepared import Row, Statement
from jmapcore.store.states import TypeMark, marks, states_statement
from jmapcore.store.write import UnknownAccountError

if TYPE_CHECKING:
    from accounts.access import AccountAccess, Caller


SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

Marks = dict[int, tuple[str, dict[str, TypeMark], dict[object, Any]]]
"""By account: its epoch, where its types stand, and what was kept of it."""


_MOST_SEEN = 10_000
_NOTHING: dict[str, int] = {}
_seen: dict[int, dict[str, int]] = {}
"""By account: where this process last saw its types. Nothing is answered from it."""


def _note(account_id: int, found: dict[str, TypeMark]) -> None:
    if len(_seen) >= _MOST_SEEN:
        _seen.clear()
    _seen[account_id] = {type_name: mark.modseq for type_name, mark in found.items()}


class Reading:
    """The statements of one method call on one account; the first round trip brings the states of its types along.

    `known` are the states that an earlier call of the same request has read, where nothing was written since: they are older than
    the rows, as they must be. `caller` is None where no request is read for, and `using` then empty.
    """

    def __init__(
        self,
        connection: Connection,
        access: AccountAccess,
        known: Marks | None = None,
        caller: Caller | None = None,
        using: frozenset[str] = frozenset(),
    ) -> None:
        self.connection = connection
        self.caller = caller
        self.using = using
        self.access = access
        self.account_id = access.account_id
        self._known = known if known is not None else {}
        self._begin: list[Statement] = []
        self._is_open = False
        self._is_over = False

    def run(self, *statements: Statement) -> list[list[Row]]:
        """Run statements in one round trip; the rows of each. The states are those before the first of them."""
        if self._is_over:
            raise RuntimeError("the snapshot has ended")
        begin, self._begin = self._begin, []
        setting = (SET_ACCOUNT, (str(self.account_id),))
        if self.account_id in self._known:
            results = run(self.connection, *begin, setting, *statements)
            return [result.fetchall() for result in results[len(begin) + 1 :]]
        states = states_statement(self.account_id)
        results = run(self.connection, *begin, setting, states, *statements)
        epoch, found = marks(results[len(begin) + 1].fetchall())
        if not epoch:
            raise UnknownAccountError(f"account {self.account_id} has no state row")
        self._known[self.account_id] = epoch, found, {}
        _note(self.account_id, found)
        return [result.fetchall() for result in results[len(begin) + 2 :]]

    def run_last(self, *statements: Statement) -> list[list[Row]]:
        """As `run`, for what is read last within `snapshot`, which ends in the same round trip."""
        if not self._is_open:
            return self.run(*statements)
        *rows, _ = self.run(*statements, ("ROLLBACK", ()))
        self._is_open, self._is_over = False, True
        return rows

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within the block every statement sees the same moment, the states included (indexes into results depend on it)."""
        self._known = {}
        self._begin = [(SNAPSHOT, ())]
        self._is_open = True
        try:
            yield
        finally:
            if self._is_open and not self._begin:
                run(self.connection, ("ROLLBACK", ()))
            self._begin = []
            self._is_open = self._is_over = False

    @property
    def kept(self) -> dict[object, Any]:
        """What a call read of the account that later calls of the same request may answer from, by keys of its type's own.

        It is at least as new as the states that are known, and forgotten with them: by the first call that may write.
        """
        known = self._known.get(self.account_id)
        return {} if known is None else known[2]

    def has_moved(self, type_name: str, number: int) -> bool:
        """Whether this process saw a type beyond a number, and its state is still to be read: a guess, for what to read along."""
        if self.account_id in self._known:
            return False
        return _seen.get(self.account_id, _NOTHING).get(type_name, 0) > number

    def mark(self, type_name: str) -> TypeMark:
        """Where a type stood before the first statement."""
        if self.account_id not in self._known:
            self.run()
        epoch, found, _ = self._known[self.account_id]
        return found.get(type_name) or TypeMark(epoch, 0, 0)
