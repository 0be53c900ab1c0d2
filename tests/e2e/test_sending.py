"""Mail leaves the running service: at once, at its moment, and whatever becomes of Redis and of the worker's processes."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from jmapsite.embedded import Layout
from tests.e2e.test_durability import processes_with
from tests.support.directories import new_var_dir
from tests.support.http_client import Client
from tests.support.relay import Sink, sink, until
from tests.support.service import manage, running_service

pytestmark = pytest.mark.e2e

ADDRESS = "ann@sending.example"


class Writer:
    """Ann, who sends."""

    def __init__(self, client: Client) -> None:
        client.open()
        self.client = client
        [self.drafts] = client.call(("Mailbox/query", {"filter": {"role": "drafts"}}))[0]["ids"]
        self.identity = client.call(("Identity/get", {"ids": None}))[0]["list"][0]["id"]

    def send(self, recipient: str, **parameters: str) -> str:
        """A submission of a new message; its id."""
        draft = {
            "mailboxIds": {self.drafts: True},
            "from": [{"email": ADDRESS}],
            "to": [{"email": recipient}],
            "subject": recipient,
            "textBody": [{"partId": "1", "type": "text/plain"}],
            "bodyValues": {"1": {"value": "Hello"}},
        }
        envelope = {
            "mailFrom": {"email": ADDRESS, "parameters": parameters or None},
            "rcptTo": [{"email": recipient}],
        }
        submission = {"identityId": self.identity, "emailId": "#d", "envelope": envelope}
        made, sent = self.client.call(
            ("Email/set", {"create": {"d": draft}}), ("EmailSubmission/set", {"create": {"s": submission}})
        )
        assert made["created"], made
        return str(sent["created"]["s"]["id"])

    def pending(self) -> list[str]:
        """The submissions that are not over."""
        found: list[str] = self.client.call(("EmailSubmission/query", {"filter": {"undoStatus": "pending"}}))[
            0
        ]["ids"]
        return found


@pytest.fixture(scope="module")
def ground() -> Iterator[tuple[Path, Sink, Writer]]:
    """A running service with a user and a relay."""
    with new_var_dir() as path, sink() as relay:
        changes = {"MAIL_RELAY_URL": relay.relay.name}
        with running_service(path, **changes) as service:
            made = manage(path, "create_tenant", "Sending", "--domain", "sending.example")
            assert made.returncode == 0, made.stderr
            assert manage(path, "create_user", ADDRESS).returncode == 0
            token = manage(path, "create_access_token", ADDRESS).stdout.split()[-1]
            yield path, relay, Writer(Client(service.port, token))
            service.stop()


def worker_processes(var_dir: Path) -> list[int]:
    """The processes of the pool."""
    found = processes_with(var_dir, "celery", "worker")
    leaders = {pid for pid, _ in found}
    return [pid for pid, parent in found if parent in leaders]


def test_it_leaves_at_once(ground: tuple[Path, Sink, Writer]) -> None:
    _, relay, ann = ground
    before = len(relay.taken)
    ann.send("now@elsewhere.example")
    relay.wait_for(before + 1, 1.0)


def test_it_leaves_within_a_second_of_its_moment(ground: tuple[Path, Sink, Writer]) -> None:
    _, relay, ann = ground
    before = len(relay.taken)
    number = ann.send("soon@elsewhere.example", HOLDFOR="2")
    [shown] = ann.client.call(("EmailSubmission/get", {"ids": [number]}))[0]["list"]
    due = datetime.fromisoformat(shown["sendAt"])
    relay.wait_for(before + 1, 10.0)
    assert 0 <= (datetime.now(UTC) - due).total_seconds() < 1


def test_redis_may_be_emptied(ground: tuple[Path, Sink, Writer]) -> None:
    var_dir, relay, ann = ground
    before = len(relay.taken)
    number = ann.send("later@elsewhere.example", HOLDFOR="2")
    server: Any = redis.Redis(unix_socket_path=str(Layout(var_dir).redis_socket))
    server.flushall()
    server.close()
    relay.wait_for(before + 1, 10.0)
    until(lambda: number not in ann.pending(), every=0.5)


def test_processes_of_the_worker_are_killed_while_they_send(ground: tuple[Path, Sink, Writer]) -> None:
    var_dir, relay, ann = ground
    names = [f"r{number}@elsewhere.example" for number in range(40)]
    kills = 0
    for place, name in enumerate(names):
        ann.send(name)
        if place % 12 == 6:
            victims = until(lambda: worker_processes(var_dir))
            os.kill(victims[0], signal.SIGKILL)
            kills += 1
    # Not too often: nobody reads what the service logs of it.
    until(lambda: not ann.pending(), 60, every=0.5)
    counted = Counter(name for each in relay.taken for name in each.recipients if name in names)
    assert set(counted) == set(names)
    # What a process had in hand as it was killed comes back after the lease; twice only what was not noted yet.
    assert sum(counted.values()) - len(names) <= 6 * kills
    checked = manage(var_dir, "verify_account", ADDRESS)
    assert checked.returncode == 0, checked.stdout
