"""Announcements on a real Redis, which goes away and comes back."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from redis import Redis
from redis.client import PubSub

from jmapcore.store.database import connection
from jmapcore.store.write import account_write
from push import publishing
from push.announcements import StateMoved, channel, decode
from push.publishing import Publisher
from tests.support.cast import Cast
from tests.support.redis_server import SECONDS, RedisServer, own_redis

CHANNEL = "a channel"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis of this test."""
    with own_redis() as running:
        yield running


@pytest.fixture
def publisher(server: RedisServer) -> Iterator[Publisher]:
    """A publisher to it."""
    made = Publisher(server.url, CHANNEL)
    yield made
    made.close()


def next_message(subscription: PubSub) -> bytes:
    """The next message of a subscription."""
    message = subscription.get_message(ignore_subscribe_messages=True, timeout=SECONDS)
    assert message is not None
    data = message["data"]
    assert isinstance(data, bytes)
    return data


def test_what_is_published_reaches_who_listens(server: RedisServer, publisher: Publisher) -> None:
    with server.listening(CHANNEL) as subscription:
        assert publisher.publish(b"one")
        assert publisher.publish(b"two")
        assert [next_message(subscription), next_message(subscription)] == [b"one", b"two"]


def test_a_redis_that_is_away_is_logged_once_and_refuses_nothing(
    server: RedisServer, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    assert publisher.publish(b"one")
    server.stop()
    with caplog.at_level(logging.INFO, "push.publishing"):
        assert [publisher.publish(b"two"), publisher.publish(b"three")] == [False, False]
    assert [(record.levelname, record.name) for record in caplog.records] == [("WARNING", "push.publishing")]


def test_a_redis_that_never_was_there_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    publisher = Publisher("redis://127.0.0.1:1", CHANNEL)
    with caplog.at_level(logging.INFO, "push.publishing"):
        assert [publisher.publish(b"one"), publisher.publish(b"two")] == [False, False]
    publisher.close()
    assert len(caplog.records) == 1


def test_what_was_not_announced_is_to_be_compared_once_redis_is_back(
    server: RedisServer, publisher: Publisher
) -> None:
    assert publisher.publish(b"one")
    server.stop()
    assert not publisher.publish(b"two")
    server.start()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        published = server.client().info("commandstats").get("cmdstat_publish", {"calls": 0})
        if published["calls"] == 2:  # one before the publisher is open again, and one after that
            return
        time.sleep(0.02)
    raise AssertionError("nothing was announced")


def test_a_write_announces_its_types_and_their_numbers(cast: Cast) -> None:
    account_id = cast.alice.account.pk
    subscription = Redis.from_url(settings.REDIS_URL).pubsub()
    subscription.subscribe(channel())
    assert subscription.get_message(timeout=SECONDS) is not None
    with connection() as lent, account_write(account_id, lent) as write:
        write.updated("Cake", 1)
        modseq = write.updated("Cake", 2)
        last = write.touched("EmailDelivery")
    assert decode(next_message(subscription)) == StateMoved(
        account_id, {"Cake": modseq, "EmailDelivery": last}
    )
    subscription.close()


def test_a_child_of_a_fork_has_a_connection_of_its_own(database: None) -> None:
    parents = publishing.publisher()
    subscription = Redis.from_url(settings.REDIS_URL).pubsub()
    subscription.subscribe(channel())
    assert subscription.get_message(timeout=SECONDS) is not None
    assert parents.publish(b"parent")
    child = os.fork()
    if not child:
        childs = publishing.publisher()
        os._exit(0 if childs is not parents and childs.publish(b"child") else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert parents.publish(b"parent again")
    assert [next_message(subscription) for _ in range(3)] == [b"parent", b"child", b"parent again"]
    subscription.close()
