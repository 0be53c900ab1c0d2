"""Mailbox/set (RFC 8621 §2.5)."""

from __future__ import annotations

import pytest

from tests.protocol.post import add, create_mailbox, get, mailbox, message, reply, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient


@pytest.mark.rfc("8621", "2")
def test_a_created_mailbox_answers_its_defaults(cast: Cast) -> None:
    created = JMAPClient(cast.alice).call("Mailbox/set", {"create": {"a": {"name": "Plans"}}})["created"]["a"]
    assert {name: value for name, value in created.items() if name not in ("id", "myRights")} == {
        "parentId": None,
        "role": None,
        "sortOrder": 0,
        "totalEmails": 0,
        "unreadEmails": 0,
        "totalThreads": 0,
        "unreadThreads": 0,
        "isSubscribed": True,
    }
    assert created["myRights"]["mayDelete"] is True


@pytest.mark.rfc("8621", "2")
def test_a_tree_is_created_in_any_order(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    create = {"leaf": {"name": "Leaf", "parentId": "#root"}, "root": {"name": "Root"}}
    created = client.call("Mailbox/set", {"create": create})["created"]
    assert mailbox(client, created["leaf"]["id"])["parentId"] == created["root"]["id"]


@pytest.mark.rfc("8621", "2")
@pytest.mark.parametrize(
    "name", ["", "a" * 256, "bell\a", "line\nbreak", "next\u0085line", "part\u2029part", "del\x7f", 5, None]
)
def test_a_bad_name_is_refused(cast: Cast, name: object) -> None:
    answer = JMAPClient(cast.alice).call("Mailbox/set", {"create": {"a": {"name": name}}})
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["name"]}}


@pytest.mark.rfc("8621", "2")
def test_a_name_of_255_octets_is_taken(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    name = "ä" * 127 + "b"
    assert mailbox(client, create_mailbox(client, name=name))["name"] == name


@pytest.mark.rfc("8621", "2")
def test_a_name_is_normalised_and_the_client_told(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    created = client.call("Mailbox/set", {"create": {"a": {"name": "Bu\u0308ro"}}})["created"]["a"]
    assert created["name"] == "Büro"
    updated = client.call("Mailbox/set", {"update": {created["id"]: {"name": "Bu\u0308ros"}}})["updated"]
    assert updated == {created["id"]: {"name": "Büros"}}


@pytest.mark.rfc("8621", "2")
def test_siblings_differ_in_name(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    answer = client.call("Mailbox/set", {"create": {"a": {"name": "Inbox"}}})
    assert answer["notCreated"] == {"a": {"type": "alreadyExists", "existingId": inbox}}


@pytest.mark.rfc("8621", "2")
def test_names_are_compared_exactly_and_among_siblings_alone(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    create = {"a": {"name": "INBOX"}, "b": {"name": "Inbox", "parentId": inbox}}
    assert client.call("Mailbox/set", {"create": create})["notCreated"] is None


def test_siblings_swap_their_names(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    swap = {by_role["sent"]: {"name": "Drafts"}, by_role["drafts"]: {"name": "Sent"}}
    assert client.call("Mailbox/set", {"update": swap})["notUpdated"] is None
    assert mailbox(client, by_role["sent"])["name"] == "Drafts"


@pytest.mark.rfc("8621", "2")
@pytest.mark.parametrize(
    "role", ["all", "flagged", "important", "memos", "scheduled", "snoozed", "subscribed"]
)
def test_every_role_of_the_registry_is_taken(cast: Cast, role: str) -> None:
    client = JMAPClient(cast.alice)
    made = create_mailbox(client, name="A", role=role)
    assert mailbox(client, made)["role"] == role


@pytest.mark.rfc("8621", "2")
@pytest.mark.parametrize("role", ["Inbox", "unheard-of", "", 1])
def test_an_unknown_role_is_refused(cast: Cast, role: object) -> None:
    answer = JMAPClient(cast.alice).call("Mailbox/set", {"create": {"a": {"name": "A", "role": role}}})
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["role"]}}


@pytest.mark.rfc("8621", "2")
def test_a_taken_role_is_refused(cast: Cast) -> None:
    answer = JMAPClient(cast.alice).call("Mailbox/set", {"create": {"a": {"name": "A", "role": "sent"}}})
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["role"]}}


def test_a_role_moves_within_one_call(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    update = {by_role["archive"]: {"role": "junk"}, by_role["junk"]: {"role": "archive"}}
    assert client.call("Mailbox/set", {"update": update})["notUpdated"] is None
    assert roles(client)["junk"] == by_role["archive"]


def test_unread_threads_follow_the_trash_as_its_role_moves(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    add(client, message(1), keywords={"$seen": True})
    add(client, reply(2, 1), mailboxes=[by_role["trash"]])
    update = {by_role["trash"]: {"role": None}, by_role["junk"]: {"role": "trash"}}
    client.call("Mailbox/set", {"update": update})
    assert mailbox(client, by_role["inbox"])["unreadThreads"] == 1


def test_the_inbox_keeps_its_role(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    answer = client.call("Mailbox/set", {"update": {inbox: {"role": None}}})
    assert answer["notUpdated"] == {inbox: {"type": "invalidProperties", "properties": ["role"]}}
    assert roles(client)["inbox"] == inbox


def test_the_inbox_is_not_destroyed(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    assert client.call("Mailbox/set", {"destroy": [inbox]})["notDestroyed"] == {inbox: {"type": "forbidden"}}


@pytest.mark.rfc("8621", "2")
def test_a_loop_is_refused(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    create = {"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a"}}
    created = client.call("Mailbox/set", {"create": create})["created"]
    top, below = created["a"]["id"], created["b"]["id"]
    refused = {"type": "invalidProperties", "properties": ["parentId"]}
    assert client.call("Mailbox/set", {"update": {top: {"parentId": below}}})["notUpdated"] == {top: refused}
    assert client.call("Mailbox/set", {"update": {top: {"parentId": top}}})["notUpdated"] == {top: refused}


@pytest.mark.rfc("8621", "1.3.1")
def test_ten_levels_and_no_more(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    create = {
        f"k{level}": {"name": "L", "parentId": f"#k{level - 1}" if level else None} for level in range(11)
    }
    answer = client.call("Mailbox/set", {"create": create})
    assert list(answer["notCreated"]) == ["k10"]
    assert answer["notCreated"]["k10"] == {"type": "invalidProperties", "properties": ["parentId"]}


@pytest.mark.rfc("8621", "1.3.1")
def test_a_tree_is_not_moved_too_deep(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    create = {
        f"k{level}": {"name": "L", "parentId": f"#k{level - 1}" if level else None} for level in range(9)
    }
    create |= {"top": {"name": "Top"}, "low": {"name": "Low", "parentId": "#top"}}
    created = client.call("Mailbox/set", {"create": create})["created"]
    top, deep = created["top"]["id"], created["k8"]["id"]
    answer = client.call("Mailbox/set", {"update": {top: {"parentId": deep}}})
    assert answer["notUpdated"] == {top: {"type": "invalidProperties", "properties": ["parentId"]}}


def test_a_parent_exists(cast: Cast) -> None:
    answer = JMAPClient(cast.alice).call("Mailbox/set", {"create": {"a": {"name": "A", "parentId": "m9999"}}})
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["parentId"]}}


@pytest.mark.rfc("8620", "5.3")
def test_a_role_that_is_taken_is_listed_with_a_parent_that_is_not_there(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    new = {"name": "New", "role": "inbox", "parentId": "m999999"}
    archive = roles(alice)["archive"]
    answer = alice.call(
        "Mailbox/set",
        {"create": {"new": new}, "update": {archive: {"role": "junk", "parentId": "m999999"}}},
    )
    for error in (answer["notCreated"]["new"], answer["notUpdated"][archive]):
        assert (error["type"], sorted(error["properties"])) == ("invalidProperties", ["parentId", "role"])


@pytest.mark.rfc("8621", "2.5")
@pytest.mark.parametrize("remove", [False, True])
def test_a_mailbox_with_a_child_is_not_destroyed_nor_emptied(cast: Cast, remove: bool) -> None:
    client = JMAPClient(cast.alice)
    parent = create_mailbox(client, name="Parent")
    create_mailbox(client, name="Child", parentId=parent)
    add(client, message(1), mailboxes=[parent])
    answer = client.call("Mailbox/set", {"destroy": [parent], "onDestroyRemoveEmails": remove})
    assert answer["notDestroyed"] == {parent: {"type": "mailboxHasChild"}}
    assert mailbox(client, parent)["totalEmails"] == 1


@pytest.mark.rfc("8621", "2.5")
@pytest.mark.parametrize("parent_first", [False, True])
def test_parent_and_child_go_in_either_order(cast: Cast, parent_first: bool) -> None:
    client = JMAPClient(cast.alice)
    parent = create_mailbox(client, name="Parent")
    child = create_mailbox(client, name="Child", parentId=parent)
    order = [parent, child] if parent_first else [child, parent]
    assert client.call("Mailbox/set", {"destroy": order})["destroyed"] == order


@pytest.mark.rfc("8621", "2.5")
def test_a_parent_stays_with_a_child_that_stays(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    parent = create_mailbox(client, name="Parent")
    child = create_mailbox(client, name="Child", parentId=parent)
    add(client, message(1), mailboxes=[child])
    answer = client.call("Mailbox/set", {"destroy": [parent, child]})
    assert answer["notDestroyed"] == {
        parent: {"type": "mailboxHasChild"},
        child: {"type": "mailboxHasEmail"},
    }


@pytest.mark.rfc("8621", "2.5")
def test_a_mailbox_with_email_is_not_destroyed(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    box = create_mailbox(client)
    add(client, message(1), mailboxes=[box])
    assert client.call("Mailbox/set", {"destroy": [box]})["notDestroyed"] == {
        box: {"type": "mailboxHasEmail"}
    }


@pytest.mark.rfc("8621", "2.5")
def test_emails_go_with_their_only_mailbox(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    box = create_mailbox(client)
    only_here = add(client, message(1), mailboxes=[box])
    also_there = add(client, message(2), mailboxes=[box, inbox])
    answer = client.call("Mailbox/set", {"destroy": [box], "onDestroyRemoveEmails": True})
    assert answer["destroyed"] == [box]
    assert client.call("Email/get", {"ids": [only_here]})["notFound"] == [only_here]
    assert get(client, also_there, "mailboxIds")["mailboxIds"] == {inbox: True}


def test_a_mailbox_that_is_created_and_destroyed_at_once_leaves_nothing(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    answer = client.call("Mailbox/set", {"create": {"a": {"name": "A"}}, "destroy": ["#a"]})
    assert answer["destroyed"] == [answer["created"]["a"]["id"]]
    assert len(client.call("Mailbox/get", {"ids": None, "properties": []})["list"]) == 6


@pytest.mark.rfc("8621", "2")
def test_counts_are_the_servers(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    unchanged = {"totalEmails": 0, "myRights/mayDelete": False, "name": "In"}
    assert client.call("Mailbox/set", {"update": {inbox: unchanged}})["updated"] == {inbox: None}
    refused = client.call("Mailbox/set", {"update": {inbox: {"totalEmails": 1}}})
    assert refused["notUpdated"] == {inbox: {"type": "invalidProperties", "properties": ["totalEmails"]}}


@pytest.mark.rfc("8621", "2")
@pytest.mark.parametrize("order", [-1, 2**31, 1.5, "1"])
def test_a_bad_sort_order_is_refused(cast: Cast, order: object) -> None:
    answer = JMAPClient(cast.alice).call("Mailbox/set", {"create": {"a": {"name": "A", "sortOrder": order}}})
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["sortOrder"]}}


@pytest.mark.rfc("8621", "2")
def test_each_user_subscribes_alone(cast: Cast) -> None:
    alice, dora = JMAPClient(cast.alice), JMAPClient(cast.dora)
    inbox = roles(alice)["inbox"]
    shared = {"accountId": alice.account_id}
    answer = dora.call("Mailbox/set", {**shared, "update": {inbox: {"isSubscribed": True}}})
    assert answer["updated"] == {inbox: None}
    alice.call("Mailbox/set", {"update": {inbox: {"isSubscribed": False}}})
    assert dora.call("Mailbox/get", {**shared, "ids": [inbox]})["list"][0]["isSubscribed"] is True
    assert mailbox(alice, inbox)["isSubscribed"] is False


def test_a_reader_changes_nothing_else(cast: Cast) -> None:
    alice, dora = JMAPClient(cast.alice), JMAPClient(cast.dora)
    by_role = roles(alice)
    inbox, sent = by_role["inbox"], by_role["sent"]
    call = {"create": {"a": {"name": "A"}}, "update": {inbox: {"name": "B"}}, "destroy": [sent]}
    answer = dora.call("Mailbox/set", {"accountId": alice.account_id, **call})
    forbidden = {"type": "forbidden"}
    assert answer["notCreated"] == {"a": forbidden}
    assert answer["notUpdated"] == {inbox: forbidden}
    assert answer["notDestroyed"] == {sent: forbidden}
    assert answer["oldState"] == answer["newState"]


def test_a_grantee_writes(cast: Cast) -> None:
    bob = JMAPClient(cast.bob)
    shared = {"accountId": cast.alice.account_id}
    answer = bob.call("Mailbox/set", {**shared, "create": {"a": {"name": "Ours"}}})
    (box,) = bob.call("Mailbox/get", {**shared, "ids": [answer["created"]["a"]["id"]]})["list"]
    assert (box["name"], box["isSubscribed"]) == ("Ours", True)
    assert mailbox(JMAPClient(cast.alice), box["id"])["isSubscribed"] is False


def test_a_stranger_changes_nothing(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    before = alice.call("Mailbox/get", {"ids": None})
    call = {"accountId": alice.account_id, "create": {"a": {"name": "A"}}}
    assert JMAPClient(cast.charlie).error("Mailbox/set", call) == {"type": "accountNotFound"}
    assert alice.call("Mailbox/get", {"ids": None}) == before
