"""The databases of the benchmark: a seeded one for each size, which every run copies, works on and drops."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from jmapsite.owner_databases import close_connections, connect, point_to, run_named
from mail.fragments import FORMAT

SOURCE = Path(__file__).resolve().parent.parent
IMPORTED_BY_MIGRATIONS = ("accounts/roles.py", "jmapcore/store/policies.py")
SEEDED_BY = ("bench/letters.py", "bench/cloning.py", "bench/seeding.py")


def fingerprint() -> str:
    """Changes whenever a migration does, what a message is stored as, or what is seeded."""
    digest = hashlib.sha256(f"format {FORMAT}".encode())
    migrations = sorted(path.relative_to(SOURCE) for path in SOURCE.glob("*/migrations/*.py"))
    for path in (*migrations, *map(Path, IMPORTED_BY_MIGRATIONS + SEEDED_BY)):
        digest.update((SOURCE / path).read_bytes())
    return digest.hexdigest()[:12]


def seed_name(messages: int, seed: int) -> str:
    """The name of the database with an account of that size."""
    return f"seed_{messages}_{seed}_{fingerprint()}"


def exists(name: str) -> bool:
    """Whether the server has a database of this name."""
    with connect() as maintenance:
        return (
            maintenance.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            is not None
        )


def drop_stale(messages: int, seed: int) -> None:
    """Drop accounts of that size that were seeded for migrations or formats of before."""
    pattern = f"seed\\_{messages}\\_{seed}\\_%"
    with connect() as maintenance:
        found = maintenance.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", (pattern,)
        ).fetchall()
        for (name,) in found:
            if name != seed_name(messages, seed):
                run_named(maintenance, "DROP DATABASE IF EXISTS {}", name)


def create(name: str) -> None:
    """An empty database, in place of one that was left half made."""
    with connect() as maintenance:
        run_named(maintenance, "DROP DATABASE IF EXISTS {}", name)
        run_named(maintenance, "CREATE DATABASE {}", name)


def rename(name: str, new_name: str) -> None:
    """Give a database that nobody is connected to another name."""
    with connect() as maintenance:
        run_named(maintenance, "ALTER DATABASE {} RENAME TO {}", name, new_name)


def drop(name: str) -> None:
    """Drop a database that nobody is connected to."""
    with connect() as maintenance:
        run_named(maintenance, "DROP DATABASE IF EXISTS {}", name)


@contextmanager
def working_copy(name: str, copy: str) -> Iterator[None]:
    """A copy of a seeded database for one run, statistics and all, and settings that point to it."""
    with connect() as maintenance:
        run_named(maintenance, "DROP DATABASE IF EXISTS {}", copy)
        # Copying files is several times faster than going through the log, and leaves the copy flushed.
        run_named(maintenance, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", copy, name)
    point_to(copy)
    try:
        yield
    finally:
        close_connections()
        drop(copy)


def analyse() -> None:
    """Bring visibility maps and statistics up to date, so that no vacuum begins while something is measured."""
    owner = connect(settings.DATABASES["owner"]["NAME"])
    with owner:
        tables = owner.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (table,) in tables:
            run_named(owner, "VACUUM (ANALYZE) {}", table)
