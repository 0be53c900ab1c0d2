"""Connections for the JMAP path: a small pool of raw psycopg connections and the one way to read tenant data.

The ORM defines the schema and serves the admin and provisioning; what is asked for a thousand times a second goes through
`connection()` and `read()`: server-side prepared statements, several in one round trip (libpq pipeline mode), and every
segment bound to one account by `jmap.account`, which row-level security checks.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from django.conf import settings
from django.db import connection as orm_connection
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from psycopg_pool import ConnectionPool

from jmapcore.store.prepared import Result, Row, Statement, prepared_pipeline, runs_prepared

__all__ = [
    "SET_ACCOUNT", "Connection", "Result", "Row", "Statement", "close_pool", "connection", "connection_string",
    "django_connection", "execute", "read", "run",
]  # fmt: skip

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

SET_ACCOUNT = "SELECT set_config('jmap.account', %s, true)"

_lock = threading.Lock()
_pool: ConnectionPool[Connection] | None = None
_pool_target: str | None = None


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
    global _pool, _pool_target
    target = connection_string()
    with _lock:
        if _pool is None or _pool_target != target:
            if _pool is not None:
                _pool.close()
            _pool = ConnectionPool(
                target,
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
            _pool_target = target
        return _pool


class connection:  # noqa: N801  # used as a function is: with connection() as lent
    """Lend a pooled autocommit connection of the restricted role for the length of the block.

    Raises `psycopg_pool.PoolTimeout` where none becomes free in time, `psycopg.OperationalError` where PostgreSQL is away.
    """

    __slots__ = ("_lent", "_pool")

    def __enter__(self) -> Connection:
        self._pool = _pool if _pool is not None else _open_pool()
        self._lent = self._pool.getconn()
        return self._lent

    def __exit__(self, *problem: object) -> None:
        self._pool.putconn(self._lent)


@atexit.register
def close_pool() -> None:
    """Close the pool, as a process ends, forks or changes its database."""
    global _pool
    with _lock:
        if _pool is not None:
            _pool.close()
            _pool = None


def django_connection() -> Connection:
    """The psycopg connection behind the ORM's, to join the caller's `transaction.atomic()` block."""
    orm_connection.ensure_connection()
    return cast("Connection", orm_connection.connection)


def run(connection: Connection, *statements: Statement) -> list[Result]:
    """The results of statements that are sent in one round trip, prepared on first use.

    Outside an explicit transaction they are one of their own. Raises `psycopg.Error`.
    """
    if runs_prepared(connection):
        return prepared_pipeline(connection).run(statements)
    # The ORM's connection, which begins its transaction with its first cursor, or one in a pipeline of psycopg's.
    results = []
    for sql, parameters in statements:
        # Not connection.execute(): the ORM's connection would make a cursor that binds on the client.
        cursor = psycopg.Cursor(connection).execute(sql, parameters, binary=True)
        rows = cursor.fetchall() if cursor.description is not None else []
        results.append(Result(rows, cursor.rowcount))
    return results


def execute(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> Result:
    """The result of one prepared statement."""
    return run(connection, (sql, parameters))[0]


def read(connection: Connection, account_id: int, *statements: Statement) -> list[list[Row]]:
    """Run statements for one account in one round trip and one transaction; the rows of each, in order.

    `jmap.account` is set for this segment alone, so that row-level security shows the rows of that account and no other.
    """
    _, *results = run(connection, (SET_ACCOUNT, (str(account_id),)), *statements)
    return [result.fetchall() for result in results]
