"""Blob/lookup (RFC 9404 §4.3): the objects of each type that refer to a blob."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.post import add, get, message, reply, roles, thread_of
from tests.support.cast import Cast
from tests.support.client import CORE, MAIL, JMAPClient

BLOB = "urn:ietf:params:jmap:blob"
TYPES = ["Mailbox", "Thread", "Email"]

LETTER = (
    b"Subject: out\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText\r\n--b\r\n"
    b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nhello\r\n--b--\r\n"
)


def _lookup(client: JMAPClient, *ids: str, types: list[str] | None = None) -> dict[str, Any]:
    return client.call("Blob/lookup", {"typeNames": TYPES if types is None else types, "ids": list(ids)})


def _blob_id(client: JMAPClient, email_id: str) -> str:
    blob_id: str = get(client, email_id, "blobId")["blobId"]
    return blob_id


@pytest.mark.rfc("9404", "4.3")
def test_the_email_its_thread_and_its_mailboxes(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    by_role = roles(alice)
    email_id = add(alice, message(1), mailboxes=[by_role["inbox"], by_role["archive"]])
    add(alice, reply(2, to=1), mailboxes=[by_role["sent"]])
    blob_id = _blob_id(alice, email_id)
    assert _lookup(alice, blob_id) == {
        "accountId": alice.account_id,
        "list": [
            {
                "id": blob_id,
                "matchedIds": {
                    "Mailbox": sorted([by_role["inbox"], by_role["archive"]]),
                    "Thread": [thread_of(alice, email_id)],
                    "Email": [email_id],
                },
            }
        ],
        "notFound": [],
    }


@pytest.mark.rfc("9404", "4.3")
def test_every_email_of_the_same_octets(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    first, second = add(alice, message(1)), add(alice, message(1))
    (found,) = _lookup(alice, _blob_id(alice, first))["list"]
    assert found["matchedIds"]["Email"] == [first, second]
    assert len(found["matchedIds"]["Mailbox"]) == 1


@pytest.mark.rfc("9404", "4.3")
def test_only_the_types_that_are_asked_for(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    email_id = add(alice, message(1))
    (found,) = _lookup(alice, _blob_id(alice, email_id), types=["Email", "Email"])["list"]
    assert found["matchedIds"] == {"Email": [email_id]}


@pytest.mark.rfc("9404", "4.3")
def test_a_part_is_in_what_its_message_is_in(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    email_id = add(alice, LETTER)
    blob_id = _blob_id(alice, email_id)
    asked = [f"{blob_id}-1", f"{blob_id}-2-0", f"{blob_id}-0", f"{blob_id}-3", f"{blob_id}-2-1"]
    answer = _lookup(alice, *asked, types=["Email"])["list"]
    assert [(each["id"], each["matchedIds"]["Email"]) for each in answer] == [
        (f"{blob_id}-1", [email_id]),
        (f"{blob_id}-2-0", [email_id]),
        (f"{blob_id}-0", []),
        (f"{blob_id}-3", []),
        (f"{blob_id}-2-1", []),
    ]


@pytest.mark.rfc("9404", "4.3")
def test_blobs_that_nothing_refers_to_or_that_are_not_there_match_nothing(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    unreferenced = alice.upload(b"alone")["blobId"]
    not_visible = bob.upload(b"Bob's", account_id=alice.account_id)["blobId"]
    nothing: dict[str, list[str]] = {"Mailbox": [], "Thread": [], "Email": []}
    ids = [unreferenced, not_visible, "b99999", "b99999-1"]
    answer = _lookup(alice, *ids)
    assert answer["list"] == [{"id": each, "matchedIds": nothing} for each in ids]
    assert answer["notFound"] == []


@pytest.mark.rfc("9404", "4.3")
def test_what_is_no_id_of_a_blob_is_not_found(cast: Cast) -> None:
    answer = _lookup(JMAPClient(cast.alice), "not-a-blob", "e1", "#never", "not-a-blob")
    assert (answer["list"], answer["notFound"]) == ([], ["not-a-blob", "e1", "#never"])


@pytest.mark.rfc("9404", "4.3")
def test_an_email_that_is_gone_refers_to_nothing(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    email_id = add(alice, message(1))
    blob_id = _blob_id(alice, email_id)
    alice.call("Email/set", {"destroy": [email_id]})
    (found,) = _lookup(alice, blob_id)["list"]
    assert found["matchedIds"] == {"Mailbox": [], "Thread": [], "Email": []}


@pytest.mark.rfc("9404", "4.3")
@pytest.mark.parametrize("type_name", ["Core", "Identity", "Frob", "", "email"])
def test_types_that_hold_no_blobs(cast: Cast, type_name: str) -> None:
    given = {"typeNames": ["Email", type_name], "ids": []}
    assert JMAPClient(cast.alice).error("Blob/lookup", given) == {"type": "unknownDataType"}


@pytest.mark.rfc("9404", "4.3")
def test_the_capability_of_a_type_must_be_in_use(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    given = {"typeNames": ["Email"], "ids": []}
    assert alice.error("Blob/lookup", given, using=[CORE, BLOB]) == {"type": "unknownDataType"}
    assert alice.call("Blob/lookup", given, using=[CORE, BLOB, MAIL])["list"] == []


@pytest.mark.rfc("9404", "3.1")
def test_every_type_that_the_session_names_can_be_looked_in(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    value = alice.session()["accounts"][alice.account_id]["accountCapabilities"][BLOB]
    names = value["supportedTypeNames"]
    (found,) = _lookup(alice, "b1", types=names)["list"]
    assert found["matchedIds"] == {name: [] for name in names}


def test_more_ids_than_a_call_may_name(cast: Cast) -> None:
    given = {"typeNames": [], "ids": [f"b{number}" for number in range(1, 1_002)]}
    assert JMAPClient(cast.alice).error("Blob/lookup", given) == {"type": "requestTooLarge"}


@pytest.mark.rfc("9404", "5")
def test_nothing_of_another_tenant_matches(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    blob_id = _blob_id(alice, add(alice, message(1)))
    (found,) = _lookup(charlie, blob_id)["list"]
    assert found["matchedIds"] == {"Mailbox": [], "Thread": [], "Email": []}
