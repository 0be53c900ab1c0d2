"""What is lost on the way and made good: announcements, Redis, a whole process."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from jmapcore.lifecycle import renew_epoch
from jmapcore.store.database import connection
from mail.delivery.deliver import deliver
from tests.e2e.push.changes import change, states
from tests.support.cast import Cast
from tests.support.event_stream import EventStream
from tests.support.push_process import PushProcess, push_process
from tests.support.redis_server import RedisServer, own_redis

pytestmark = pytest.mark.e2e
URL = "/jmap/eventsource?types=*&closeafter=no&ping=0"


@pytest.fixture
def apart() -> Iterator[RedisServer]:
    """A Redis in which nobody announces anything."""
    with own_redis() as server:
        yield server


def opened(push: PushProcess, cast: Cast, **headers: str) -> EventStream:
    """Alice's event stream, behind its beginning."""
    stream = EventStream(push.port, URL, Authorization=cast.alice.bearer, **headers)
    assert stream.status == 200, stream.body
    stream.next()
    return stream


def test_what_was_never_announced_is_found_by_comparing(apart: RedisServer, cast: Cast) -> None:
    with (
        push_process(REDIS_URL=apart.url, PUSH_COMPARE_SECONDS="1") as process,
        opened(process, cast) as stream,
    ):
        change(cast.alice, "Email", "EmailDelivery")
        assert set(stream.event().value["changed"][cast.alice.account_id]) == {"Email", "EmailDelivery"}
        change(cast.alice, "Mailbox")
        assert stream.event().value["changed"] == {cast.alice.account_id: states(cast.alice, "Mailbox")}


def test_states_are_compared_as_soon_as_redis_is_back(apart: RedisServer, cast: Cast) -> None:
    with push_process(REDIS_URL=apart.url) as process, opened(process, cast) as stream:
        apart.stop()
        change(cast.alice, "Email")
        apart.start()
        begun = time.monotonic()
        assert set(stream.event().value["changed"][cast.alice.account_id]) == {"Email"}
        assert time.monotonic() - begun < 10


def test_without_redis_connections_open_and_learn_of_changes(cast: Cast) -> None:
    with (
        push_process(REDIS_URL="redis://127.0.0.1:1", PUSH_COMPARE_SECONDS="1") as process,
        opened(process, cast) as stream,
    ):
        change(cast.alice, "Email")
        assert set(stream.event().value["changed"][cast.alice.account_id]) == {"Email"}
        process.stop()
    assert process.printed.count("Redis does not answer") == 1


@pytest.mark.rfc("8620", "7.3")
def test_who_was_connected_to_a_killed_process_misses_nothing(cast: Cast) -> None:
    with push_process() as process:
        with opened(process, cast) as stream:
            change(cast.alice, "Mailbox")
            seen = stream.event().id
            process.stop()
            change(cast.alice, "Email")
        process.start()
        with opened(process, cast, Last_Event_ID=seen) as stream:
            assert set(stream.event().value["changed"][cast.alice.account_id]) == {"Email"}


def test_states_after_a_restore_from_backup_are_told_as_they_are(apart: RedisServer, cast: Cast) -> None:
    change(cast.alice, "Email", "Mailbox")
    with (
        push_process(REDIS_URL=apart.url, PUSH_COMPARE_SECONDS="1") as process,
        opened(process, cast) as stream,
    ):
        with connection() as lent:
            renew_epoch(cast.alice.account.pk, lent)
        told = stream.event().value["changed"][cast.alice.account_id]
        assert {name: told[name] for name in ("Email", "Mailbox")} == states(cast.alice, "Email", "Mailbox")


@pytest.mark.rfc("8621", "1.5")
def test_a_delivery_is_pushed(push: PushProcess, cast: Cast) -> None:
    with opened(push, cast) as stream:
        deliver(
            b"From: x@example.org\r\nSubject: Hello\r\n\r\nHello\r\n", [cast.alice.address], return_path=""
        )
        told = set(stream.event().value["changed"][cast.alice.account_id])
        assert {"Email", "EmailDelivery", "Mailbox", "Thread"} <= told
