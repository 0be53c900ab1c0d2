"""The pool of the JMAP path: a few raw psycopg connections of the restricted role, apart from the ORM's."""

from __future__ import annotations

import atexit
import select
import threading
import time
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from django.conf import settings
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from psycopg_pool import ConnectionPool

from jmapcore.store.confirmation import awaiting
from jmapcore.store.prepared import Row, prepared_pipeline, runs_prepared

Connection = psycopg.Connection[Row]


class PooledConnection(psycopg.Connection[Row]):
    """A connection of the pool: `execute(…, prepare=True)` takes the short way for those who know only psycopg (the gate)."""

    def execute(  # type: ignore[override]  # as in psycopg, with fewer kinds of queries
        self,
        query: str,
        params: Sequence[Any] | None = None,
        *,
        prepare: bool | None = None,
        binary: bool = False,
    ) -> psycopg.Cursor[Row]:
        """Run one statement; its result has what is used of a cursor."""
        if prepare and runs_prepared(self):
            return cast("psycopg.Cursor[Row]", prepared_pipeline(self).run([(query, params or ())])[0])
        return super().execute(query, params, prepare=prepare, binary=binary)


PLANNER = ("plan_cache_mode=force_generic_plan", "enable_seqscan=off", "random_page_cost=1.1", "jit=off")
"""How statements of the JMAP path are planned: once (one with an array would be planned anew each time, which costs more than
running it), and along an index, since a young account's statistics, or none, make the planner read whole tables."""


_lock = threading.Lock()
_pool: ConnectionPool[Connection] | None = None


def connection_string() -> str:
    """The libpq connection string of the restricted role, from `DATABASES["default"]`."""
    database = settings.DATABASES["default"]
    parameters = {
        "dbname": database["NAME"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "host": database["HOST"],
        "port": database["PORT"],
    }
    options = {
        key: value
        for key, value in database.get("OPTIONS", {}).items()
        if key not in {"pool", "server_side_binding", "isolation_level", "assume_role"}
    }
    options["options"] = " ".join([options.get("options", ""), *(f"-c {name}" for name in PLANNER)]).strip()
    return psycopg.conninfo.make_conninfo(
        **{key: str(value) for key, value in {**parameters, **options}.items() if value not in ("", None)}
    )


def _configure(connection: Connection) -> None:
    # One type for every integer. By default it follows the value: each type is a prepared statement more, and an array that was
    # prepared with small numbers refuses larger ones.
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    connection.prepare_threshold = None


def _open_pool() -> ConnectionPool[Connection]:
    global _pool
    with _lock:
        if _pool is None:  # another thread may have been quicker
            _pool = ConnectionPool(
                connection_string(),
                connection_class=PooledConnection,
                kwargs={"autocommit": True},
                configure=_configure,
                min_size=1,
                max_size=settings.JMAP_POOL_SIZE,
                timeout=settings.JMAP_POOL_TIMEOUT_SECONDS,
                max_idle=300,
                name="jmap",
                open=True,
            )
        return _pool


class _Kept:
    """A connection between two requests, and until when it is kept out of the pool."""

    __slots__ = ("connection", "poll", "until")

    def __init__(self, lent: Connection) -> None:
        self.connection = lent
        self.poll = select.poll()
        self.poll.register(lent.pgconn.socket, select.POLLIN)
        self.until = time.monotonic() + KEPT_SECONDS

    @property
    def is_usable(self) -> bool:
        """Not what the server has spoken to unasked: it has ended the connection."""
        return not self.poll.poll(0)


KEPT_SECONDS = 300
"""After this a connection goes back to the pool, which replaces old ones."""

_kept: list[_Kept] = []
"""Connections used a moment ago, the latest last: its caches, here and in PostgreSQL, are warm. The pool would take turns."""


class connection:  # noqa: N801  # used as a function is: with connection() as lent
    """Lend a pooled autocommit connection of the restricted role for the length of the block.

    Raises `psycopg_pool.PoolTimeout` where none becomes free in time, `psycopg.OperationalError` where PostgreSQL is away,
    `NotConfirmedError` where a condition that this thread's request waits for does not hold.
    """

    __slots__ = ("_kept", "_pool")

    def __enter__(self) -> Connection:
        lent = self.lend()
        if awaiting.condition is not None:
            try:
                prepared_pipeline(lent).run(())
            except BaseException:
                self.__exit__()
                raise
        return lent

    def lend(self) -> Connection:
        """Lend a connection, whatever is waited for."""
        self._pool = _pool if _pool is not None else _open_pool()
        while _kept:
            try:
                kept = _kept.pop()
            except IndexError:  # another thread was quicker
                break
            if kept.is_usable and kept.until > time.monotonic():
                self._kept = kept
                return kept.connection
            _give_back(self._pool, kept)
        self._kept = _Kept(self._pool.getconn())
        return self._kept.connection

    def __exit__(self, *problem: object) -> None:
        pgconn = self._kept.connection.pgconn
        is_idle = pgconn.transaction_status == TransactionStatus.IDLE
        if is_idle and self._pool is _pool and len(_kept) < settings.JMAP_CONCURRENT_CALLS:
            _kept.append(self._kept)
        else:
            self._pool.putconn(self._kept.connection)


class unconfirmed_connection(connection):  # noqa: N801  # as its base class
    """As `connection`, for those whose first statements go through `database.run`: they take the condition along."""

    __slots__ = ()

    def __enter__(self) -> Connection:
        return self.lend()


def _give_back(pool: ConnectionPool[Connection], kept: _Kept) -> None:
    if not kept.is_usable:
        kept.connection.close()
    pool.putconn(kept.connection)


@atexit.register
def close_pool() -> None:
    """Close the pool, as a process ends, forks or changes its database."""
    global _pool
    with _lock:
        if _pool is not None:
            while _kept:
                _pool.putconn(_kept.pop().connection)
            _pool.close()
            _pool = None
