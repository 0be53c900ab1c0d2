"""Mailbox/query and Mailbox/queryChanges (RFC 8621 §2.3, §2.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.post import add, create_mailbox, message, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient


def _names(client: JMAPClient, **arguments: Any) -> list[str]:
    ids = client.call("Mailbox/query", arguments)["ids"]
    boxes = client.call("Mailbox/get", {"ids": ids, "properties": ["name"]})["list"]
    return [box["name"] for box in boxes]


@pytest.mark.rfc("8621", "2.3")
def test_by_sort_order_unless_asked_otherwise(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    create_mailbox(client, name="First", sortOrder=5)
    assert _names(client) == ["First", "Inbox", "Drafts", "Sent", "Archive", "Junk", "Trash"]


@pytest.mark.rfc("8621", "2.3")
def test_by_name_without_case(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    create_mailbox(client, name="inner")
    sort = [{"property": "name"}]
    assert _names(client, sort=sort) == ["Archive", "Drafts", "Inbox", "inner", "Junk", "Sent", "Trash"]
    assert _names(client, sort=[{"property": "name", "isAscending": False}])[0] == "Trash"


@pytest.mark.rfc("8621", "2.3")
def test_by_parent(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    create_mailbox(client, name="B", parentId=by_role["sent"])
    create_mailbox(client, name="A", parentId=by_role["trash"])
    sort = [{"property": "parentId", "isAscending": False}, {"property": "name"}]
    assert _names(client, sort=sort)[:2] == ["A", "B"]


@pytest.mark.rfc("8621", "2.3")
@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"role": "inbox"}, ["Inbox"]),
        ({"role": None}, ["Plans"]),
        ({"hasAnyRole": False}, ["Plans"]),
        ({"hasAnyRole": True}, ["Inbox", "Drafts", "Sent", "Archive", "Junk", "Trash"]),
        ({"name": "r"}, ["Drafts", "Archive", "Trash"]),
        ({"isSubscribed": False}, ["Plans"]),
        ({"name": "a", "hasAnyRole": False}, ["Plans"]),
        ({"operator": "NOT", "conditions": [{"hasAnyRole": True}]}, ["Plans"]),
        ({"operator": "OR", "conditions": [{"role": "junk"}, {"role": "sent"}]}, ["Sent", "Junk"]),
        ({}, ["Plans", "Inbox", "Drafts", "Sent", "Archive", "Junk", "Trash"]),
    ],
)
def test_filters(cast: Cast, condition: dict[str, Any], names: list[str]) -> None:
    client = JMAPClient(cast.alice)
    create_mailbox(client, name="Plans", isSubscribed=False)
    assert _names(client, filter=condition) == names


@pytest.mark.rfc("8621", "2.3")
def test_children_of_a_mailbox(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    create_mailbox(client, name="Child", parentId=inbox)
    assert _names(client, filter={"parentId": inbox}) == ["Child"]
    assert len(_names(client, filter={"parentId": None})) == 6


@pytest.mark.rfc("8621", "2.3")
def test_sorted_as_a_tree(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    sent = roles(client)["sent"]
    child = create_mailbox(client, name="A child of Sent", parentId=sent)
    create_mailbox(client, name="A grandchild", parentId=child)
    create_mailbox(client, name="Another child", parentId=sent)
    sort = [{"property": "name"}]
    assert _names(client, sort=sort, sortAsTree=True) == [
        "Archive", "Drafts", "Inbox", "Junk", "Sent", "A child of Sent", "A grandchild", "Another child", "Trash",
    ]  # fmt: skip


@pytest.mark.rfc("8621", "2.3")
def test_filtered_as_a_tree(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    create_mailbox(client, name="x under Archive", parentId=by_role["archive"])
    hidden = create_mailbox(client, name="no", parentId=by_role["archive"])
    create_mailbox(client, name="x hidden", parentId=hidden)
    condition = {"operator": "OR", "conditions": [{"name": "x"}, {"role": "archive"}]}
    arguments = {"filter": condition, "filterAsTree": True, "sortAsTree": True}
    assert _names(client, **arguments) == ["Inbox", "Archive", "x under Archive"]


@pytest.mark.rfc("8621", "2.4")
def test_what_lies_below_moves_along(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    top = create_mailbox(client, name="B top", sortOrder=1)
    below = create_mailbox(client, name="below", parentId=top)
    query = {"sort": [{"property": "name"}], "sortAsTree": True}
    before = client.call("Mailbox/query", query)
    client.call("Mailbox/set", {"update": {top: {"name": "Z top"}}})
    changes = client.call("Mailbox/queryChanges", {**query, "sinceQueryState": before["queryState"]})
    assert set(changes["removed"]) == {top, below}
    assert changes["added"] == [{"id": top, "index": 6}, {"id": below, "index": 7}]


@pytest.mark.rfc("8620", "5.6")
def test_counts_move_no_mailbox(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    since = client.call("Mailbox/query")["queryState"]
    add(client, message(1))
    changes = client.call("Mailbox/queryChanges", {"sinceQueryState": since})
    assert (changes["removed"], changes["added"]) == ([], [])
    assert changes["newQueryState"] != since


@pytest.mark.rfc("8621", "2.4")
@pytest.mark.parametrize("tree", [{}, {"sortAsTree": True}, {"filterAsTree": True}])
def test_up_to_an_id_is_ignored_since_the_order_may_change(cast: Cast, tree: dict[str, bool]) -> None:
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    since = client.call("Mailbox/query", tree)["queryState"]
    client.call("Mailbox/set", {"update": {by_role["inbox"]: {"sortOrder": 45}}})
    arguments = {"sinceQueryState": since, "upToId": by_role["sent"], **tree}
    changes = client.call("Mailbox/queryChanges", arguments)
    assert changes["removed"] == [by_role["inbox"]]
    assert changes["added"] == [{"id": by_role["inbox"], "index": 3}]


def test_unknown_filters_and_sorts(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    assert client.error("Mailbox/query", {"filter": {"colour": "red"}}) == {"type": "unsupportedFilter"}
    assert client.error("Mailbox/query", {"sort": [{"property": "role"}]}) == {"type": "unsupportedSort"}


@pytest.mark.parametrize("method", ["query", "queryChanges"])
def test_a_stranger_finds_no_account(cast: Cast, method: str) -> None:
    call = {"accountId": cast.alice.account_id}
    if method == "queryChanges":
        call["sinceQueryState"] = "x-1"
    assert JMAPClient(cast.charlie).error(f"Mailbox/{method}", call) == {"type": "accountNotFound"}
