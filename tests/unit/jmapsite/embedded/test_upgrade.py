"""A data directory of PostgreSQL 16, made by its own programs, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jmapsite.embedded import POSTGRESQL, EmbeddedServerError, Holder, Layout, postgresql
from jmapsite.embedded.server_user import check_reach, make_var_dir, private_directory, server_user
from jmapsite.embedded.upgrade import upgrade
from tests.support.directories import new_var_dir


@pytest.fixture
def old_var_dir() -> Iterator[Path]:
    """A VAR_DIR with a database of PostgreSQL 16 that has one table with one row."""
    with new_var_dir() as var_dir:
        layout = Layout(var_dir)
        user = server_user(layout)
        make_var_dir(layout)
        check_reach(layout, user)
        private_directory(layout.sockets, user)
        binaries = postgresql.find_binaries(layout, user, 16)
        postgresql.create_data_directory(layout.data(POSTGRESQL), binaries, user)
        with postgresql.temporary_server(layout, binaries, user, 30):
            postgresql.create_roles(layout, binaries, user)
            with connect(var_dir) as owner:
                owner.execute("CREATE TABLE kept (word text)")
                owner.execute("INSERT INTO kept VALUES ('mail')")
        yield var_dir


def connect(var_dir: Path) -> psycopg.Connection[Any]:
    """A connection of the owner to the database of a VAR_DIR."""
    sockets = str(Layout(var_dir).sockets)
    return psycopg.connect(host=sockets, user=postgresql.OWNER, dbname=postgresql.DATABASE)


def test_an_older_data_directory_is_refused_with_the_way_out() -> None:
    with new_var_dir() as var_dir:
        data = Layout(var_dir).data(POSTGRESQL)
        private_directory(data, server_user(Layout(var_dir)))
        (data / "PG_VERSION").write_text("16\n", "ascii")
        with pytest.raises(EmbeddedServerError) as refusal, Holder(var_dir, [POSTGRESQL]):
            pass
    assert str(refusal.value) == (
        f"The data in {var_dir}/postgresql were written by PostgreSQL 16, and this is PostgreSQL 18. "
        "Upgrade them with: make upgrade-db"
    )


def test_upgrade_keeps_data_and_roles(old_var_dir: Path) -> None:
    said: list[str] = []
    upgrade(old_var_dir, said.append)
    with Holder(old_var_dir, [POSTGRESQL]), connect(old_var_dir) as owner:
        version = owner.info.server_version // 10_000
        roles = owner.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'jmap%' ORDER BY 1").fetchall()
        rows = owner.execute("SELECT word FROM kept").fetchall()
    assert (version, roles, rows) == (18, [("jmap_owner",), ("jmap_web",)], [("mail",)])
    assert (
        said[-1]
        == f"Done. The old data are in {old_var_dir}/postgresql.16; remove them when you are content."
    )


def test_nothing_to_upgrade_is_said() -> None:
    with new_var_dir() as var_dir, pytest.raises(EmbeddedServerError) as refusal:
        upgrade(var_dir, print)
    assert str(refusal.value) == f"There is no database in {var_dir} yet: nothing to upgrade."


def test_a_database_in_use_is_not_upgraded() -> None:
    with (
        new_var_dir() as var_dir,
        Holder(var_dir, [POSTGRESQL], durable=False),
        pytest.raises(EmbeddedServerError) as refusal,
    ):
        upgrade(var_dir, print)
    assert str(refusal.value) == f"The database in {var_dir} is in use. Stop what uses it first."
