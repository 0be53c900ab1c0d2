"""Email/changes and Email/queryChanges (RFC 8621 §4.3, §4.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.post import add, message, received, reply, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient


def _state(client: JMAPClient) -> str:
    state: str = client.call("Email/get", {"ids": []})["state"]
    return state


@pytest.mark.rfc("8621", "4.3")
def test_what_happened(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    flagged, gone = add(client, message(1)), add(client, message(2))
    state = _state(client)
    new = add(client, message(3))
    client.call("Email/set", {"update": {flagged: {"keywords/$flagged": True}}, "destroy": [gone]})
    changes = client.call("Email/changes", {"sinceState": state})
    assert (changes["created"], changes["updated"], changes["destroyed"]) == ([new], [flagged], [gone])
    assert "updatedProperties" not in changes


@pytest.mark.rfc("8620", "5.2")
def test_page_by_page(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    state = _state(client)
    ids = [add(client, message(number, subject=f"S{number}")) for number in range(3)]
    seen: list[str] = []
    while True:
        changes = client.call("Email/changes", {"sinceState": state, "maxChanges": 1})
        seen += changes["created"]
        state = changes["newState"]
        if not changes["hasMoreChanges"]:
            break
    assert seen == ids


def _query(client: JMAPClient, **arguments: Any) -> dict[str, Any]:
    return {"filter": {"inMailbox": roles(client)["inbox"]}, "collapseThreads": True, **arguments}


def _changes(client: JMAPClient, query: dict[str, Any], since: str, **arguments: Any) -> dict[str, Any]:
    return client.call("Email/queryChanges", {**query, "sinceQueryState": since, **arguments})


@pytest.mark.rfc("8621", "4.5")
def test_a_reply_takes_the_place_of_its_thread(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first = add(client, message(1), receivedAt=received(1))
    add(client, message(2, subject="Other"), receivedAt=received(2))
    query = _query(client)
    since = client.call("Email/query", query)["queryState"]
    new = add(client, reply(3, 1), receivedAt=received(3))
    changes = _changes(client, query, since, calculateTotal=True)
    assert changes["removed"] == [first]
    assert changes["added"] == [{"id": new, "index": 0}]
    assert changes["total"] == 2


@pytest.mark.rfc("8620", "5.6")
def test_emails_that_were_not_in_the_results_are_not_removed(cast: Cast) -> None:
    """Of a Thread that grows, it was the newest in the mailbox alone."""
    client = JMAPClient(cast.alice)
    add(client, message(1), receivedAt=received(1))
    add(client, reply(2, 1), mailboxes=[roles(client)["sent"]], receivedAt=received(2))
    shown = add(client, reply(3, 1), receivedAt=received(3))
    query = _query(client)
    since = client.call("Email/query", query)["queryState"]
    new = add(client, reply(4, 1), receivedAt=received(4))
    changes = _changes(client, query, since)
    assert (changes["removed"], changes["added"]) == ([shown], [{"id": new, "index": 0}])


@pytest.mark.rfc("8620", "5.6")
@pytest.mark.parametrize("collapse", [True, False])
def test_a_keyword_moves_nothing_where_the_query_looks_at_none(cast: Cast, collapse: bool) -> None:
    client = JMAPClient(cast.alice)
    first = add(client, message(1))
    query = {"sort": [{"property": "receivedAt"}], "collapseThreads": collapse}
    since = client.call("Email/query", query)["queryState"]
    client.call("Email/set", {"update": {first: {"keywords/$seen": True}}})
    changes = _changes(client, query, since, calculateTotal=True)
    assert (changes["removed"], changes["added"], changes["total"]) == ([], [], 1)


@pytest.mark.rfc("8621", "4.5")
def test_a_destroyed_reply_gives_the_place_back(cast: Cast) -> None:
    """The Email that comes back did not change itself."""
    client = JMAPClient(cast.alice)
    first = add(client, message(1), receivedAt=received(1))
    add(client, message(2, subject="Other"), receivedAt=received(2))
    answer = add(client, reply(3, 1), receivedAt=received(3))
    query = _query(client)
    since = client.call("Email/query", query)["queryState"]
    client.call("Email/set", {"destroy": [answer]})
    changes = _changes(client, query, since)
    assert set(changes["removed"]) >= {answer}
    assert changes["added"] == [{"id": first, "index": 1}]


@pytest.mark.rfc("8621", "4.5")
def test_a_keyword_moves_the_whole_thread(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first = add(client, message(1), receivedAt=received(1))
    answer = add(client, reply(2, 1), receivedAt=received(2))
    query = {"filter": {"someInThreadHaveKeyword": "$flagged"}}
    since = client.call("Email/query", query)["queryState"]
    client.call("Email/set", {"update": {first: {"keywords/$flagged": True}}})
    changes = _changes(client, query, since)
    assert changes["added"] == [{"id": answer, "index": 0}, {"id": first, "index": 1}]


@pytest.mark.rfc("8620", "5.6")
def test_up_to_an_id(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    middle = add(client, message(1), receivedAt=received(2))
    query = {"sort": [{"property": "receivedAt", "isAscending": False}]}
    since = client.call("Email/query", query)["queryState"]
    late = add(client, message(2), receivedAt=received(3))
    early = add(client, message(3), receivedAt=received(1))
    assert _changes(client, query, since)["added"] == [{"id": late, "index": 0}, {"id": early, "index": 2}]
    assert _changes(client, query, since, upToId=middle)["added"] == [{"id": late, "index": 0}]


@pytest.mark.rfc("8620", "5.6")
def test_more_changes_than_wanted(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    query = _query(client)
    since = client.call("Email/query", query)["queryState"]
    add(client, message(1))
    add(client, message(2, subject="Other"))
    call = {**query, "sinceQueryState": since, "maxChanges": 1}
    assert client.error("Email/queryChanges", call) == {"type": "tooManyChanges"}


@pytest.mark.parametrize("method", ["changes", "queryChanges"])
def test_unknown_states_and_strangers(cast: Cast, method: str) -> None:
    argument = "sinceState" if method == "changes" else "sinceQueryState"
    alice = JMAPClient(cast.alice)
    assert alice.error(f"Email/{method}", {argument: "nonsense"}) == {"type": "cannotCalculateChanges"}
    call = {"accountId": alice.account_id, argument: _state(alice)}
    assert JMAPClient(cast.charlie).error(f"Email/{method}", call) == {"type": "accountNotFound"}
