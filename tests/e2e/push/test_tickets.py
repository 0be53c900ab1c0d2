"""Tickets for browsers: fetched with a credential, put into a URL."""

from __future__ import annotations

import signal
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import AccessToken, AppPassword
from accounts.provisioning import set_password
from jmapcore.store.database import connection, run
from push.tickets import sweep
from tests.e2e.push.changes import change
from tests.support.cast import Cast, Person, basic, make_person
from tests.support.event_stream import EventStream
from tests.support.push_process import PushProcess, push_process
from tests.support.web_socket import WebSocketClient

pytestmark = pytest.mark.e2e
CAPABILITY = "https://jmapsite.example/jmap/push-tickets"
FILLED = {"{types}": "*", "{closeafter}": "no", "{ping}": "0"}


def fetch(authorization: str, transport: str) -> str:
    """The path and query of the URL with a new ticket, its variables filled in."""
    client = Client(headers={"Authorization": authorization})
    session = client.get("/jmap/session").json()
    url = session["capabilities"][CAPABILITY][f"{transport}TicketUrl"]
    answer = client.post(urlsplit(url).path)
    assert answer.status_code == 200, answer.content
    document = answer.json()
    assert set(document) == {"url", "ticket", "firstUseBefore"}
    assert document["ticket"] in document["url"]
    parts = urlsplit(document["url"])
    query = parts.query
    for name, value in FILLED.items():
        query = query.replace(name, value)
    return f"{parts.path}?{query}"


def age(seconds: int) -> None:
    """Let every ticket be older by so much."""
    with connection() as lent:
        run(
            lent,
            ("UPDATE push_ticket SET issued_at = issued_at - make_interval(secs => %s::int)", (seconds,)),
        )


def opens_stream(push: PushProcess, path: str) -> bool:
    """Whether a URL opens an event stream, which ends again."""
    with EventStream(push.port, path) as stream:
        assert stream.status in {200, 401}
        return stream.status == 200


def opens_socket(push: PushProcess, path: str) -> bool:
    """Whether a URL opens a WebSocket, which ends again."""
    with WebSocketClient(push.port, path=path) as client:
        assert client.refused in {0, 401}
        return not client.refused


@pytest.mark.rfc("8620", "1.8")
def test_the_session_says_where_tickets_are_and_where_to_connect(cast: Cast) -> None:
    session = Client(headers={"Authorization": cast.alice.bearer}).get("/jmap/session").json()
    assert session["capabilities"][CAPABILITY] == {
        "webSocketTicketUrl": f"{settings.PUBLIC_URL}/jmap/ticket/websocket",
        "eventSourceTicketUrl": f"{settings.PUBLIC_URL}/jmap/ticket/eventsource",
    }
    assert session["eventSourceUrl"].startswith(f"{settings.PUSH_PUBLIC_URL}/jmap/eventsource?")


@pytest.mark.rfc("8887", "3")
def test_the_session_says_where_web_sockets_connect(cast: Cast) -> None:
    session = Client(headers={"Authorization": cast.alice.bearer}).get("/jmap/session").json()
    assert session["capabilities"]["urn:ietf:params:jmap:websocket"] == {
        "url": f"{settings.PUSH_PUBLIC_URL.replace('http', 'ws', 1)}/jmap/websocket",
        "supportsPush": True,
    }


@pytest.mark.rfc("8887", "4.1")
def test_a_ticket_opens_one_web_socket(push: PushProcess, cast: Cast) -> None:
    path = fetch(cast.alice.bearer, "webSocket")
    with WebSocketClient(push.port, path=path) as client:
        assert not client.refused
        client.send(
            {
                "@type": "Request",
                "using": ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"],
                "methodCalls": [["Mailbox/get", {"accountId": cast.alice.account_id, "ids": []}, "0"]],
            }
        )
        assert client.receive()["methodResponses"][0][1]["accountId"] == cast.alice.account_id
    assert not opens_socket(push, path)


@pytest.mark.rfc("8620", "7.3")
def test_a_ticket_opens_an_event_source_again_and_again(push: PushProcess, cast: Cast) -> None:
    path = fetch(cast.alice.bearer, "eventSource")
    assert opens_stream(push, path)
    age(3600)
    with EventStream(push.port, path) as stream:
        stream.next()
        change(cast.alice, "Email")
        assert list(stream.event().value["changed"]) == [cast.alice.account_id]


def test_a_ticket_that_is_not_used_within_a_minute_opens_nothing(push: PushProcess, cast: Cast) -> None:
    paths = [fetch(cast.alice.bearer, transport) for transport in ("webSocket", "eventSource")]
    age(61)
    assert [opens_socket(push, paths[0]), opens_stream(push, paths[1])] == [False, False]


def test_a_ticket_is_for_its_own_transport_alone(push: PushProcess, cast: Cast) -> None:
    to_socket, to_stream = (fetch(cast.alice.bearer, transport) for transport in ("webSocket", "eventSource"))
    assert not opens_stream(push, to_socket.replace("websocket", "eventsource"))
    assert not opens_socket(push, to_stream.replace("eventsource", "websocket"))


@pytest.mark.parametrize("ticket", ["", "x", "%C3%A9", "x" * 8000])
def test_what_is_no_ticket_opens_nothing(push: PushProcess, cast: Cast, ticket: str) -> None:
    assert not opens_stream(push, f"/jmap/eventsource?ticket={ticket}")


def revoke_token(person: Person) -> None:
    """Revoke somebody's access token."""
    AccessToken.objects.filter(user=person.user).delete()


def delete_app_password(person: Person) -> None:
    """Delete somebody's app password."""
    AppPassword.objects.filter(user=person.user).delete()


def change_password(person: Person) -> None:
    """Give somebody another account password."""
    set_password(person.user, "another long password")


@pytest.mark.parametrize("how", [revoke_token, delete_app_password, change_password])
def test_a_ticket_ends_with_its_credential(push: PushProcess, cast: Cast, how: object) -> None:
    dave = make_person(cast.north_domain, "Dave", password="correct horse battery")
    authorization = {
        revoke_token: dave.bearer,
        delete_app_password: dave.basic,
        change_password: basic(dave.address, "correct horse battery"),
    }[how]  # type: ignore[index]
    path = fetch(authorization, "eventSource")
    assert opens_stream(push, path)
    how(dave)  # type: ignore[operator]
    assert not opens_stream(push, path)


def test_without_a_credential_there_is_no_ticket(cast: Cast) -> None:
    assert Client().post("/jmap/ticket/websocket").status_code == 401


def test_a_ticket_is_not_fetched_by_a_link(cast: Cast) -> None:
    assert (
        Client(headers={"Authorization": cast.alice.bearer}).get("/jmap/ticket/websocket").status_code == 405
    )


def test_the_sweep_deletes_what_is_over_and_nothing_else(push: PushProcess, cast: Cast) -> None:
    used = fetch(cast.alice.bearer, "eventSource")
    of_bob = fetch(cast.bob.bearer, "eventSource")
    assert opens_stream(push, used)
    assert opens_stream(push, of_bob)
    fetch(cast.alice.bearer, "eventSource")
    age(61)
    fresh = fetch(cast.alice.bearer, "webSocket")
    revoke_token(cast.bob)
    with connection() as lent:
        assert sweep(lent) >= 2
        assert sweep(lent) == 0
        [result] = run(
            lent, ("SELECT transport FROM push_ticket WHERE user_id = ANY(%s::bigint[]) ORDER BY 1",
                   ([cast.alice.user.pk, cast.bob.user.pk],))
        )  # fmt: skip
    assert [row[0] for row in result] == ["eventsource", "websocket"]
    assert opens_stream(push, used)
    assert opens_socket(push, fresh)


def test_neither_tickets_nor_tokens_are_printed(cast: Cast) -> None:
    to_socket, to_stream = (fetch(cast.alice.bearer, transport) for transport in ("webSocket", "eventSource"))
    with push_process() as process:
        assert opens_socket(process, to_socket)
        assert not opens_socket(process, to_socket)
        assert opens_stream(process, to_stream)
        assert not opens_stream(process, to_stream + "x")
        with WebSocketClient.of(process.port, cast.alice) as client:
            client.send("{")
            client.receive()
        process.stop(signal.SIGTERM)
    assert "eventsource 200" in process.printed
    secrets = [to_socket, to_stream, cast.alice.token]
    assert not [each for each in secrets if each.rpartition("=")[2] in process.printed]
    assert "ticket=" not in process.printed
