"""EmailPush (draft-ietf-jmap-emailpush): new mail that gets through a filter, with the properties that were asked for."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mail.delivery.deliver import deliver as deliver_mail
from push.tasks import sweep_subscriptions
from tests.protocol.PushSubscription.subscribing import (
    call,
    create,
    deliver,
    refused,
    rows,
    states,
    subscribe,
    update,
)
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.mail_store import message
from tests.support.push_receiver import ClientKeys, Receiver

EMAIL_PUSH = "urn:ietf:params:jmap:emailpush"
SENDER = "zoe@example.org"


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    """A client with Alice's app password."""
    return JMAPClient(cast.alice, cast.alice.basic)


def config(*properties: str, filter: Any = None, **members: Any) -> dict[str, Any]:  # noqa: A002  # the wire's name
    """An EmailPushConfig."""
    return {"filter": filter, "properties": list(properties), **members}


def arrive(client: JMAPClient, name: str, **fields: Any) -> str:
    """Deliver a message; the id of the Email."""
    before = set(client.call("Email/query", {})["ids"])
    deliver_mail(message(name, **fields), [client.person.address], return_path=SENDER)
    [new] = set(client.call("Email/query", {})["ids"]) - before
    return str(new)


def test_the_session_says_which_accounts_have_it(cast: Cast, alice: JMAPClient) -> None:
    session = alice.session()
    assert session["capabilities"][EMAIL_PUSH] == {}
    assert session["accounts"][alice.account_id]["accountCapabilities"][EMAIL_PUSH] == {}


def test_new_mail_is_pushed_with_what_was_asked_for_in_that_order(
    alice: JMAPClient, receiver: Receiver
) -> None:
    keys = ClientKeys()
    wanted = config("subject", "from", "id", "header:X-Kind:asText", urgency="high")
    _, url = subscribe(alice, receiver, keys, types=[], emailPush={alice.account_id: wanted})
    email_id = arrive(alice, "a", subject="Party", headers="X-Kind: big\r\n")
    deliver(alice)
    [pushed] = receiver.to(url)
    assert pushed.headers["Urgency"] == "high"
    assert "Topic" not in pushed.headers
    told = pushed.json(keys)
    [email] = told["emails"]
    assert list(email) == ["subject", "from", "id", "header:X-Kind:asText"]
    assert told == {
        "@type": "EmailPush",
        "accountId": alice.account_id,
        "emails": [
            {
                "subject": "Party",
                "from": [{"name": "Zoë", "email": "zoe@example.org"}],
                "id": email_id,
                "header:X-Kind:asText": "big",
            }
        ],
        "state": states(alice, "Email")["Email"],
    }
    deliver(alice)
    sweep_subscriptions()
    deliver(alice)
    assert len(receiver.to(url)) == 1


def test_only_mail_that_arrives_is_pushed(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver, types=[], emailPush={alice.account_id: config("id")})
    [inbox] = alice.call("Mailbox/query", {"filter": {"role": "inbox"}})["ids"]
    blob = alice.upload(message("a"))["blobId"]
    imported = alice.call("Email/import", {"emails": {"e": {"blobId": blob, "mailboxIds": {inbox: True}}}})
    alice.call("Email/set", {"update": {imported["created"]["e"]["id"]: {"keywords/$flagged": True}}})
    deliver(alice)
    assert receiver.to(url) == []


@pytest.mark.parametrize(
    ("chosen", "subjects"),
    [
        ({"subject": "party"}, ["Party"]),
        ({"operator": "NOT", "conditions": [{"subject": "party"}]}, ["Work"]),
        ({"text": "hello", "hasAttachment": False}, ["Party", "Work"]),
        ({"header": ["X-Kind", "b"]}, ["Work"]),
        ({"hasKeyword": "$junk"}, []),
        ({"inMailbox": "m999"}, []),
        ({}, ["Party", "Work"]),
    ],
)
def test_the_filter_is_that_of_email_query(
    alice: JMAPClient, receiver: Receiver, chosen: Any, subjects: list[str]
) -> None:
    wanted = config("subject", filter=chosen)
    _, url = subscribe(alice, receiver, types=[], emailPush={alice.account_id: wanted})
    arrive(alice, "a", subject="Party")
    arrive(alice, "b", subject="Work", headers="X-Kind: b\r\n")
    deliver(alice)
    found = [email["subject"] for told in receiver.objects(url) for email in told["emails"]]
    assert found == subjects


def test_several_come_together_as_far_as_they_fit(alice: JMAPClient, receiver: Receiver) -> None:
    keys = ClientKeys()
    wanted = config("id", "subject")
    _, url = subscribe(alice, receiver, keys, types=[], emailPush={alice.account_id: wanted})
    ids = [arrive(alice, f"n{n}", subject="x" * 900) for n in range(10)]
    for _ in range(3):
        deliver(alice)
    told = receiver.objects(url, keys)
    assert [len(each["emails"]) for each in told] == [4, 4, 2]
    assert [email["id"] for each in told for email in each["emails"]] == ids
    assert all(len(orjson.dumps(each)) <= 3_993 for each in told)


def test_a_property_that_is_too_large_is_left_out(alice: JMAPClient, receiver: Receiver) -> None:
    keys = ClientKeys()
    wanted = config("id", "header:X-Large", "subject")
    _, url = subscribe(alice, receiver, keys, types=[], emailPush={alice.account_id: wanted})
    email_id = arrive(alice, "a", subject="Small", headers=f"X-Large: {'y' * 4000}\r\n")
    deliver(alice)
    [told] = receiver.objects(url, keys)
    assert told["emails"] == [{"id": email_id, "subject": "Small"}]


def test_what_the_push_service_did_not_take_is_pushed_again(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver, emailPush={alice.account_id: config("id")})
    # The StateChange is taken, the EmailPush is not.
    receiver.answers[url.removeprefix(receiver.url)] = [(201, {}), (503, {}), (201, {})]
    email_id = arrive(alice, "a")
    deliver(alice)
    assert [each["@type"] for each in receiver.objects(url)] == ["StateChange", "EmailPush"]
    assert receiver.to(url)[0].headers["Urgency"] == "normal"
    deliver(alice)
    *_, last = receiver.objects(url)
    assert (len(receiver.to(url)), last["emails"]) == (3, [{"id": email_id}])
    assert rows(alice)[0][1:3] == (True, 0)


def test_mail_in_a_granted_account_is_pushed_while_the_grant_lasts(cast: Cast, receiver: Receiver) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    _, url = subscribe(bob, receiver, types=[], emailPush={alice.account_id: config("subject")})
    arrive(alice, "a", subject="First")
    deliver(bob)
    assert [each["emails"] for each in receiver.objects(url)] == [[{"subject": "First"}]]
    cast.bob.user.grants.all().delete()
    arrive(alice, "b", subject="Second")
    deliver(bob)
    assert len(receiver.to(url)) == 1


@pytest.mark.rfc("8620", "8.7")
def test_nothing_of_a_stranger_is_pushed(cast: Cast, alice: JMAPClient, receiver: Receiver) -> None:
    charlie = JMAPClient(cast.charlie)
    invalid = {"type": "invalidProperties", "properties": ["emailPush"]}
    error = refused(charlie, url=receiver.subscribe(), emailPush={alice.account_id: config("id")})
    assert error == invalid
    identifier, url = subscribe(charlie, receiver, emailPush={charlie.account_id: config("id")})
    assert update(charlie, identifier, emailPush={alice.account_id: config("id")}) == invalid
    arrive(alice, "a")
    deliver(charlie)
    assert receiver.to(url) == []


@pytest.mark.parametrize(
    "given",
    [
        {"filter": None},
        {"filter": "x", "properties": []},
        {"filter": {"frosting": 1}, "properties": []},
        {"filter": {"operator": "XOR", "conditions": []}, "properties": []},
        {
            "filter": {"operator": "OR", "conditions": [{"hasKeyword": f"k{n}"} for n in range(60)]},
            "properties": [],
        },
        {"filter": {"subject": 7}, "properties": []},
        {"properties": ["frosting"]},
        {"properties": "id"},
        {"properties": [f"header:X-{n}" for n in range(201)]},
        {"properties": [], "urgency": "now"},
        {"properties": [], "more": 1},
        [],
        None,
    ],
)
def test_what_could_not_be_followed_is_refused(alice: JMAPClient, receiver: Receiver, given: Any) -> None:
    error = refused(alice, url=receiver.subscribe(), emailPush={alice.account_id: given})
    assert error == {"type": "invalidProperties", "properties": ["emailPush"]}


def test_a_configuration_is_shown_with_all_its_members(alice: JMAPClient, receiver: Receiver) -> None:
    given = {alice.account_id: {"properties": ["id"]}}
    full = {alice.account_id: {"filter": None, "properties": ["id"], "urgency": "normal"}}
    made = create(alice, receiver.subscribe(), emailPush=given)
    assert made["emailPush"] == full
    [shown] = call(alice, "get", ids=None)["list"]
    assert shown["emailPush"] == full
    assert update(alice, made["id"], **{f"emailPush/{alice.account_id}/urgency": "low"}) is None
    assert update(alice, made["id"], emailPush=None) is None
    [shown] = call(alice, "get", ids=None)["list"]
    assert shown["emailPush"] is None
