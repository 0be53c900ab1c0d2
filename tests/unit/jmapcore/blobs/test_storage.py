"""The bytes: stored once per account, read in pieces, in rows or files."""

from __future__ import annotations

import resource
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import orjson
import psycopg
import pytest

from jmapcore.blobs.backends import BlobGoneError, in_chunks
from jmapcore.blobs.storage import (
    blob_hash,
    chunks,
    find,
    prepare,
    put_large,
    put_small,
    read_blob,
    read_blobs,
    write_ahead,
)
from jmapcore.blobs.upload import receive_upload
from jmapcore.store import database
from jmapcore.store.write import account_write
from tests.support.cast import Cast
from tests.unit.jmapcore.blobs.toys import (
    access,
    body,
    download,
    files_below,
    fresh_bytes,
    rows_of,
    upload_request,
    uploaded,
)

MEGABYTE = 1_000_000


def entered(account_id: int, *contents: bytes) -> list[int]:
    """Enter contents in one write; their blob ids."""
    with database.connection() as connection, account_write(account_id, connection) as write:
        return put_small(write, [(blob_hash(data), data) for data in contents])


def test_contents_are_entered_together_and_found_by_hash(cast: Cast) -> None:
    account_id = cast.alice.account.pk
    contents = [fresh_bytes(size) for size in (0, 1, 262_144, 300_000)]
    contents[0] = b""
    ids = entered(account_id, *contents)
    with database.connection() as connection:
        assert find(connection, account_id, [blob_hash(data) for data in contents]) == {
            blob_hash(data): blob_id for data, blob_id in zip(contents, ids, strict=True)
        }
        assert read_blobs(connection, account_id, ids) == dict(zip(ids, contents, strict=True))


def test_equal_contents_are_one_blob(cast: Cast) -> None:
    account_id, data, other = cast.alice.account.pk, fresh_bytes(), fresh_bytes()
    [first] = entered(account_id, data)
    assert entered(account_id, data, other, data, other)[::2] == [first, first]


def test_accounts_share_nothing(cast: Cast) -> None:
    data = fresh_bytes()
    [blob_id] = entered(cast.alice.account.pk, data)
    with database.connection() as connection:
        assert find(connection, cast.charlie.account.pk, [blob_hash(data)]) == {}
        assert read_blob(connection, cast.charlie.account.pk, blob_id) is None


def test_rolled_back_write_leaves_nothing(cast: Cast) -> None:
    account_id, data = cast.alice.account.pk, fresh_bytes()

    def fail() -> None:
        with database.connection() as connection, account_write(account_id, connection) as write:
            put_small(write, [(blob_hash(data), data)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.connection() as connection:
        assert find(connection, account_id, [blob_hash(data)]) == {}


def test_bytes_cannot_be_written_outside_a_write(cast: Cast) -> None:
    with (
        database.connection() as connection,
        pytest.raises(psycopg.Error, match=r"jmap\.writing|row-level security|invalid input syntax"),
    ):
        connection.execute(
            "INSERT INTO blob_chunk (account_id, blob_id, n, data) VALUES (%s, 1, 0, '')",
            (cast.alice.account.pk,),
        )


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (0, 1), (0, None), (262_143, 262_145), (262_144, 262_145), (599_999, None), (5, 9**9)],
)
def test_slice_of_a_blob(cast: Cast, start: int, end: int | None) -> None:
    data = fresh_bytes(600_000)
    [blob_id] = entered(cast.alice.account.pk, data)
    assert b"".join(chunks(cast.alice.account.pk, blob_id, start, end)) == data[start:end]


def test_unknown_blob_has_no_chunks(cast: Cast) -> None:
    with pytest.raises(LookupError):
        chunks(cast.alice.account.pk, 999_999)


def test_blob_that_goes_while_it_is_read_is_no_silent_end(cast: Cast) -> None:
    account_id, data = cast.alice.account.pk, fresh_bytes(600_000)
    content = write_ahead(account_id, blob_hash(data), len(data), [data])
    with pytest.raises(BlobGoneError):
        list(chunks(account_id, content.reserved_id, 0, 900_000, location=""))


def test_no_connection_is_held_between_two_chunks(cast: Cast) -> None:
    account_id = cast.alice.account.pk
    [blob_id] = entered(account_id, fresh_bytes(600_000))
    readers = [chunks(account_id, blob_id, 0, 600_000, location="") for _ in range(20)]
    assert [len(next(reader)) for reader in readers] == [262_144] * 20
    with database.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_pieces_of_any_size_become_chunks() -> None:
    pieces = [b"a" * 100_000] * 7 + [b"", b"b"]
    assert [len(chunk) for chunk in in_chunks(pieces)] == [262_144, 262_144, 175_713]
    assert b"".join(in_chunks(pieces)) == b"".join(pieces)


def test_files_hold_what_is_prepared_before_the_write(cast: Cast, tmp_path: Path) -> None:
    account_id, data = cast.alice.account.pk, fresh_bytes(1000)
    with files_below(tmp_path):
        [content] = prepare(account_id, [(blob_hash(data), data)])
        with database.connection() as connection:
            with account_write(account_id, connection) as write:
                [blob_id] = put_small(write, [content])
            assert read_blob(connection, account_id, blob_id) == data
        assert rows_of(access(cast.alice), "blob_chunk", f"b{blob_id}") == []
        assert (tmp_path / content.location).read_bytes() == data


def test_both_places_are_read_whatever_the_setting_says(cast: Cast, tmp_path: Path) -> None:
    alice = access(cast.alice)
    in_rows, in_file = fresh_bytes(300_000), fresh_bytes(300_000)
    first = uploaded(alice, in_rows)
    with files_below(tmp_path):
        second = uploaded(alice, in_file)
        assert body(download(alice, first)) == in_rows
        assert body(download(alice, second)) == in_file


def test_file_that_is_gone_is_no_silent_end(cast: Cast, tmp_path: Path) -> None:
    account_id, data = cast.alice.account.pk, fresh_bytes(1000)
    with files_below(tmp_path):
        blob_id = put_large(account_id, database.connection, blob_hash(data), len(data), [data])
        for path in tmp_path.rglob("*"):
            if path.is_file():
                path.unlink()
        with pytest.raises(BlobGoneError):
            list(chunks(account_id, blob_id))


class Endless:
    """A body of 50 MB that never is in memory as a whole."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.pattern = fresh_bytes(64 * 1024)

    def read(self, size: int) -> bytes:
        """The next octets."""
        count = min(size, self.left)
        self.left -= count
        return self.pattern[:count]


@pytest.mark.parametrize("storage", ["rows", "files"])
def test_fifty_megabytes_pass_in_less_than_ten(cast: Cast, storage: str, tmp_path: Path) -> None:
    alice = access(cast.alice)
    size = 50 * MEGABYTE
    request = upload_request(b"", CONTENT_LENGTH=str(size))
    request.META["wsgi.input"] = Endless(size)
    with files_below(tmp_path) if storage == "files" else nullcontext():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tracemalloc.start()
        wire_id = orjson.loads(receive_upload(request, alice).content)["blobId"]
        received = sum(len(piece) for piece in download(alice, wire_id))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert received == size
    assert peak < 6 * MEGABYTE
    assert grown < 10_000
