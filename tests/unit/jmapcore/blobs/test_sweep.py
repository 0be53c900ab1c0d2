"""The sweep: what nobody needs goes, what anybody needs stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from accounts.access import AccountAccess
from jmapcore.blobs.incoming import store_for
from jmapcore.blobs.storage import (
    Content,
    Octets,
    ReservationLostError,
    blob_hash,
    put_large,
    put_small,
    write_ahead,
)
from jmapcore.blobs.sweep import forget_account, sweep
from jmapcore.blobs.unreferenced import schedule
from jmapcore.protocol.errors import RequestError
from jmapcore.store import database
from jmapcore.store.database import Connection
from jmapcore.store.write import AccountWrite, account_write
from tests.support.cast import Cast
from tests.unit.jmapcore.blobs.toys import (
    access,
    age,
    body,
    download,
    files_below,
    fresh_bytes,
    hang,
    number,
    rows_of,
    take_down,
    uploaded,
)


@contextmanager
def impatient() -> Iterator[Connection]:
    """A connection that waits for a lock no longer than 50 ms."""
    with database.connection() as connection:
        connection.execute("SET lock_timeout = '50ms'")
        try:
            yield connection
        finally:
            connection.execute("RESET lock_timeout")


TABLES = ("blob", "blob_chunk", "blob_upload", "blob_sweep")


@pytest.mark.rfc("8620", "6")
def test_unreferenced_blob_goes_after_its_hour(cast: Cast) -> None:
    alice = access(cast.alice)
    wire_id = uploaded(alice, fresh_bytes(300_000))
    age(alice, wire_id, 61)
    sweep()
    assert [rows_of(alice, table, wire_id) for table in TABLES] == [[], [], [], []]


@pytest.mark.rfc("8620", "6")
def test_unreferenced_blob_stays_for_its_hour(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes()
    wire_id = uploaded(alice, data)
    age(alice, wire_id, 59)
    sweep()
    assert body(download(alice, wire_id)) == data


@pytest.mark.rfc("8620", "6")
def test_hour_counts_from_the_last_upload_of_anybody(cast: Cast) -> None:
    alice, bob, data = access(cast.alice), access(cast.alice, cast.bob), fresh_bytes()
    wire_id = uploaded(alice, data)
    age(alice, wire_id, 90)
    uploaded(bob, data)
    sweep()
    assert body(download(bob, wire_id)) == data


def test_note_that_comes_due_too_early_is_put_off(cast: Cast) -> None:
    alice = access(cast.alice)
    wire_id = uploaded(alice, fresh_bytes())
    with database.connection() as connection:
        connection.execute(
            "UPDATE blob_sweep SET due_at = now() - interval '1 day' WHERE account_id = %s",
            (alice.account_id,),
        )
    sweep()
    [note] = rows_of(alice, "blob_sweep", wire_id)
    [upload] = rows_of(alice, "blob_upload", wire_id)
    assert len(rows_of(alice, "blob", wire_id)) == 1
    assert (note[2] - upload[5]).total_seconds() == 3600


def test_blob_in_use_stays_and_is_looked_at_no_more(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes()
    wire_id = uploaded(alice, data)
    hang(alice, wire_id)
    age(alice, wire_id, 61)
    sweep()
    assert body(download(alice, wire_id)) == data
    assert rows_of(alice, "blob_sweep", wire_id) == []
    assert rows_of(alice, "blob_upload", wire_id) == []


@pytest.mark.rfc("8620", "6")
def test_blob_outlives_the_call_that_dropped_its_last_reference(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes()
    wire_id = uploaded(alice, data)
    hang(alice, wire_id)
    age(alice, wire_id, 61)
    sweep()
    take_down(alice, wire_id)
    sweep()
    assert len(rows_of(alice, "blob", wire_id)) == 1
    age(alice, wire_id, 61)
    sweep()
    assert rows_of(alice, "blob", wire_id) == []


def test_sweep_leaves_a_blob_that_was_uploaded_again_while_it_waited(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes()
    wire_id = uploaded(alice, data)
    age(alice, wire_id, 61)
    with _write_that_a_sweep_waits_for(alice) as write:
        write.execute(
            "UPDATE blob_upload SET uploaded_at = now() WHERE account_id = %s AND blob_id = %s",
            (alice.account_id, number(wire_id)),
        )
        schedule(write, [number(wire_id)])
    assert body(download(alice, wire_id)) == data


def test_sweep_leaves_a_blob_that_was_referred_to_while_it_waited(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes()
    wire_id = uploaded(alice, data)
    age(alice, wire_id, 61)
    with _write_that_a_sweep_waits_for(alice) as write:
        write.execute(
            "INSERT INTO toy_picture (account_id, id, blob_id) VALUES (%s, 1, %s)",
            (alice.account_id, number(wire_id)),
        )
    assert body(download(alice, wire_id)) == data


@contextmanager
def _write_that_a_sweep_waits_for(alice: AccountAccess) -> Iterator[AccountWrite]:
    """A write; the sweep, begun meanwhile, is at its end when the block is left."""
    with database.connection() as connection, account_write(alice.account_id, connection) as write:
        thread = threading.Thread(target=sweep)
        thread.start()
        _wait_for_a_lock_waiter()
        yield write
    thread.join()


def _wait_for_a_lock_waiter() -> None:
    """Return when some backend of this database waits for a row lock; the sweep is the one that does."""
    with database.connection() as connection:
        for _ in range(10_000):
            [waiting] = connection.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
            ).fetchone() or (0,)
            if waiting:
                return
    raise AssertionError("the sweep never waited for the account's lock")


def test_content_that_was_found_and_then_swept_is_not_entered(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes()
    wire_id = uploaded(alice, data)
    age(alice, wire_id, 61)
    sweep()
    with (
        database.connection() as connection,
        account_write(alice.account_id, connection) as write,
        pytest.raises(ReservationLostError),
    ):
        put_small(write, [Content(blob_hash(data), len(data), None)])


@pytest.mark.parametrize("size", [100, 2_000_000])
def test_upload_of_what_was_swept_is_stored_anew(cast: Cast, size: int) -> None:
    alice, data = access(cast.alice), fresh_bytes(size)
    wire_id = uploaded(alice, data)
    age(alice, wire_id, 61)
    sweep()
    again = uploaded(alice, data)
    assert again != wire_id
    assert body(download(alice, again)) == data


def test_upload_that_found_its_content_writes_it_where_the_sweep_was_faster(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes(2_000_000)
    wire_id = uploaded(alice, data)
    age(alice, wire_id, 61)
    lent = 0

    @contextmanager
    def sweeping_after_the_first() -> Iterator[Connection]:
        nonlocal lent
        with database.connection() as connection:
            yield connection
        lent += 1
        if lent == 1:
            sweep()

    octets = Octets(blob_hash(data), len(data), lambda: [data])
    again = store_for(alice.user_id, alice.account_id, octets, "", sweeping_after_the_first)
    assert f"b{again}" != wire_id
    assert body(download(alice, f"b{again}")) == data


def test_interrupted_write_is_invisible_and_is_swept(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes(2_000_000)
    content = write_ahead(alice.account_id, blob_hash(data), len(data), [data])
    wire_id = f"b{content.reserved_id}"
    with pytest.raises(RequestError):
        download(alice, wire_id)
    assert len(rows_of(alice, "blob_chunk", wire_id)) == 8
    age(alice, wire_id, 61)
    sweep()
    assert [rows_of(alice, table, wire_id) for table in TABLES] == [[], [], [], []]


def test_write_that_fails_half_way_leaves_nothing_visible(cast: Cast) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(1_500_000)
        raise OSError("the disk is gone")

    alice = access(cast.alice)
    with pytest.raises(OSError, match="disk"):
        put_large(alice.account_id, database.connection, bytes(32), 2_000_000, broken())
    with database.connection() as connection:
        [(blob_id,)] = connection.execute(
            "SELECT blob_id FROM blob_sweep WHERE account_id = %s", (alice.account_id,)
        ).fetchall()
    assert rows_of(alice, "blob", f"b{blob_id}") == []


def test_content_whose_reservation_is_over_is_not_entered(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes(2_000_000)
    content = write_ahead(alice.account_id, blob_hash(data), len(data), [data])
    age(alice, f"b{content.reserved_id}", 61)
    sweep()
    with (
        database.connection() as connection,
        pytest.raises(ReservationLostError),
        account_write(alice.account_id, connection) as write,
    ):
        put_small(write, [content])


def test_bytes_whose_deletion_was_interrupted_are_deleted_by_the_next_sweep(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes(2_000_000)
    content = write_ahead(alice.account_id, blob_hash(data), len(data), [data])
    with database.connection() as connection:
        connection.execute(
            "UPDATE blob_sweep SET doomed = true, due_at = now() WHERE account_id = %s", (alice.account_id,)
        )
    sweep()
    assert rows_of(alice, "blob_chunk", f"b{content.reserved_id}") == []
    assert rows_of(alice, "blob_sweep", f"b{content.reserved_id}") == []


def test_account_that_is_locked_holds_up_no_other(cast: Cast) -> None:
    alice, charlie = access(cast.alice), access(cast.charlie)
    locked, free = uploaded(alice, fresh_bytes()), uploaded(charlie, fresh_bytes())
    age(alice, locked, 70)
    age(charlie, free, 61)
    with database.connection() as holder, account_write(alice.account_id, holder):
        outcome = sweep(impatient)
    assert outcome["failed"] == 1
    assert rows_of(charlie, "blob", free) == []
    assert len(rows_of(alice, "blob", locked)) == 1


def test_forgotten_account_loses_its_bytes_with_the_next_sweep(cast: Cast) -> None:
    alice = access(cast.alice)
    wire_id, large = uploaded(alice, fresh_bytes()), uploaded(alice, fresh_bytes(2_000_000))
    with database.connection() as connection:
        forget_account(alice.account_id, connection)
    with pytest.raises(RequestError):
        download(alice, wire_id)
    sweep()
    assert [rows_of(alice, table, large) for table in TABLES] == [[], [], [], []]


def test_files_go_with_their_blobs(cast: Cast, tmp_path: Path) -> None:
    alice, data = access(cast.alice), fresh_bytes(300_000)
    with files_below(tmp_path):
        wire_id = uploaded(alice, data)
        [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert path.read_bytes() == data
        assert body(download(alice, wire_id, range="bytes=100-299999")) == data[100:]
        age(alice, wire_id, 61)
        sweep()
        assert not path.exists()
    assert [rows_of(alice, table, wire_id) for table in TABLES] == [[], [], [], []]
