"""The one way to read tenant data: prepared statements, several in one round trip, each segment bound to one account.

The ORM defines the schema and serves the admin and provisioning; what is asked for a thousand times a second goes through
`connection()` and `read()`. `jmap.account` names the account of a segment; row-level security shows the rows of that one alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from django.db import connection as orm_connection

from jmapcore.store.pool import (
    Connection,
    close_pool,
    connection,
    connection_string,
    unconfirmed_connection,
)
from jmapcore.store.prepared import Result, Row, Statement, prepared_pipeline, runs_prepared

__all__ = [
    "SET_ACCOUNT", "Connection", "Result", "Row", "Statement", "close_pool", "connection", "connection_string",
    "django_connection", "execute", "read", "run", "unconfirmed_connection",
]  # fmt: skip

SET_ACCOUNT = "SELECT set_config('jmap.account', %s, true)"


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
