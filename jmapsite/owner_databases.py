"""Databases that the owner role makes, hands out and drops: those of the tests and of the benchmarks."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from jmapcore.store.database import close_pool


def connect(name: str = "postgres") -> psycopg.Connection[Any]:
    """A connection of the owner, outside Django: databases are neither made nor dropped in a transaction."""
    owner = settings.DATABASES["owner"]
    parameters: dict[str, Any] = {
        "user": owner["USER"],
        "password": owner["PASSWORD"],
        "host": owner["HOST"],
        "port": owner["PORT"],
    }
    given = {key: value for key, value in parameters.items() if value}
    return psycopg.connect(dbname=name, autocommit=True, **given)


def run_named(connection: psycopg.Connection[Any], statement: Any, *names: str) -> None:
    """Run a statement with a name of a database or a table for each `{}` in it."""
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def point_to(name: str) -> None:
    """Make both entries of DATABASES, and what already read them, use the database of this name."""
    close_connections()
    for alias in ("default", "owner"):
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def close_connections() -> None:
    """Close every connection of this process."""
    close_pool()
    connections.close_all()
