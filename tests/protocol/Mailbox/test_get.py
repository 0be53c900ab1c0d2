"""Mailbox/get (RFC 8621 §2, §2.1)."""

from __future__ import annotations

import pytest

from tests.protocol.post import add, mailbox, message, reply, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient

ALL_RIGHTS = [
    "mayReadItems", "mayAddItems", "mayRemoveItems", "maySetSeen", "maySetKeywords", "mayCreateChild",
    "mayRename", "mayDelete", "maySubmit",
]  # fmt: skip


@pytest.mark.rfc("8621", "2")
def test_a_new_account_has_its_mailboxes(cast: Cast) -> None:
    boxes = JMAPClient(cast.alice).call("Mailbox/get", {"ids": None})["list"]
    assert [(box["name"], box["role"]) for box in boxes] == [
        ("Inbox", "inbox"), ("Drafts", "drafts"), ("Sent", "sent"), ("Archive", "archive"), ("Junk", "junk"),
        ("Trash", "trash"),
    ]  # fmt: skip


@pytest.mark.rfc("8621", "2")
def test_the_inbox_with_every_property(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    assert mailbox(client, inbox) == {
        "id": inbox,
        "name": "Inbox",
        "parentId": None,
        "role": "inbox",
        "sortOrder": 10,
        "totalEmails": 0,
        "unreadEmails": 0,
        "totalThreads": 0,
        "unreadThreads": 0,
        "myRights": {**dict.fromkeys(ALL_RIGHTS, True), "mayDelete": False},
        "isSubscribed": True,
    }


@pytest.mark.rfc("8621", "2")
def test_counts_of_emails_and_threads(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    add(client, message(1), keywords={"$seen": True})
    add(client, reply(2, 1))
    add(client, message(3), keywords={"$draft": True})
    box = mailbox(client, roles(client)["inbox"])
    counts = ("totalEmails", "unreadEmails", "totalThreads", "unreadThreads")
    assert [box[name] for name in counts] == [3, 1, 2, 1]


@pytest.mark.rfc("8621", "2")
def test_the_trash_counts_its_own_unread_threads(cast: Cast) -> None:
    """The example of the RFC: an unread Email in the trash and a read Email in the inbox."""
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    add(client, message(1), keywords={"$seen": True})
    add(client, reply(2, 1), mailboxes=[by_role["trash"]])
    assert mailbox(client, by_role["trash"])["unreadThreads"] == 1
    assert mailbox(client, by_role["inbox"])["unreadThreads"] == 0


@pytest.mark.rfc("8621", "2.1")
def test_named_properties_come_with_the_id(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    found = client.call("Mailbox/get", {"ids": [inbox, "m99999", "nonsense"], "properties": ["name", "role"]})
    assert found["list"] == [{"id": inbox, "name": "Inbox", "role": "inbox"}]
    assert sorted(found["notFound"]) == ["m99999", "nonsense"]


def test_an_unknown_property_is_refused(cast: Cast) -> None:
    answer = JMAPClient(cast.alice).error("Mailbox/get", {"ids": None, "properties": ["colour"]})
    assert answer == {"type": "invalidArguments"}


@pytest.mark.rfc("8621", "2")
def test_a_reader_may_read_only(cast: Cast) -> None:
    boxes = JMAPClient(cast.dora).call("Mailbox/get", {"accountId": cast.alice.account_id, "ids": None})[
        "list"
    ]
    rights = {**dict.fromkeys(ALL_RIGHTS, False), "mayReadItems": True}
    assert [box["myRights"] for box in boxes] == [rights] * 6


@pytest.mark.rfc("8621", "2")
def test_a_shared_account_is_not_subscribed_to(cast: Cast) -> None:
    boxes = JMAPClient(cast.bob).call("Mailbox/get", {"accountId": cast.alice.account_id, "ids": None})[
        "list"
    ]
    assert [box["isSubscribed"] for box in boxes] == [False] * 6


def test_a_stranger_finds_no_account(cast: Cast) -> None:
    answer = JMAPClient(cast.charlie).error("Mailbox/get", {"accountId": cast.alice.account_id, "ids": None})
    assert answer == {"type": "accountNotFound"}
