"""Uploads (RFC 8620 §6.1)."""

from __future__ import annotations

import io
import threading
from contextlib import AbstractContextManager

import orjson
import pytest
from django.conf import settings
from django.test import override_settings

from jmapcore.blobs.upload import receive_upload
from jmapcore.protocol.errors import RequestError
from jmapcore.store import database
from jmapcore.store.database import read
from tests.support.cast import Cast
from tests.unit.jmapcore.blobs.toys import (
    access,
    age,
    body,
    chunked_request,
    download,
    fresh_bytes,
    hang,
    rows_of,
    upload_request,
    uploaded,
)

MEGABYTE = 1_000_000


def limits(**changed: int) -> AbstractContextManager[object]:
    """Other limits for a while, by their names on the wire."""
    return override_settings(JMAP_LIMITS={**settings.JMAP_LIMITS, **changed})


def blobs_of(account_id: int) -> int:
    """How many blobs the account has."""
    with database.connection() as connection:
        [[(count,)]] = read(
            connection, account_id, ("SELECT count(*) FROM blob WHERE account_id = %s", (account_id,))
        )
    return int(count)


@pytest.mark.rfc("8620", "6.1")
def test_answer_names_the_blob(cast: Cast) -> None:
    alice = access(cast.alice)
    response = receive_upload(upload_request(fresh_bytes(123), "Image/PNG"), alice)
    answer = orjson.loads(response.content)
    blob_id = answer.pop("blobId")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert answer == {"accountId": cast.alice.account_id, "type": "image/png", "size": 123}
    assert len(rows_of(alice, "blob", blob_id)) == 1


@pytest.mark.rfc("8620", "6.1")
def test_body_is_kept_as_it_is_whatever_its_type(cast: Cast) -> None:
    data = b'{"not": parsed\xff\x00'
    assert body(download(access(cast.alice), uploaded(access(cast.alice), data, "application/json"))) == data


def test_multipart_body_is_not_parsed(cast: Cast) -> None:
    data = b"--x\r\n\r\nfield\r\n--x--\r\n"
    wire_id = uploaded(access(cast.alice), data, "multipart/form-data; boundary=x")
    assert body(download(access(cast.alice), wire_id)) == data


def test_chunked_body_is_read_to_its_end(cast: Cast) -> None:
    data = fresh_bytes(300_000)
    answer = orjson.loads(receive_upload(chunked_request(data), access(cast.alice)).content)
    assert answer["size"] == 300_000
    assert body(download(access(cast.alice), answer["blobId"])) == data


def test_empty_body_is_a_blob(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), b"")
    assert body(download(access(cast.alice), wire_id)) == b""


@pytest.mark.parametrize("size", [262_143, 262_144, 262_145, 1_048_576, 1_048_577, 3_000_000])
def test_every_size_comes_back_whole(cast: Cast, size: int) -> None:
    data = fresh_bytes(size)
    assert body(download(access(cast.alice), uploaded(access(cast.alice), data))) == data


@pytest.mark.rfc("8620", "6.1")
def test_same_bytes_are_the_same_blob(cast: Cast) -> None:
    data = fresh_bytes()
    assert uploaded(access(cast.alice), data) == uploaded(access(cast.alice), data, "text/plain")
    assert blobs_of(cast.alice.account.pk) == 1


def test_same_large_bytes_are_the_same_blob(cast: Cast) -> None:
    data = fresh_bytes(2_000_000)
    assert uploaded(access(cast.alice), data) == uploaded(access(cast.alice), data)


@pytest.mark.rfc("8620", "6")
def test_reupload_resets_the_expiry(cast: Cast) -> None:
    alice, data = access(cast.alice), fresh_bytes()
    wire_id = uploaded(alice, data)
    age(alice, wire_id, 90)
    [before] = rows_of(alice, "blob_sweep", wire_id)
    uploaded(alice, data)
    [after] = rows_of(alice, "blob_sweep", wire_id)
    assert (after[2] - before[2]).total_seconds() == pytest.approx(90 * 60, abs=60)


def test_read_only_account_is_forbidden(cast: Cast) -> None:
    dora = access(cast.alice, cast.dora, is_read_only=True)
    with pytest.raises(RequestError) as problem:
        receive_upload(upload_request(b"x"), dora)
    assert problem.value.status == 403
    assert blobs_of(cast.alice.account.pk) == 0


def test_announced_size_far_above_the_limit_is_refused_before_the_body_is_read(cast: Cast) -> None:
    request = upload_request(b"", CONTENT_LENGTH=str(100 * MEGABYTE + 1))
    data = request.META["wsgi.input"] = io.BytesIO(bytes(100))
    with pytest.raises(RequestError) as problem:
        receive_upload(request, access(cast.alice))
    assert data.tell() == 0
    assert (problem.value.status, problem.value.members["limit"]) == (413, "maxSizeUpload")


def test_chunked_body_above_the_limit_is_refused_as_soon_as_it_is_known(cast: Cast) -> None:
    data = io.BytesIO(bytes(300_000))
    request = chunked_request(b"")
    request.META["wsgi.input"] = data
    with (
        limits(maxSizeUpload=100_000),
        pytest.raises(RequestError) as problem,
    ):
        receive_upload(request, access(cast.alice))
    assert problem.value.status == 413
    assert data.tell() == 300_000
    assert blobs_of(cast.alice.account.pk) == 0


def test_body_of_exactly_the_limit_is_stored(cast: Cast) -> None:
    with limits(maxSizeUpload=1000):
        assert uploaded(access(cast.alice), fresh_bytes(1000))


@pytest.mark.parametrize("size", [500, 1_500_000])
def test_body_that_ends_early_leaves_nothing(cast: Cast, size: int) -> None:
    request = upload_request(b"", CONTENT_LENGTH=str(size + 1))
    request.META["wsgi.input"] = io.BytesIO(bytes(size))
    with pytest.raises(RequestError) as problem:
        receive_upload(request, access(cast.alice))
    assert problem.value.status == 400
    assert blobs_of(cast.alice.account.pk) == 0


def test_connection_lost_while_reading_leaves_nothing(cast: Cast) -> None:
    class Lost:
        def read(self, size: int) -> bytes:
            raise ConnectionResetError

    request = upload_request(b"", CONTENT_LENGTH="10")
    request.META["wsgi.input"] = Lost()
    with pytest.raises(RequestError) as problem:
        receive_upload(request, access(cast.alice))
    assert problem.value.status == 400
    assert blobs_of(cast.alice.account.pk) == 0


@pytest.mark.parametrize("announced", ["-1", "1x", "\u0661"])
def test_content_length_that_is_no_number_is_refused(cast: Cast, announced: str) -> None:
    with pytest.raises(RequestError) as problem:
        receive_upload(upload_request(b"", CONTENT_LENGTH=announced), access(cast.alice))
    assert problem.value.status == 400


class Stalled:
    """A body that waits: says that it was reached, and goes on when it may."""

    def __init__(self, arrived: threading.Semaphore, go_on: threading.Event) -> None:
        self._arrived = arrived
        self._go_on = go_on

    def read(self, size: int) -> bytes:
        """Wait, then say that the client is gone."""
        self._arrived.release()
        self._go_on.wait(30)
        return b""


def _stall(cast: Cast, arrived: threading.Semaphore, go_on: threading.Event) -> threading.Thread:
    def run() -> None:
        request = upload_request(b"", CONTENT_LENGTH="10")
        request.META["wsgi.input"] = Stalled(arrived, go_on)
        with pytest.raises(RequestError):
            receive_upload(request, access(cast.alice))

    thread = threading.Thread(target=run)
    thread.start()
    assert arrived.acquire(timeout=30)
    return thread


@pytest.mark.rfc("8620", "2")
def test_fifth_upload_at_once_waits_its_turn_and_others_are_not_concerned(cast: Cast) -> None:
    arrived, go_on = threading.Semaphore(0), threading.Event()
    threads = [_stall(cast, arrived, go_on) for _ in range(4)]
    try:
        with pytest.raises(RequestError) as problem:
            receive_upload(upload_request(b"x"), access(cast.alice))
        bobs = uploaded(access(cast.alice, cast.bob), fresh_bytes())
    finally:
        go_on.set()
        for thread in threads:
            thread.join()
    assert (problem.value.status, problem.value.members["limit"]) == (429, "maxConcurrentUpload")
    assert problem.value.headers["Retry-After"] == "1"
    assert bobs
    assert uploaded(access(cast.alice), fresh_bytes())


@pytest.mark.rfc("8620", "6")
def test_quota_lets_the_oldest_go_first(cast: Cast) -> None:
    alice = access(cast.alice)
    with override_settings(JMAP_UNREFERENCED_BLOB_QUOTA=100_000):
        first, second, third = (uploaded(alice, fresh_bytes(40_000)) for _ in range(3))
    assert rows_of(alice, "blob", first) == []
    assert rows_of(alice, "blob_chunk", first) == []
    assert rows_of(alice, "blob_sweep", first) == []
    assert len(rows_of(alice, "blob", second)) == len(rows_of(alice, "blob", third)) == 1


@pytest.mark.rfc("8620", "6")
def test_quota_is_separate_for_each_user_of_an_account(cast: Cast) -> None:
    alice, bob = access(cast.alice), access(cast.alice, cast.bob)
    with override_settings(JMAP_UNREFERENCED_BLOB_QUOTA=100_000):
        first = uploaded(alice, fresh_bytes(80_000))
        uploaded(bob, fresh_bytes(80_000))
    assert len(rows_of(alice, "blob", first)) == 1


def test_blob_in_use_does_not_count_against_the_quota(cast: Cast) -> None:
    alice = access(cast.alice)
    with override_settings(JMAP_UNREFERENCED_BLOB_QUOTA=100_000):
        used, first = uploaded(alice, fresh_bytes(80_000)), uploaded(alice, fresh_bytes(10_000))
        hang(alice, used)
        uploaded(alice, fresh_bytes(80_000))
    assert len(rows_of(alice, "blob", used)) == 1
    assert len(rows_of(alice, "blob", first)) == 1


def test_quota_of_one_uploader_spares_what_another_uploaded_too(cast: Cast) -> None:
    alice, bob, data = access(cast.alice), access(cast.alice, cast.bob), fresh_bytes(80_000)
    with override_settings(JMAP_UNREFERENCED_BLOB_QUOTA=100_000):
        shared = uploaded(alice, data)
        uploaded(bob, data)
        uploaded(alice, fresh_bytes(80_000))
    assert body(download(bob, shared)) == data
    with pytest.raises(RequestError):
        download(alice, shared)


def test_blob_above_the_quota_alone_is_stored(cast: Cast) -> None:
    with override_settings(JMAP_UNREFERENCED_BLOB_QUOTA=1000):
        wire_id = uploaded(access(cast.alice), fresh_bytes(5000))
    assert len(rows_of(access(cast.alice), "blob", wire_id)) == 1
