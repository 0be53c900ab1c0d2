"""The event source (RFC 8620 §7.3), over sockets to the real process."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from accounts.access import CONTACTS_SCOPE
from accounts.credentials import create_access_token
from tests.e2e.push.changes import change, states
from tests.support.cast import Cast, Person
from tests.support.event_stream import EventStream
from tests.support.push_process import SECONDS, PushProcess

pytestmark = pytest.mark.e2e
URL = "/jmap/eventsource"
ALL = "types=*&closeafter=no&ping=0"


def stream(push: PushProcess, person: Person, query: str = ALL, **headers: str) -> EventStream:
    """An event stream of somebody, behind its beginning: a comment and perhaps the position."""
    opened = EventStream(push.port, f"{URL}?{query}", Authorization=person.bearer, **headers)
    assert opened.status == 200, opened.body
    first = opened.next()
    assert first is not None
    assert (first.comment, first.event, first.data) == ("", "", "")
    return opened


@pytest.mark.rfc("8620", "7.3")
def test_the_headers_and_a_comment_come_at_once(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice) as opened:
        wanted = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-store, no-transform",
            "x-accel-buffering": "no",
            "access-control-allow-origin": "*",
        }
        assert {name: opened.headers.get(name) for name in wanted} == wanted


@pytest.mark.rfc("8620", "7.3")
@pytest.mark.rfc("8620", "7.1")
@pytest.mark.rfc("8621", "1.5")
def test_a_change_is_pushed_with_the_states_that_get_gives(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice) as opened:
        change(cast.alice, "Mailbox", "Email", "EmailDelivery")
        event = opened.event()
    changed = event.value["changed"]
    assert event.value == {"@type": "StateChange", "changed": changed}
    assert list(changed) == [cast.alice.account_id]
    delivery = changed[cast.alice.account_id].pop("EmailDelivery")
    assert changed[cast.alice.account_id] == states(cast.alice, "Mailbox", "Email")
    assert delivery.split("-")[0] == changed[cast.alice.account_id]["Email"].split("-")[0]
    assert event.id


@pytest.mark.rfc("8620", "7.3")
def test_only_the_wanted_types_are_pushed(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice, "types=Thread,CalendarEvent&closeafter=no&ping=0") as opened:
        change(cast.alice, "Mailbox")
        change(cast.alice, "Email", "Thread")
        assert list(opened.event().value["changed"][cast.alice.account_id]) == ["Thread"]


@pytest.mark.rfc("8620", "7.1")
def test_accounts_of_others_are_pushed_to_who_was_granted_them_and_to_nobody_else(
    push: PushProcess, cast: Cast
) -> None:
    with stream(push, cast.bob) as bob, stream(push, cast.charlie) as charlie:
        change(cast.alice, "Email")
        assert list(bob.event().value["changed"]) == [cast.alice.account_id]
        change(cast.charlie, "Email")
        assert list(charlie.event().value["changed"]) == [cast.charlie.account_id]


@pytest.mark.rfc("8620", "7.3")
def test_closeafter_state_ends_the_stream_after_a_state_event(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice, "types=*&closeafter=state&ping=0") as opened:
        change(cast.alice, "Email")
        assert list(opened.event().value["changed"][cast.alice.account_id]) == ["Email"]
        assert opened.next() is None


@pytest.mark.rfc("8620", "7.3")
def test_the_last_event_id_brings_what_was_missed_at_once_and_no_more(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice) as opened:
        change(cast.alice, "Mailbox")
        seen = opened.event().id
    change(cast.alice, "Email")
    change(cast.alice, "Thread")
    with stream(push, cast.alice, Last_Event_ID=seen) as opened:
        event = opened.event()
        assert set(event.value["changed"][cast.alice.account_id]) == {"Email", "Thread"}
    with stream(push, cast.alice, Last_Event_ID=event.id) as opened:
        change(cast.alice, "Identity")
        assert set(opened.event().value["changed"][cast.alice.account_id]) == {"Identity"}


@pytest.mark.rfc("8620", "7.3")
def test_who_saw_no_event_can_resume_from_the_beginning_of_the_stream(push: PushProcess, cast: Cast) -> None:
    with EventStream(push.port, f"{URL}?{ALL}", Authorization=cast.alice.bearer) as opened:
        first = opened.next()
    assert first is not None
    change(cast.alice, "Email")
    with stream(push, cast.alice, Last_Event_ID=first.id) as opened:
        assert set(opened.event().value["changed"][cast.alice.account_id]) == {"Email"}


@pytest.mark.rfc("8620", "7.3")
@pytest.mark.parametrize("seen", ["nonsense", "0" * 9000, "a:1.x.1"])
def test_an_id_that_was_never_sent_brings_every_state(push: PushProcess, cast: Cast, seen: str) -> None:
    with stream(push, cast.alice, "types=Email,Mailbox&closeafter=no&ping=0", Last_Event_ID=seen) as opened:
        assert opened.event().value["changed"] == {
            cast.alice.account_id: states(cast.alice, "Email", "Mailbox")
        }


@pytest.mark.rfc("8620", "7.3")
def test_closeafter_state_with_something_missed_ends_at_once(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice, "types=*&closeafter=state&ping=0", Last_Event_ID="nonsense") as opened:
        assert opened.event().event == "state"
        assert opened.next() is None


@pytest.mark.rfc("8620", "7.3")
def test_a_ping_says_its_interval_within_the_limits_and_sets_no_id(push: PushProcess, cast: Cast) -> None:
    with stream(push, cast.alice, "types=*&closeafter=no&ping=1") as opened:
        ping = opened.next()
    assert ping is not None
    assert (ping.event, ping.value, ping.id) == ("ping", {"interval": 5}, "")


@pytest.mark.parametrize(
    "query",
    [
        "a=1&" * 60,
        "types=&closeafter=no&ping=0",
        "types=*,Email",
        "closeafter=yes",
        "ping=-1",
        "ping=1.5",
        "ping=x",
    ],
)
def test_variables_that_mean_nothing_are_refused(push: PushProcess, cast: Cast, query: str) -> None:
    with EventStream(push.port, f"{URL}?{query}", Authorization=cast.alice.bearer) as opened:
        assert (opened.status, opened.headers["content-type"]) == (400, "application/problem+json")
        assert json.loads(opened.body)["status"] == 400


@pytest.mark.rfc("8620", "7.3")
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_without_a_credential_there_is_no_stream(
    push: PushProcess, cast: Cast, headers: dict[str, str]
) -> None:
    with EventStream(push.port, f"{URL}?{ALL}", **headers) as opened:
        assert opened.status == 401
        assert "Bearer" in opened.headers["www-authenticate"]


def test_a_token_without_the_scope_of_mail_is_told_of_no_mail(push: PushProcess, cast: Cast) -> None:
    _, token = create_access_token(cast.alice.user, scopes=[CONTACTS_SCOPE])
    with EventStream(push.port, f"{URL}?{ALL}&ping=5", Authorization=f"Bearer {token}") as opened:
        change(cast.alice, "Email", "EmailDelivery")
        assert opened.event("ping").value == {"interval": 5}


def test_a_preflight_allows_an_event_source_that_sends_its_token(push: PushProcess) -> None:
    answer = httpx.options(f"{push.url}{URL}")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = set(answer.headers["access-control-allow-headers"].split(", "))
    assert {"Authorization", "Content-Type", "Last-Event-ID"} <= allowed


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("POST", URL, 405), ("GET", "/jmap/websocket", 404)]
)
def test_whatever_else_is_asked_for_is_refused(
    push: PushProcess, method: str, path: str, status: int
) -> None:
    assert httpx.request(method, f"{push.url}{path}").status_code == status


def test_a_body_is_not_taken_in(push: PushProcess) -> None:
    with socket.create_connection(("127.0.0.1", push.port), timeout=SECONDS) as client:
        client.sendall(
            b"POST /jmap/eventsource HTTP/1.1\r\nHost: push\r\nContent-Length: 10000000000\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")
