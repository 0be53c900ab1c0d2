"""Who sees which blob (RFC 8620 §6.1)."""

from __future__ import annotations

import pytest

from accounts.access import AccountAccess
from jmapcore.blobs.references import BlobReference, register_reference
from jmapcore.blobs.storage import blob_hash
from jmapcore.blobs.visibility import BlobInfo, visible
from jmapcore.protocol.errors import RequestError
from jmapcore.store import database
from tests.support.cast import Cast
from tests.unit.jmapcore.blobs.toys import (
    access,
    body,
    download,
    fresh_bytes,
    hang,
    number,
    take_down,
    uploaded,
)


def refused(account: AccountAccess, wire_id: str) -> bool:
    """Whether a download answers 404."""
    with pytest.raises(RequestError) as problem:
        download(account, wire_id)
    return problem.value.status == 404


@pytest.mark.rfc("8620", "6.1")
def test_unreferenced_upload_is_the_uploaders_alone(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes())
    assert refused(access(cast.alice, cast.bob), wire_id)


@pytest.mark.rfc("8620", "6.1")
def test_grantees_upload_is_hidden_from_the_owner(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice, cast.bob), fresh_bytes())
    assert refused(access(cast.alice), wire_id)


def test_two_uploaders_of_the_same_bytes_both_see_them(cast: Cast) -> None:
    data = fresh_bytes()
    first, second = uploaded(access(cast.alice), data), uploaded(access(cast.alice, cast.bob), data)
    assert first == second
    assert body(download(access(cast.alice), first)) == data
    assert body(download(access(cast.alice, cast.bob), first)) == data


def test_referenced_blob_is_seen_by_all_of_the_account(cast: Cast) -> None:
    data = fresh_bytes()
    wire_id = uploaded(access(cast.alice), data)
    hang(access(cast.alice), wire_id)
    assert body(download(access(cast.alice, cast.bob), wire_id)) == data


@pytest.mark.rfc("8620", "6.1")
def test_blob_that_lost_its_reference_is_its_uploaders_again(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes())
    hang(access(cast.alice), wire_id)
    take_down(access(cast.alice), wire_id)
    assert download(access(cast.alice), wire_id).status_code == 200
    assert refused(access(cast.alice, cast.bob), wire_id)


def test_blob_of_another_account_is_not_found(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), fresh_bytes())
    hang(access(cast.alice), wire_id)
    assert refused(access(cast.charlie), wire_id)


def test_same_id_in_another_account_is_another_blob(cast: Cast) -> None:
    wire_id = uploaded(access(cast.alice), b"north" + fresh_bytes())
    data = b"south" + fresh_bytes()
    assert uploaded(access(cast.charlie), data) == wire_id
    assert body(download(access(cast.charlie), wire_id)) == data


@pytest.mark.parametrize("wire_id", ["b999999", "", "x", "b1-5", "b" + "9" * 50, "../etc/passwd", "b1\x00"])
def test_unknown_id_is_not_found(cast: Cast, wire_id: str) -> None:
    assert refused(access(cast.alice), wire_id)


def test_visible_tells_size_hash_and_the_callers_type(cast: Cast) -> None:
    data = fresh_bytes(77)
    wire_id = uploaded(access(cast.alice), data, "text/plain")
    uploaded(access(cast.alice, cast.bob), data, "image/png")
    with database.connection() as connection:
        shown = visible(connection, access(cast.alice), [number(wire_id), 999_999])
    assert shown == {number(wire_id): BlobInfo(77, blob_hash(data), "text/plain", "")}


def test_reference_with_a_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(ValueError, match="identifier"):
        register_reference(BlobReference("Evil", "email; DROP TABLE blob", "blob_id", "id"))
