"""How connections end: with their credential, with the process, and with clients that take nothing in."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from accounts.models import AccessToken, AppPassword, User
from accounts.provisioning import (
    delete_user,
    grant_access,
    revoke_access,
    set_password,
    set_tenant_suspended,
    set_user_suspended,
)
from tests.e2e.push.changes import change
from tests.support.cast import Cast, Person, basic, make_person
from tests.support.client import CORE, MAIL
from tests.support.event_stream import EventStream
from tests.support.push_process import SECONDS, PushProcess, push_process
from tests.support.web_socket import TEXT, WebSocketClient, frame

pytestmark = pytest.mark.e2e
URL = "/jmap/eventsource?types=*&closeafter=no&ping=0"
WITHIN_SECONDS = 5.0
POLICY_VIOLATION = 1008


def revoke_token(person: Person) -> None:
    """As an OAuth client's revocation does it: the row goes, and nobody is told."""
    AccessToken.objects.filter(user=person.user).delete()


def expire_token(person: Person) -> None:
    """Let the access token end."""
    AccessToken.objects.filter(user=person.user).update(expires=timezone.now() - timedelta(seconds=1))


def delete_app_passwords(person: Person) -> None:
    """Delete the app passwords."""
    AppPassword.objects.filter(user=person.user).delete()


def change_password(person: Person) -> None:
    """Give somebody another account password."""
    set_password(person.user, "another long password")


def suspend(person: Person) -> None:
    """Suspend the user."""
    set_user_suspended(person.user, True)


def suspend_tenant(person: Person) -> None:
    """Suspend everybody of the tenant."""
    assert person.user.tenant is not None
    set_tenant_suspended(person.user.tenant, True)


def delete(person: Person) -> None:
    """Delete the user."""
    delete_user(User.objects.get(pk=person.user.pk))


@pytest.mark.rfc("8887", "4.1")
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("bearer", revoke_token),
        ("bearer", expire_token),
        ("bearer", suspend),
        ("bearer", suspend_tenant),
        ("bearer", delete),
        ("app password", delete_app_passwords),
        ("password", change_password),
    ],
)
def test_connections_end_soon_after_their_credential(
    push: PushProcess, cast: Cast, kind: str, how: Callable[[Person], None]
) -> None:
    dave = make_person(cast.north_domain, "Dave", password="correct horse battery")
    authorization = {
        "bearer": dave.bearer,
        "app password": dave.basic,
        "password": basic(dave.address, "correct horse battery"),
    }[kind]
    with (
        WebSocketClient(push.port, authorization) as client,
        EventStream(push.port, URL, Authorization=authorization) as stream,
        WebSocketClient.of(push.port, cast.charlie) as other,
    ):
        assert (client.refused, stream.status) == (0, 200)
        stream.next()
        ended = time.monotonic()
        how(dave)
        assert client.close_code() == POLICY_VIOLATION
        assert stream.next() is None
        assert time.monotonic() - ended < WITHIN_SECONDS
        other.send({"@type": "Request", "using": [CORE], "methodCalls": [["Core/echo", {}, "0"]]})
        assert other.receive()["@type"] == "Response"


def test_a_request_after_the_end_of_the_credential_does_nothing(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        revoke_token(cast.alice)
        create = {"accountId": cast.alice.account_id, "create": {"one": {"name": "One"}}}
        client.send(
            {"@type": "Request", "using": [CORE, MAIL], "methodCalls": [["Mailbox/set", create, "0"]]}
        )
        assert client.close_code() == POLICY_VIOLATION


def test_a_withdrawn_grant_ends_the_connection(push: PushProcess, cast: Cast) -> None:
    with EventStream(push.port, URL, Authorization=cast.bob.bearer) as stream:
        stream.next()
        ended = time.monotonic()
        revoke_access(cast.alice.account, cast.bob.user)
        assert stream.next() is None
        assert time.monotonic() - ended < WITHIN_SECONDS


def test_a_new_grant_is_told_of_on_the_same_connection(push: PushProcess, cast: Cast) -> None:
    with EventStream(push.port, URL, Authorization=cast.dora.bearer) as stream:
        stream.next()
        grant_access(cast.bob.account, cast.dora.user, is_read_only=True)
        deadline = time.monotonic() + WITHIN_SECONDS
        stream.socket.settimeout(0.2)
        while time.monotonic() < deadline:
            change(cast.bob, "Email")
            try:
                assert list(stream.event().value["changed"]) == [cast.bob.account_id]
                return
            except TimeoutError:
                stream.reopen()
        raise AssertionError("nothing was told of the account")


def test_requests_follow_rights_that_change(push: PushProcess, cast: Cast) -> None:
    ask = {
        "@type": "Request",
        "using": [CORE, MAIL],
        "methodCalls": [["Mailbox/get", {"accountId": cast.bob.account_id, "ids": []}, "0"]],
    }
    with WebSocketClient.of(push.port, cast.dora) as client:
        client.send(ask)
        assert client.receive()["methodResponses"][0][1] == {"type": "accountNotFound"}
        grant_access(cast.bob.account, cast.dora.user)
        client.send(ask)
        assert client.receive()["methodResponses"][0][0] == "Mailbox/get"


def test_a_process_that_is_stopped_says_so(cast: Cast) -> None:
    with push_process() as process, WebSocketClient.of(process.port, cast.alice) as client:
        process.stop(signal.SIGTERM)
        assert client.close_code() == 1001


def connect_slow_reader(push: PushProcess, head: str) -> socket.socket:
    """A connection whose client has room for a few octets."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", push.port))
    client.sendall(head.encode())
    return client


def resident(process_id: int) -> int:
    """Octets of memory of a process."""
    with open(f"/proc/{process_id}/statm") as file:  # noqa: PTH123  # no file of ours
        return int(file.read().split()[1]) * 4096


def test_a_client_that_reads_nothing_is_bounded_and_harms_nobody(push: PushProcess, cast: Cast) -> None:
    head = (
        "GET /jmap/websocket HTTP/1.1\r\nHost: push\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: jmap\r\nAuthorization: {cast.alice.bearer}\r\n\r\n"
    )
    numbers = count()
    message = b'{"@type":"Request","using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"a":"%b"},"%d"]]}'
    before = resident(push.process_id)
    with connect_slow_reader(push, head) as client:
        client.settimeout(0.5)
        with suppress(TimeoutError):
            while True:
                client.sendall(frame(TEXT, message % (b"x" * 500_000, next(numbers))))
        assert next(numbers) < 150
        with WebSocketClient.of(push.port, cast.bob) as other:
            other.send({"@type": "Request", "using": [CORE], "methodCalls": [["Core/echo", {}, "0"]]})
            assert other.receive()["@type"] == "Response"
        assert resident(push.process_id) - before < 150_000_000


def test_a_user_has_no_more_connections_than_allowed(cast: Cast) -> None:
    with (
        push_process(PUSH_CONNECTIONS_OF_USER="2", PUSH_CONNECTIONS="3") as process,
        WebSocketClient.of(process.port, cast.alice),
        EventStream(process.port, URL, Authorization=cast.alice.bearer) as stream,
    ):
        stream.next()
        with EventStream(process.port, URL, Authorization=cast.alice.bearer) as refused:
            assert (refused.status, refused.headers["retry-after"]) == (429, "30")
        with (
            WebSocketClient.of(process.port, cast.bob),
            WebSocketClient(process.port, cast.bob.bearer) as client,
        ):
            assert client.refused == 503


def test_what_waits_for_one_user_is_bounded_over_all_connections(cast: Cast) -> None:
    head = (
        "GET /jmap/websocket HTTP/1.1\r\nHost: push\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: jmap\r\nAuthorization: {cast.alice.bearer}\r\n\r\n"
    )
    message = b'{"@type":"Request","using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"a":"%b"},"0"]]}'
    large = frame(TEXT, message % (b"x" * 9_000_000))
    with push_process() as process, ExitStack() as opened:
        before, cut_off = resident(process.process_id), 0
        for _ in range(40):
            client = opened.enter_context(connect_slow_reader(process, head))
            client.settimeout(SECONDS)
            received = b""
            while not received.endswith(b"\r\n\r\n"):
                received += client.recv(1)
            client.sendall(large)
            try:
                client.recv(1)  # the answer comes, as far as there is room for it
            except ConnectionResetError:
                cut_off += 1
        with WebSocketClient.of(process.port, cast.bob) as other:
            other.send({"@type": "Request", "using": [CORE], "methodCalls": [["Core/echo", {}, "0"]]})
            assert other.receive()["@type"] == "Response"
        assert cut_off > 20
        assert resident(process.process_id) - before < 300_000_000
