"""The one write path: the data of an account is written inside `account_write`, and nowhere else.

The block locks the account's state row, tells the database that this account is being written (`jmap.writing`, which the
row-level security policies demand), gives every recorded change a modification sequence number of its own, and appends the
changes to the account's log as it ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from psycopg.pq import TransactionStatus

from jmapcore.store.database import Connection, run
from jmapcore.store.prepared import Result, Row, Statement
from jmapcore.store.rows import Insertion
from jmapcore.store.states import TypeMark, marks, states_statement
from jmapcore.store.usage import QUOTA, Usage

logger = logging.getLogger("jmapcore.write")

CREATED, UPDATED, VOLATILE, DESTROYED = "c", "u", "v", "d"
"""Operations of the change log; `v` is an update of a type's volatile properties alone (Mailbox counts, RFC 8621 §2.2)."""

SET_WRITING = "SELECT set_config('jmap.account', %s, true), set_config('jmap.writing', %s, true)"
LOCK_STATE = """
    SELECT s.modseq, s.next_id, s.epoch, s.used_octets, s.used_objects, s.octets_limit, s.objects_limit, s.octets_soft,
        s.objects_soft, coalesce((SELECT h.level FROM account_held AS h WHERE h.account_id = %s), 0)
    FROM account_state AS s WHERE s.account_id = %s FOR UPDATE OF s"""
SAVE_STATE = """
    UPDATE account_state SET modseq = %s, next_id = %s, used_octets = %s, used_objects = %s WHERE account_id = %s"""
SAVE_TYPES = Insertion(
    "type_state",
    {"type": "text", "modseq": "bigint", "floor": "bigint"},
    conflict="ON CONFLICT (account_id, type) DO UPDATE SET modseq = excluded.modseq",
)
APPEND_LOG = Insertion(
    "change_log", {"type": "text", "modseq": "bigint", "object": "int", "operation": "text"}
)

writing_account: ContextVar[int | None] = ContextVar("writing_account", default=None)
"""The account whose write block is open in this context; tracked models refuse to be written where there is none."""

after_commit: list[Callable[[int, dict[str, int]], None]] = []
"""Told, after the commit, which types of which account have which new modification sequence number (push listens)."""


class UnknownAccountError(LookupError):
    """The account has no state row: it does not exist, or is being deleted."""


class AccountWrite:
    """An open write of one account; made by `account_write` alone."""

    def __init__(
        self,
        account_id: int,
        connection: Connection,
        modseq: int,
        next_id: int,
        epoch: str,
        marks: dict[str, TypeMark],
        usage: Usage,
    ) -> None:
        self.account_id = account_id
        self.epoch = epoch
        self.marks = marks
        """Where each type stood as the lock was taken."""
        self.connection = connection
        self.modseq = modseq
        self.first_modseq = modseq
        self._next_id = next_id
        self._first_id = next_id
        self.usage = usage
        """What the account holds, and what it may hold."""
        self._first_usage = usage.octets, usage.objects
        self._changes: list[tuple[str, int, int, str]] = []
        self._deferred: list[Statement] = []
        self.prelude: list[list[Row]] = []
        """The rows of the statements that the block was opened with; they were read under the lock."""
        self.kept: dict[object, Any] = {}
        """What a type's storage loaded under the lock and needs again as it applies the plan, by a key of its own."""
        self.on_commit: list[Callable[[], None]] = []
        """Run after the commit, where the block made the transaction; else by the caller's transaction."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Result:
        """Run one statement in this write's transaction."""
        return self._run([(sql, parameters)])[0]

    def run(self, *statements: Statement) -> list[list[Row]]:
        """Run statements in one round trip; the rows of each, in order."""
        return [result.fetchall() for result in self._run(statements)]

    def _run(self, statements: Sequence[Statement]) -> list[Result]:
        deferred, self._deferred = self._deferred, []
        return run(self.connection, *deferred, *statements)[len(deferred) :]

    def defer(self, *statements: Statement) -> None:
        """Run statements, whose rows nobody needs, with whatever comes next: at the latest with what closes the block."""
        self._deferred.extend(statements)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A savepoint: an error inside undoes what was done and recorded inside, and goes on to the caller."""
        recorded, modseq, next_id = len(self._changes), self.modseq, self._next_id
        used = self.usage.octets, self.usage.objects
        self._run([])
        try:
            with self.connection.transaction():
                yield
                self._run([])
        except BaseException:
            del self._changes[recorded:]
            self._deferred.clear()
            self.modseq, self._next_id = modseq, next_id
            self.usage.octets, self.usage.objects = used
            raise

    def new_ids(self, count: int = 1) -> range:
        """The next `count` object ids of the account; one counter serves every type."""
        first = self._next_id
        self._next_id += count
        return range(first, self._next_id)

    def use(self, octets: int, objects: int) -> None:
        """Count objects that the account gets, with their octets; negative numbers give back.

        It is saved, and recorded as a change of the account's Quotas, as the block ends. Raises `OverQuotaError` where the
        usage would grow past a limit; nothing is counted then.
        """
        self.usage.add(octets, objects)

    def _record(self, type_name: str, object_id: int, operation: str) -> int:
        self.modseq += 1
        self._changes.append((type_name, self.modseq, object_id, operation))
        return self.modseq

    def created(self, type_name: str, object_id: int) -> int:
        """Record a create; its modification sequence number."""
        return self._record(type_name, object_id, CREATED)

    def updated(self, type_name: str, object_id: int, *, volatile: bool = False) -> int:
        """Record an update, `volatile` where only the type's volatile properties changed; its number."""
        return self._record(type_name, object_id, VOLATILE if volatile else UPDATED)

    def destroyed(self, type_name: str, object_id: int) -> int:
        """Record a destroy; its modification sequence number."""
        return self._record(type_name, object_id, DESTROYED)

    def touched(self, type_name: str) -> int:
        """Advance the state of a type that has a state and no objects (EmailDelivery, RFC 8621 §1.5)."""
        return self._record(type_name, 0, UPDATED)

    def mark(self, type_name: str) -> TypeMark:
        """Where a type stood as the lock was taken (`oldState`, `ifInState`)."""
        return self.marks.get(type_name) or TypeMark(self.epoch, 0, 0)

    def new_mark(self, type_name: str) -> TypeMark:
        """Where a type will stand as the block ends (`newState`)."""
        mark = self.mark(type_name)
        return TypeMark(self.epoch, self.type_modseqs().get(type_name, mark.modseq), mark.floor)

    def type_modseqs(self) -> dict[str, int]:
        """The newest number of each type that this write changed."""
        return {type_name: modseq for type_name, modseq, _, _ in self._changes}

    def closing_statements(self) -> list[Statement]:
        """What the end of the block writes: what was deferred, the log, the states of the types, the counters."""
        statements, self._deferred = self._deferred, []
        for quota in self.usage.changed(*self._first_usage):
            self.updated(QUOTA, quota, volatile=True)
        used = self.usage.octets, self.usage.objects
        if self._changes:
            newest = [(type_name, modseq, 0) for type_name, modseq in self.type_modseqs().items()]
            statements.append(APPEND_LOG.of(self.account_id, self._changes))
            statements.append(SAVE_TYPES.of(self.account_id, newest))
        if (self.modseq, self._next_id, used) != (self.first_modseq, self._first_id, self._first_usage):
            statements.append((SAVE_STATE, (self.modseq, self._next_id, *used, self.account_id)))
        return statements


@contextmanager
def account_write(
    account_id: int, connection: Connection, prelude: Sequence[Statement] = ()
) -> Iterator[AccountWrite]:
    """Open the write of one account: locks its state row; commits at the end, rolls back on an error.

    The statements of `prelude` run under the lock in the same round trip; `write.prelude` has their rows.
    Inside a transaction of the caller's (`django_connection()` in `atomic`) the block joins it, and the caller commits.
    No parsing, blob I/O, network or sleep belongs inside. Two accounts are locked in ascending id.
    Raises `UnknownAccountError`; `psycopg.errors.LockNotAvailable` after `lock_timeout`.
    """
    joined = connection.info.transaction_status != TransactionStatus.IDLE or not connection.autocommit
    name = str(account_id)
    try:
        opening: list[Statement] = [] if joined else [("BEGIN", ())]
        opening += [(SET_WRITING, (name, name)), (LOCK_STATE, (account_id, account_id))]
        # A statement of its own: one that waited for the lock would give the states of before the wait.
        results = run(connection, *opening, states_statement(account_id), *prelude)
        locked, states, *first = results[len(opening) - 1 :]
        state = locked.fetchone()
        if state is None:
            raise UnknownAccountError(f"account {account_id} has no state row")
        modseq, next_id, epoch, *used = state
        write = AccountWrite(
            account_id, connection, modseq, next_id, epoch, marks(states.fetchall())[1], Usage(*used)
        )
        write.prelude = [result.fetchall() for result in first]
        token = writing_account.set(account_id)
        try:
            yield write
        finally:
            writing_account.reset(token)
        closing = write.closing_statements()
        run(connection, *closing, (SET_WRITING, (name, "")) if joined else ("COMMIT", ()))
    except BaseException:
        if not joined and connection.info.transaction_status != TransactionStatus.IDLE:
            connection.rollback()
        raise
    _announce(write, joined)


def _announce(write: AccountWrite, joined: bool) -> None:
    def announce() -> None:
        newest = write.type_modseqs()
        callbacks: list[Callable[[], None]] = []
        if newest:
            callbacks += [partial(listener, write.account_id, newest) for listener in after_commit]
        for callback in [*callbacks, *write.on_commit]:
            try:
                callback()
            except Exception:
                # It is committed: an error now would tell the client that nothing was changed (RFC 8620 §3.6.2).
                logger.exception("after the commit of account %d", write.account_id)

    if joined:
        from django.db import transaction

        transaction.on_commit(announce)
    else:
        announce()
