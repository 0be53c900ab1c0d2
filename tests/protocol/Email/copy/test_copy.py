"""Email/copy (RFC 8621 §4.7, RFC 8620 §5.4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings

from mail.types import email_copy, email_ready
from tests.protocol.Email.set.drafts import invalid, octets
from tests.protocol.post import add, create_mailbox, get, mailbox, message, received, reply, roles, thread_of
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8621", "4.7")


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


@pytest.fixture
def bob(cast: Cast) -> JMAPClient:
    """Bob, who may write Alice's account too."""
    return JMAPClient(cast.bob)


def inbox(client: JMAPClient) -> dict[str, bool]:
    return {roles(client)["inbox"]: True}


def copy(
    bob: JMAPClient, source: JMAPClient, target: JMAPClient, create: dict[str, Any], **arguments: Any
) -> list[list[Any]]:
    """Every response to a copy that Bob makes."""
    given = {
        "fromAccountId": source.account_id,
        "accountId": target.account_id,
        "create": create,
        **arguments,
    }
    return bob.responses("Email/copy", given)


def state(client: JMAPClient) -> str:
    found: str = client.call("Email/get", {"ids": []})["state"]
    return found


def test_what_a_copy_answers(alice: JMAPClient, bob: JMAPClient) -> None:
    email_id = add(alice, message(1), keywords={"$flagged": True, "$seen": True}, receivedAt=received(5))
    before = state(bob)
    [[name, answer, _]] = copy(bob, alice, bob, {"n": {"id": email_id, "mailboxIds": inbox(bob)}})
    email = answer["created"]["n"]
    assert name == "Email/copy"
    assert answer == {
        "fromAccountId": alice.account_id,
        "accountId": bob.account_id,
        "oldState": before,
        "newState": state(bob),
        "created": {
            "n": {
                "id": email["id"],
                "blobId": get(bob, email["id"], "blobId")["blobId"],
                "threadId": thread_of(bob, email["id"]),
                "size": len(message(1)),
            }
        },
        "notCreated": None,
    }
    assert octets(bob, email["blobId"]) == message(1)
    assert get(bob, email["id"], "keywords", "receivedAt", "mailboxIds", "subject") == {
        "id": email["id"],
        "keywords": {"$flagged": True, "$seen": True},
        "receivedAt": received(5),
        "mailboxIds": inbox(bob),
        "subject": "Hello",
    }
    assert get(alice, email_id, "keywords")["keywords"] == {"$flagged": True, "$seen": True}


def test_the_other_way(alice: JMAPClient, bob: JMAPClient) -> None:
    email_id = add(bob, message(1))
    [[_, answer, _]] = copy(bob, bob, alice, {"n": {"id": email_id, "mailboxIds": inbox(alice)}})
    assert octets(alice, answer["created"]["n"]["blobId"]) == message(1)
    assert mailbox(alice, roles(alice)["inbox"])["totalEmails"] == 1


def test_what_is_given_replaces_what_the_original_has(alice: JMAPClient, bob: JMAPClient) -> None:
    email_id = add(alice, message(1), keywords={"$flagged": True}, receivedAt=received(5))
    given = {
        "id": email_id,
        "mailboxIds": inbox(bob),
        "keywords": {"$Draft": True},
        "receivedAt": received(9),
    }
    [[_, answer, _]] = copy(bob, alice, bob, {"n": given})
    shown = get(bob, answer["created"]["n"]["id"], "keywords", "receivedAt")
    assert (shown["keywords"], shown["receivedAt"]) == ({"$draft": True}, received(9))


@pytest.mark.rfc("8620", "5.4")
def test_the_originals_are_destroyed_on_request(alice: JMAPClient, bob: JMAPClient) -> None:
    gone, kept = add(alice, message(1)), add(alice, reply(2, 1))
    before = state(alice)
    create = {"n": {"id": gone, "mailboxIds": inbox(bob)}, "m": {"id": kept, "mailboxIds": {}}}
    first, second = copy(bob, alice, bob, create, onSuccessDestroyOriginal=True, destroyFromIfInState=before)
    assert list(first[1]["created"]) == ["n"]
    assert first[1]["notCreated"] == {"m": invalid("mailboxIds")}
    assert (second[0], second[2]) == ("Email/set", first[2])
    assert (second[1]["accountId"], second[1]["destroyed"]) == (alice.account_id, [gone])
    assert alice.call("Email/query")["ids"] == [kept]


@pytest.mark.rfc("8620", "5.4")
def test_the_copy_stays_where_the_originals_have_changed(alice: JMAPClient, bob: JMAPClient) -> None:
    email_id = add(alice, message(1))
    before = state(alice)
    alice.call("Email/set", {"update": {email_id: {"keywords/$seen": True}}})
    create = {"n": {"id": email_id, "mailboxIds": inbox(bob)}}
    first, second = copy(bob, alice, bob, create, onSuccessDestroyOriginal=True, destroyFromIfInState=before)
    assert list(first[1]["created"]) == ["n"]
    assert second[:2] == ["error", {"type": "stateMismatch"}]
    assert alice.call("Email/query")["ids"] == [email_id]


@pytest.mark.rfc("8620", "5.4")
def test_nothing_is_copied_in_another_state(alice: JMAPClient, bob: JMAPClient) -> None:
    create = {"n": {"id": add(alice, message(1)), "mailboxIds": inbox(bob)}}
    for name in ("ifFromInState", "ifInState"):
        [[answered, error, _]] = copy(bob, alice, bob, create, **{name: "other"})
        assert (answered, error) == ("error", {"type": "stateMismatch"})
    assert bob.call("Email/query")["ids"] == []
    [[answered, _, _]] = copy(bob, alice, bob, create, ifFromInState=state(alice), ifInState=state(bob))
    assert answered == "Email/copy"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"subject": "New"}, ["subject"]),
        ({"blobId": "b1", "from": None}, ["blobId", "from"]),
        ({"header:X": "a"}, ["header:X"]),
        ({"mailboxIds": {"nonsense": True}}, ["mailboxIds"]),
        ({"mailboxIds": {"m999": True}}, ["mailboxIds"]),
        ({"mailboxIds": {}}, ["mailboxIds"]),
        ({"mailboxIds": None, "keywords": {"a b": True}}, ["keywords", "mailboxIds"]),
        ({"mailboxIds": {"m999": True}, "keywords": {"a b": True}}, ["keywords", "mailboxIds"]),
        ({"receivedAt": "now"}, ["receivedAt"]),
    ],
)
def test_what_cannot_be_set(
    alice: JMAPClient, bob: JMAPClient, given: dict[str, Any], names: list[str]
) -> None:
    create = {"n": {"id": add(alice, message(1)), "mailboxIds": inbox(bob), **given}}
    [[_, answer, _]] = copy(bob, alice, bob, create)
    assert answer["notCreated"] == {"n": invalid(*names)}
    assert bob.call("Email/query")["ids"] == []


def test_mailboxes_have_to_be_given(alice: JMAPClient, bob: JMAPClient) -> None:
    [[_, answer, _]] = copy(bob, alice, bob, {"n": {"id": add(alice, message(1))}})
    assert answer["notCreated"] == {"n": invalid("mailboxIds")}


def test_emails_that_are_not_there(alice: JMAPClient, bob: JMAPClient) -> None:
    boxes = {"mailboxIds": inbox(bob)}
    create = {
        "a": {"id": "e999", **boxes},
        "b": {"id": "m1", **boxes},
        "c": boxes,
        "d": {"id": "#x", **boxes},
    }
    [[_, answer, _]] = copy(bob, alice, bob, create)
    assert answer["notCreated"] == {
        "a": {"type": "notFound"},
        "b": {"type": "notFound"},
        "c": invalid("id"),
        "d": {"type": "notFound"},
    }


def test_one_email_twice_and_a_whole_thread(alice: JMAPClient, bob: JMAPClient) -> None:
    first, second = add(alice, message(1)), add(alice, reply(2, 1))
    box = create_mailbox(bob)
    create = {
        "a": {"id": first, "mailboxIds": inbox(bob)},
        "b": {"id": first, "mailboxIds": {box: True}, "keywords": {}},
        "c": {"id": second, "mailboxIds": inbox(bob)},
    }
    made = copy(bob, alice, bob, create, onSuccessDestroyOriginal=True)
    emails = made[0][1]["created"]
    assert len({email["id"] for email in emails.values()}) == 3
    assert len({email["threadId"] for email in emails.values()}) == 1
    assert emails["a"]["blobId"] == emails["b"]["blobId"]
    assert sorted(made[1][1]["destroyed"]) == sorted([first, second])


def test_ids_that_the_request_has_made(alice: JMAPClient, bob: JMAPClient) -> None:
    blob_id = bob.upload(message(1))["blobId"]
    imported = {"blobId": blob_id, "mailboxIds": inbox(bob)}
    answers = bob.request(
        ["Email/import", {"accountId": bob.account_id, "emails": {"i": imported}}, "0"],
        ["Mailbox/set", {"accountId": alice.account_id, "create": {"box": {"name": "New"}}}, "1"],
        [
            "Email/copy",
            {
                "fromAccountId": bob.account_id,
                "accountId": alice.account_id,
                "create": {"c": {"id": "#i", "mailboxIds": {"#box": True}}},
            },
            "2",
        ],
        ["Email/get", {"accountId": alice.account_id, "ids": ["#c"], "properties": ["mailboxIds"]}, "3"],
    )["methodResponses"]
    box = answers[1][1]["created"]["box"]["id"]
    assert answers[3][1]["list"][0]["mailboxIds"] == {box: True}


@pytest.mark.parametrize("files", [False, True])
def test_large_messages(
    alice: JMAPClient,
    bob: JMAPClient,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    *,
    files: bool,
) -> None:
    settings.JMAP_BLOB_STORAGE = "files" if files else "rows"
    monkeypatch.setattr(email_ready, "KEPT_OCTETS", 100)
    raws = [message(1, body="x" * 70 + "\r\n" + "y" * 1_500_000), message(2), message(3)]
    ids = [add(alice, raw) for raw in raws]
    create = {email_id: {"id": email_id, "mailboxIds": inbox(bob)} for email_id in ids}
    for _ in range(2):
        [[_, answer, _]] = copy(bob, alice, bob, create)
        assert [octets(bob, answer["created"][email_id]["blobId"]) for email_id in ids] == raws


def test_more_than_one_call_copies(
    alice: JMAPClient, bob: JMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = {"n": {"id": add(alice, message(1)), "mailboxIds": inbox(bob)}}
    monkeypatch.setattr(email_copy, "MOST_OCTETS", 10)
    [[_, error, _]] = copy(bob, alice, bob, create)
    assert error == {"type": "requestTooLarge"}


def test_who_may_copy(cast: Cast, alice: JMAPClient, bob: JMAPClient) -> None:
    email_id = add(alice, message(1))
    dora, charlie = JMAPClient(cast.dora), JMAPClient(cast.charlie)
    out = {"n": {"id": email_id, "mailboxIds": inbox(dora)}}
    responses = copy(dora, alice, dora, out, onSuccessDestroyOriginal=True)
    assert list(responses[0][1]["created"]) == ["n"]
    assert responses[1][:2] == ["error", {"type": "accountReadOnly"}]
    theirs = {"n": {"id": email_id, "mailboxIds": inbox(charlie)}}
    [[_, error, _]] = copy(charlie, alice, charlie, theirs)
    assert error == {"type": "fromAccountNotFound"}
    [[_, error, _]] = copy(charlie, charlie, alice, theirs)
    assert error == {"type": "accountNotFound"}
    back = {"n": {"id": add(dora, message(2)), "mailboxIds": inbox(alice)}}
    [[_, error, _]] = copy(dora, dora, alice, back)
    assert error == {"type": "accountReadOnly"}
    [[_, error, _]] = copy(bob, alice, alice, {"n": {"id": email_id, "mailboxIds": inbox(alice)}})
    assert error == {"type": "invalidArguments"}
    assert charlie.call("Email/query")["ids"] == []
    assert alice.call("Email/query")["ids"] == [email_id]
