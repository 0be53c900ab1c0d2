"""Blob/copy (RFC 8620 §6.3) as a method call."""

from __future__ import annotations

import pytest

from jmapcore.registry import registry
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.unit.jmapcore.blobs.test_spool import full_disk
from tests.unit.jmapcore.blobs.toys import fresh_bytes


@pytest.mark.rfc("8620", "6.3")
def test_each_blob_is_copied_or_not(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    mine = bob.upload(b"Bob's")["blobId"]
    given = {
        "fromAccountId": bob.account_id,
        "accountId": alice.account_id,
        "blobIds": [mine, mine, "b999999", "x"],
    }
    answer = bob.call("Blob/copy", given)
    assert answer == {
        "fromAccountId": bob.account_id,
        "accountId": alice.account_id,
        "copied": {mine: answer["copied"][mine]},
        "notCopied": {"b999999": {"type": "notFound"}, "x": {"type": "notFound"}},
    }
    assert bob.download(answer["copied"][mine], account_id=alice.account_id).content == b"Bob's"


@pytest.mark.rfc("8620", "6.3")
def test_nothing_to_copy(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    given = {"fromAccountId": bob.account_id, "accountId": alice.account_id, "blobIds": []}
    answer = bob.call("Blob/copy", given)
    assert (answer["copied"], answer["notCopied"]) == (None, None)


@pytest.mark.rfc("9404", "4.1")
def test_a_blob_of_an_earlier_call_is_copied_by_its_creation_id(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    new = {"new": {"data": [{"data:asText": "text"}]}}
    given = {"fromAccountId": bob.account_id, "accountId": alice.account_id, "blobIds": ["#new", "#other"]}
    answers = bob.request(
        ["Blob/upload", {"accountId": bob.account_id, "create": new}, "0"],
        ["Blob/copy", given, "1"],
        using=registry.capabilities,
    )["methodResponses"]
    blob_id = answers[0][1]["created"]["new"]["id"]
    assert list(answers[1][1]["copied"]) == [blob_id]
    assert answers[1][1]["notCopied"] == {"#other": {"type": "notFound"}}


@pytest.mark.rfc("8620", "6.3")
def test_a_part_that_the_disk_has_no_room_for_is_not_copied(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    blob_id = bob.upload(b"Subject: x\r\n\r\n" + fresh_bytes(3_000_000))["blobId"]
    given = {"fromAccountId": bob.account_id, "accountId": alice.account_id, "blobIds": [f"{blob_id}-0"]}
    with full_disk():
        answer = bob.call("Blob/copy", given)
    assert (answer["copied"], answer["notCopied"]) == (None, {f"{blob_id}-0": {"type": "overQuota"}})
