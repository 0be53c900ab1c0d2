"""Servers held by several processes at once: started by the first, stopped after the last."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from jmapsite.embedded import POSTGRESQL, REDIS, EmbeddedServerError, Holder, Layout, postgresql
from jmapsite.embedded.locks import is_held
from jmapsite.embedded.server_user import ServerUser, out_of_reach, server_user
from tests.support.directories import new_var_dir


@pytest.fixture(scope="module")
def var_dir() -> Iterator[Path]:
    """A VAR_DIR of this module."""
    with new_var_dir() as path:
        yield path


def started_at(var_dir: Path) -> object:
    """When the server of a VAR_DIR was started: tells whether it is the same one as before."""
    with psycopg.connect(host=str(Layout(var_dir).sockets), user=postgresql.WEB, dbname="jmapsite") as web:
        row = web.execute("SELECT pg_postmaster_start_time()").fetchone()
    assert row is not None
    return row[0]


def test_the_last_holder_stops_the_server(var_dir: Path) -> None:
    first, second = Holder(var_dir, [POSTGRESQL], durable=False), Holder(var_dir, [POSTGRESQL], durable=False)
    with first:
        before = started_at(var_dir)
        with second:
            assert started_at(var_dir) == before
        assert started_at(var_dir) == before
        assert first.lost() is None
    assert not is_held(Layout(var_dir).lock(POSTGRESQL, "keeper"))
    assert not Layout(var_dir).postgresql_socket.exists()


def test_data_and_sockets_are_closed_to_others(var_dir: Path) -> None:
    layout = Layout(var_dir)
    with Holder(var_dir, [POSTGRESQL, REDIS], durable=False):
        modes = [
            stat.S_IMODE(path.stat().st_mode)
            for path in (layout.data(POSTGRESQL), layout.data(REDIS), layout.sockets)
        ]
        owners = {
            path.stat().st_uid for path in (layout.data(POSTGRESQL), layout.data(REDIS), layout.sockets)
        }
    assert modes == [0o700, 0o700, 0o700]
    assert owners == {server_user(layout).user_id}


def test_the_server_listens_on_its_socket_alone_and_writes_through(var_dir: Path) -> None:
    with (
        Holder(var_dir, [POSTGRESQL]),
        psycopg.connect(host=str(Layout(var_dir).sockets), user=postgresql.WEB, dbname="jmapsite") as web,
    ):
        rows = web.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN "
            "('listen_addresses', 'fsync', 'synchronous_commit', 'gin_pending_list_limit') ORDER BY name"
        ).fetchall()
    assert rows == [
        ("fsync", "on"), ("gin_pending_list_limit", "128"), ("listen_addresses", ""), ("synchronous_commit", "on"),
    ]  # fmt: skip


def test_roles_are_restricted_and_the_superuser_is_another(var_dir: Path) -> None:
    with (
        Holder(var_dir, [POSTGRESQL], durable=False),
        psycopg.connect(host=str(Layout(var_dir).sockets), user=postgresql.WEB, dbname="jmapsite") as web,
    ):
        rows = web.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, oid >= 16384 FROM pg_roles "
            "WHERE rolname LIKE 'jmap%' ORDER BY rolname"
        ).fetchall()
    assert rows == [("jmap_owner", False, False, True, True), ("jmap_web", False, False, False, True)]


def test_a_stale_lock_file_of_another_process_does_not_stop_the_start(var_dir: Path) -> None:
    with Holder(var_dir, [POSTGRESQL], durable=False):
        lock_file = Layout(var_dir).data(POSTGRESQL) / "postmaster.pid"
    lock_file.write_text("1\n/nowhere\n", "ascii")  # process 1 lives and is no PostgreSQL
    with Holder(var_dir, [POSTGRESQL], durable=False):
        assert started_at(var_dir) is not None


def test_sockets_of_a_long_var_dir_lie_in_a_short_place() -> None:
    layout = Layout(Path("/" + "long/" * 30))
    assert layout.sockets.parent == Path("/tmp")  # noqa: S108
    assert Layout(Path("/srv/var")).sockets == Path("/srv/var/run")
    assert Layout(Path("/" + "Long/" * 30)).sockets != layout.sockets


def test_the_directory_that_closes_the_way_is_named(tmp_path: Path) -> None:
    stranger = ServerUser(user_id=64_123, group_id=64_123, name="stranger")
    closed = tmp_path / "closed"
    (closed / "inside").mkdir(parents=True)
    for directory in [tmp_path, *tmp_path.parents]:
        if not directory.stat().st_mode & stat.S_IXOTH:
            assert out_of_reach(closed / "inside", stranger) is not None
            break
    closed.chmod(0o700)
    found = out_of_reach(closed / "inside", stranger)
    assert found is not None
    assert closed.is_relative_to(found)


def test_something_else_in_the_place_of_the_socket_directory_is_refused() -> None:
    with new_var_dir() as var_dir:
        sockets = Layout(var_dir).sockets
        sockets.write_text("in the way")
        with pytest.raises(EmbeddedServerError) as refusal, Holder(var_dir, [POSTGRESQL], durable=False):
            pass
    assert str(refusal.value) == f"{sockets} must be a directory."
