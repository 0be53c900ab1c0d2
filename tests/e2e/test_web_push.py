"""Web push with the real processes: a client subscribes, and what changes and arrives is pushed by the worker."""

from __future__ import annotations

import base64
import json
import smtplib
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from jmapsite.embedded.layout import Layout
from tests.support.directories import new_var_dir
from tests.support.mail_store import message
from tests.support.push_receiver import ClientKeys, Receiver, push_receiver
from tests.support.service import Service, manage, running_service

pytestmark = pytest.mark.e2e

CORE, MAIL = "urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"
VAPID = "urn:ietf:params:jmap:webpush-vapid"


class Client:
    """A demo user who speaks to the service."""

    def __init__(self, service: Service) -> None:
        demo = json.loads((service.var_dir / "demo-credentials.json").read_text())
        user = demo["users"][0]
        self.address = user["address"]
        basic = base64.b64encode(f"{self.address}:{user['password']}".encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
        self._url = f"http://127.0.0.1:{service.port}"
        self.account_id = self.session()["primaryAccounts"][MAIL]

    def session(self) -> Any:
        """The Session object."""
        return self._open("/.well-known/jmap", None)

    def call(self, name: str, **arguments: Any) -> Any:
        """What a method answers."""
        request = {"using": [CORE, MAIL], "methodCalls": [[name, arguments, "c"]]}
        [[_, answer, _]] = self._open("/jmap/api", json.dumps(request).encode())["methodResponses"]
        return answer

    def _open(self, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(self._url + path, body, self._headers)  # noqa: S310  # loopback
        with urllib.request.urlopen(request) as response:  # noqa: S310  # as above
            return json.load(response)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A push service."""
    with push_receiver(tmp_path_factory.mktemp("push")) as running:
        yield running


@pytest.fixture(scope="module")
def service(receiver: Receiver) -> Iterator[Service]:
    """The service, which may reach the push service on this machine."""
    with (
        new_var_dir() as var_dir,
        running_service(
            var_dir, FETCH_ALLOWED_NETWORKS="127.0.0.0/8", FETCH_CA_FILE=receiver.ca_file
        ) as running,
    ):
        yield running


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.rfc("8620", "7.2.2")
def test_a_subscription_from_its_code_to_new_mail(service: Service, receiver: Receiver) -> None:
    client, keys, url = Client(service), ClientKeys(), receiver.subscribe()
    wanted = {client.account_id: {"properties": ["subject"]}}
    given = {"deviceClientId": "d", "url": url, "keys": keys.wire, "types": ["Mailbox"], "emailPush": wanted}
    made = client.call("PushSubscription/set", create={"s": given})["created"]["s"]
    assert within(5, lambda: len(receiver.to(url)) == 1)
    code = receiver.objects(url, keys)[0]["verificationCode"]
    answer = client.call("PushSubscription/set", update={made["id"]: {"verificationCode": code}})
    assert answer["updated"] == {made["id"]: None}
    client.call("Mailbox/set", accountId=client.account_id, create={"m": {"name": "Pushed"}})
    assert within(5, lambda: len(receiver.to(url)) == 2)
    assert receiver.objects(url, keys)[1]["@type"] == "StateChange"
    with smtplib.LMTP("127.0.0.1", service.lmtp_port) as lmtp:
        lmtp.sendmail("zoe@example.org", [client.address], message("a", subject="Party"))

    def has_come() -> bool:
        return "EmailPush" in [each["@type"] for each in receiver.objects(url, keys)]

    # After the distance that pushes keep.
    assert within(15, has_come)
    [told] = [each for each in receiver.objects(url, keys) if each["@type"] == "EmailPush"]
    assert told["emails"] == [{"subject": "Party"}]


def test_an_emptied_redis_loses_no_push(service: Service, receiver: Receiver) -> None:
    client, url = Client(service), receiver.subscribe()
    given = {"deviceClientId": "d", "url": url, "types": ["Mailbox"]}
    made = client.call("PushSubscription/set", create={"s": given})["created"]["s"]
    assert within(5, lambda: len(receiver.to(url)) == 1)
    code = receiver.objects(url)[0]["verificationCode"]
    client.call("PushSubscription/set", update={made["id"]: {"verificationCode": code}})
    with Redis(unix_socket_path=str(Layout(service.var_dir).redis_socket)) as redis:
        client.call("Mailbox/set", accountId=client.account_id, create={"m": {"name": "Lost"}})
        # Whatever the commit calls for within the next second, nobody hears it.
        for _ in range(50):
            redis.flushall()
            time.sleep(0.02)
    assert within(40, lambda: len(receiver.to(url)) == 2)


@pytest.mark.rfc("9749", "5")
def test_a_rotated_key_is_in_every_session_soon(service: Service) -> None:
    client = Client(service)
    before = client.session()
    rotated = manage(service.var_dir, "rotate_vapid_key")
    assert rotated.returncode == 0, rotated.stderr

    def is_new() -> bool:
        # Several requests, which go to all processes of web.
        sessions = [client.session() for _ in range(10)]
        return all(
            each["state"] != before["state"]
            and each["capabilities"][VAPID]["applicationServerKey"] in rotated.stdout
            for each in sessions
        )

    assert within(10, is_new)
