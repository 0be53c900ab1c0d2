"""Thread/get and Thread/changes (RFC 8621 §3)."""

from __future__ import annotations

import pytest

from tests.protocol.post import add, get, message, received, reply, thread_of
from tests.support.cast import Cast
from tests.support.client import JMAPClient


@pytest.mark.rfc("8621", "3")
def test_emails_in_the_order_they_were_received(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    second = add(client, reply(2, 1), receivedAt=received(20))
    first = add(client, message(1), receivedAt=received(10))
    thread = thread_of(client, first)
    assert client.call("Thread/get", {"ids": [thread, "t9999"]}) | {"state": ""} == {
        "accountId": client.account_id,
        "state": "",
        "list": [{"id": thread, "emailIds": [first, second]}],
        "notFound": ["t9999"],
    }


@pytest.mark.rfc("8621", "3.1")
def test_no_property_but_the_id(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    thread = thread_of(client, add(client, message(1)))
    assert client.call("Thread/get", {"ids": [thread], "properties": []})["list"] == [{"id": thread}]


@pytest.mark.rfc("8621", "3")
def test_another_subject_is_another_thread(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first = add(client, message(1))
    other = add(client, reply(2, 1, subject="Something else"))
    assert thread_of(client, first) != thread_of(client, other)


@pytest.mark.rfc("8621", "3.2")
def test_changes(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first = add(client, message(1))
    alone = add(client, message(7, subject="Alone"))
    thread, gone = thread_of(client, first), thread_of(client, alone)
    state = client.call("Thread/get", {"ids": []})["state"]
    add(client, reply(2, 1))
    new = thread_of(client, add(client, message(3, subject="New")))
    client.call("Email/set", {"destroy": [alone]})
    changes = client.call("Thread/changes", {"sinceState": state})
    assert (changes["created"], changes["updated"], changes["destroyed"]) == ([new], [thread], [gone])


@pytest.mark.rfc("8621", "3")
def test_a_message_that_joins_two_threads_merges_them(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first = add(client, message(1), receivedAt=received(1))
    reply_to_first = add(client, reply(3, 1), receivedAt=received(2))
    second = add(client, message(2), keywords={"$flagged": True}, receivedAt=received(3))
    joining = message(4, fields="References: <m1@example.org> <m2@example.org>\r\n")
    joined = add(client, joining, receivedAt=received(4))
    (thread,) = client.call("Thread/get", {"ids": [thread_of(client, joined)]})["list"]
    assert client.call("Email/get", {"ids": [second]})["notFound"] == [second]
    assert thread["emailIds"][:2] == [first, reply_to_first]
    assert thread["emailIds"][3] == joined
    assert get(client, thread["emailIds"][2], "keywords")["keywords"] == {"$flagged": True}


@pytest.mark.parametrize(
    ("method", "arguments"), [("get", {"ids": None}), ("changes", {"sinceState": "x-1"})]
)
def test_a_stranger_finds_no_account(cast: Cast, method: str, arguments: dict[str, object]) -> None:
    call = {"accountId": cast.alice.account_id, **arguments}
    assert JMAPClient(cast.charlie).error(f"Thread/{method}", call) == {"type": "accountNotFound"}
