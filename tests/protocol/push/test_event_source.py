"""The event source (RFC 8620 §7.3), over sockets to the real process."""

from __future__ import annotations

from typing import Any

import pytest

from jmapcore.store.database import connection
from jmapcore.store.write import account_write
from tests.support.cast import Cast, Person
from tests.support.client import JMAPClient
from tests.support.event_stream import Event, EventStream
from tests.support.push_process import PushProcess

URL = "/jmap/eventsource"


def stream(push: PushProcess, person: Person, query: str = "types=*&closeafter=no&ping=0", **headers: str) -> EventStream:
    """An event stream of somebody, behind its beginning."""
    opened = EventStream(push.port, f"{URL}?{query}", Authorization=person.bearer, **headers)
    assert opened.status == 200, opened.body
    return opened


def change(person: Person, *types: str) -> None:
    """Advance the states of some types of somebody's account."""
    with connection() as lent, account_write(person.account.pk, lent) as write:
        for name in types:
            write.touched(name)


def states(person: Person, *types: str) -> dict[str, str]:
    """The states that /get gives at this moment."""
    client = JMAPClient(person)
    return {name: client.call(f"{name}/get", {"ids": []})["state"] for name in types}


@pytest.mark.rfc("8620", "7.3")
def test_the_headers_and_a_comment_come_at_once(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice) as opened:
        first = opened.next()
    assert first is not None
    assert (first.comment, first.event, first.data) == ("", "", "")
    wanted = {
        "content-type": "text/event-stream; charset=utf-8",
        "x-accel-buffering": "no",
        "access-control-allow-origin": "*",
    }
    assert {name: opened.headers.get(name) for name in wanted} == wanted


@pytest.mark.rfc("8620", "7.3")
@pytest.mark.rfc("8620", "7.1")
def test_a_change_is_pushed_with_the_states_that_get_gives(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice) as opened:
        opened.next()
        client = JMAPClient(cast.alice)
        client.call("Mailbox/set", {"create": {"one": {"name": "One"}}})
        event = opened.event()
    assert event.value == {"@type": "StateChange", "changed": {cast.alice.account_id: states(cast.alice, "Mailbox")}}
    assert event.id
