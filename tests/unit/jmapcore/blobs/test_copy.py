"""Blob/copy (RFC 8620 §6.3)."""

from __future__ import annotations

import pytest
from django.test import override_settings

from accounts.access import ALL_SCOPES, Caller
from jmapcore.blobs.copy import carry, copy_blobs
from jmapcore.blobs.storage import put_small, read_blob
from jmapcore.protocol.deadline import at_most
from jmapcore.store import database
from jmapcore.store.write import account_write
from tests.support.cast import Cast, Person
from tests.unit.jmapcore.blobs.toys import access, body, download, fresh_bytes, hang, number, uploaded


def caller(person: Person) -> Caller:
    """The person as a caller; the accounts are passed apart."""
    return Caller(person.user.pk, 0, person.address, "user:0", ALL_SCOPES, ())


@pytest.mark.rfc("8620", "6.3")
@pytest.mark.parametrize("size", [0, 100, 300_000, 2_000_000])
def test_copy_has_the_same_octets(cast: Cast, size: int) -> None:
    data = fresh_bytes(size)
    source, target = access(cast.alice, cast.bob), access(cast.bob)
    wire_id = uploaded(source, data)
    copied, not_copied = copy_blobs(caller(cast.bob), source, target, [wire_id])
    assert (list(copied), not_copied) == ([wire_id], {})
    assert body(download(target, copied[wire_id])) == data


@pytest.mark.rfc("8620", "6.3")
def test_blob_that_the_caller_does_not_see_is_not_found(cast: Cast) -> None:
    hidden = uploaded(access(cast.alice), fresh_bytes())
    source, target = access(cast.alice, cast.bob), access(cast.bob)
    copied, not_copied = copy_blobs(caller(cast.bob), source, target, [hidden, "b999999", "?"])
    assert copied == {}
    assert not_copied == {name: {"type": "notFound"} for name in (hidden, "b999999", "?")}


def test_copy_is_the_callers_upload_in_the_other_account(cast: Cast) -> None:
    source, target = access(cast.bob), access(cast.alice, cast.bob)
    wire_id = uploaded(source, fresh_bytes(), "text/plain")
    copied, _ = copy_blobs(caller(cast.bob), source, target, [wire_id])
    assert download(target, copied[wire_id]).status_code == 200
    refused = copy_blobs(caller(cast.alice), access(cast.alice), access(cast.bob), [copied[wire_id]])[1]
    assert refused == {copied[wire_id]: {"type": "notFound"}}


def test_copy_of_what_the_other_account_has_is_that_blob(cast: Cast) -> None:
    data = fresh_bytes()
    source, target = access(cast.alice, cast.bob), access(cast.bob)
    there = uploaded(target, data)
    here = uploaded(source, data)
    assert copy_blobs(caller(cast.bob), source, target, [here, here])[0] == {here: there}


def test_carried_content_is_entered_in_the_other_accounts_write(cast: Cast) -> None:
    small, large = fresh_bytes(), fresh_bytes(1_500_000)
    alice, bob = access(cast.alice), access(cast.bob)
    ids = [number(uploaded(alice, data)) for data in (small, large)]
    for wire_id in ids:
        hang(alice, f"b{wire_id}")
    carried = dict(carry(alice.account_id, bob.account_id, [*ids, 999_999]))
    assert list(carried) == ids
    with database.connection() as connection:
        with account_write(bob.account_id, connection) as write:
            entered = put_small(write, list(carried.values()))
        found = [read_blob(connection, bob.account_id, blob_id) for blob_id in entered]
    assert found == [small, large]


def test_more_than_the_quota_is_not_copied_over_itself(cast: Cast) -> None:
    source, target = access(cast.alice), access(cast.bob, cast.alice)
    ids = [uploaded(source, fresh_bytes(size)) for size in (60_000, 30_000, 20_000)]
    with override_settings(JMAP_UNREFERENCED_BLOB_QUOTA=100_000):
        copied, refused = copy_blobs(caller(cast.alice), source, target, ids)
    assert list(copied) == ids[:2]
    assert refused == {ids[2]: {"type": "overQuota"}}


def test_what_the_time_of_the_request_does_not_suffice_for_is_not_copied(cast: Cast) -> None:
    source, target = access(cast.alice), access(cast.bob, cast.alice)
    wire_id = uploaded(source, fresh_bytes(100))
    with at_most(-1):
        copied, refused = copy_blobs(caller(cast.alice), source, target, [wire_id])
    assert (copied, refused) == ({}, {wire_id: {"type": "rateLimit"}})
