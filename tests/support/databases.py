"""Databases for tests: migrated once per state of the migrations, then copied for each process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from jmapcore.store.database import close_pool
from jmapsite.owner_databases import close_connections, connect, point_to, run_named

# One number for all who make test databases on the same server.
ADVISORY_LOCK = 6_822_000_113
PREFIX = "test_"
IMPORTED_BY_MIGRATIONS = {"roles.py", "policies.py"}


@contextmanager
def session_database() -> Iterator[str]:
    """Point DATABASES at a new copy of the migrated template, and drop the copy at the end;

    gives its name.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    original = settings.DATABASES["owner"]["NAME"]
    with connect() as maintenance:
        base = f"{PREFIX}{original}"
        name = f"{base}_{worker}_{os.getpid()}"
        maintenance.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        try:
            template = _template(maintenance, f"{base}_template")
            _drop_forgotten(maintenance, base, template)
            run_named(maintenance, "CREATE DATABASE {} TEMPLATE {}", name, template)
            # Whoever looks for forgotten databases sees by this connection that this one is in use.
            holding = connect(name)
        finally:
            maintenance.execute("SELECT pg_advisory_unlock(%s)", (ADVISORY_LOCK,))
        try:
            point_to(name)
            yield name
        finally:
            holding.close()
            point_to(original)
            # Without FORCE: the owner role may not end an autovacuum worker, and a plain DROP sees to that itself.
            run_named(maintenance, "DROP DATABASE {}", name)


def _template(maintenance: psycopg.Connection[Any], base: str) -> str:
    """The name of a database with all migrations of this source applied; made where it is missing."""
    name = f"{base}_{_migrations_fingerprint()}"
    if not _names(maintenance, name):
        part = f"{name}_part"
        run_named(maintenance, "DROP DATABASE IF EXISTS {} WITH (FORCE)", part)
        run_named(maintenance, "CREATE DATABASE {}", part)
        point_to(part)
        call_command("migrate", database="owner", verbosity=0)
        close_connections()
        run_named(maintenance, "ALTER DATABASE {} RENAME TO {}", part, name)
    return name


def _migrations_fingerprint() -> str:
    """Changes whenever a migration, or what migrations import, changes."""
    digest = hashlib.sha256()
    for configuration in sorted(apps.get_app_configs(), key=lambda configuration: configuration.name):
        root = Path(configuration.path)
        if not root.is_relative_to(settings.BASE_DIR):
            continue
        for path in sorted(root.rglob("*.py")):
            if "migrations" in path.parts or path.name in IMPORTED_BY_MIGRATIONS:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _drop_forgotten(maintenance: psycopg.Connection[Any], base: str, template: str) -> None:
    """Drop what killed sessions and older states of the migrations have left."""
    in_use = {
        row[0]
        for row in maintenance.execute(
            "SELECT DISTINCT datname FROM pg_stat_activity WHERE datname IS NOT NULL"
        )
    }
    for name in _names(maintenance, f"{base}\\_%"):
        if name != template and name not in in_use:
            run_named(maintenance, "DROP DATABASE IF EXISTS {}", name)


def _names(maintenance: psycopg.Connection[Any], pattern: str) -> list[str]:
    found = maintenance.execute(
        "SELECT datname FROM pg_database WHERE datname LIKE %s AND pg_has_role(datdba, 'MEMBER')", (pattern,)
    )
    return [row[0] for row in found]


@contextmanager
def postgresql_away() -> Iterator[None]:
    """Let the pool of this process look for PostgreSQL where there is none."""
    default, seconds = settings.DATABASES["default"], settings.JMAP_POOL_TIMEOUT_SECONDS
    host = default["HOST"]
    close_pool()
    default["HOST"], settings.JMAP_POOL_TIMEOUT_SECONDS = "/nowhere", 0.2
    try:
        yield
    finally:
        close_pool()
        default["HOST"], settings.JMAP_POOL_TIMEOUT_SECONDS = host, seconds
