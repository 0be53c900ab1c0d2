"""Mailbox/changes (RFC 8621 §2.2)."""

from __future__ import annotations

import pytest

from tests.protocol.post import add, create_mailbox, message, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient

COUNTS = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]


def _state(client: JMAPClient) -> str:
    state: str = client.call("Mailbox/get", {"ids": []})["state"]
    return state


@pytest.mark.rfc("8621", "2.2")
def test_new_mail_changes_counts_alone(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox, state = roles(client)["inbox"], _state(client)
    add(client, message(1))
    changes = client.call("Mailbox/changes", {"sinceState": state})
    assert (changes["updated"], changes["updatedProperties"]) == ([inbox], COUNTS)


@pytest.mark.rfc("8621", "2.2")
def test_a_rename_is_more_than_counts(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox, state = roles(client)["inbox"], _state(client)
    add(client, message(1))
    client.call("Mailbox/set", {"update": {inbox: {"name": "In"}}})
    changes = client.call("Mailbox/changes", {"sinceState": state})
    assert (changes["updated"], changes["updatedProperties"]) == ([inbox], None)


@pytest.mark.rfc("8621", "2.2")
def test_nothing_new(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    state = _state(client)
    assert client.call("Mailbox/changes", {"sinceState": state}) == {
        "accountId": client.account_id,
        "oldState": state,
        "newState": state,
        "hasMoreChanges": False,
        "created": [],
        "updated": [],
        "destroyed": [],
        "updatedProperties": None,
    }


@pytest.mark.rfc("8621", "2.2")
def test_a_new_mailbox_is_more_than_counts(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox, state = roles(client)["inbox"], _state(client)
    add(client, message(1))
    new = create_mailbox(client)
    changes = client.call("Mailbox/changes", {"sinceState": state})
    assert (changes["created"], changes["updated"], changes["updatedProperties"]) == ([new], [inbox], None)


@pytest.mark.rfc("8621", "2.2")
def test_a_mailbox_that_goes_is_more_than_counts(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    box = roles(client)
    state = _state(client)
    add(client, message(1))
    client.call("Mailbox/set", {"destroy": [box["sent"]]})
    changes = client.call("Mailbox/changes", {"sinceState": state})
    assert (changes["updated"], changes["updatedProperties"]) == ([box["inbox"]], None)


def test_created_and_destroyed(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    sent, state = roles(client)["sent"], _state(client)
    new = create_mailbox(client)
    client.call("Mailbox/set", {"destroy": [sent]})
    changes = client.call("Mailbox/changes", {"sinceState": state})
    assert (changes["created"], changes["updated"], changes["destroyed"]) == ([new], [], [sent])


def test_an_update_that_changes_nothing_is_none(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox, state = roles(client)["inbox"], _state(client)
    client.call("Mailbox/set", {"update": {inbox: {"name": "Inbox", "isSubscribed": True}}})
    assert _state(client) == state


def test_a_stranger_finds_no_account(cast: Cast) -> None:
    call = {"accountId": cast.alice.account_id, "sinceState": "x-1"}
    assert JMAPClient(cast.charlie).error("Mailbox/changes", call) == {"type": "accountNotFound"}
