"""Announcing in Redis what a write has changed: one message for each commit, sent and not waited for.

A write is never slower or refused for the sake of Redis. While it is away that is logged once, and once it is back the processes
`push` are told to compare their states with the database, which makes good whatever was not announced.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.connection import ConnectionInterface, ConnectionPool
from redis.retry import Retry

from push.announcements import COMPARE, RIGHTS, StateMoved, channel, encode

logger = logging.getLogger("push.publishing")

TIMEOUT_SECONDS = 0.25
"""How long a first connection may take, and a server that takes nothing in; after that it is away."""
PAUSES_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between attempts to reach a Redis that is away; the last one again and again."""


class Publisher:
    """The connection of this process to a channel of a Redis server."""

    def __init__(self, url: str, channel_name: str) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            protocol=2,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        name = channel_name.encode()
        self._beginning = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$" % (len(name), name)
        self._lock = threading.Lock()
        self._connection: ConnectionInterface | None = None
        self._is_away = False
        self._ended = threading.Event()

    def publish(self, payload: bytes) -> bool:
        """Send a message on its way; whether it could be. Raises nothing."""
        with self._lock:
            if self._is_away:
                return False
            try:
                if self._connection is None:
                    self._connection = self._connect()
                self._send(self._connection, payload)
            except (redis.RedisError, OSError) as error:
                self._lose(error)
                return False
            return True

    def close(self) -> None:
        """End the connection and the attempts to make one."""
        self._ended.set()
        with self._lock:
            if self._connection is not None:
                self._connection.disconnect()
                self._connection = None

    def _connect(self) -> ConnectionInterface:
        made: ConnectionInterface = self._pool.make_connection()
        made.connect()
        # No answers: whatever can be read after this is the end of the connection.
        made.send_command("CLIENT", "REPLY", "OFF", check_health=False)
        return made

    def _send(self, connection: ConnectionInterface, payload: bytes) -> None:
        # Into a connection that has ended a first message could still be sent, and nobody would know that it was lost.
        if connection.can_read(0):
            raise redis.ConnectionError("the connection was ended")
        message = b"%b%d\r\n%b\r\n" % (self._beginning, len(payload), payload)
        connection.send_packed_command([message], check_health=False)

    def _lose(self, error: Exception) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None
        self._is_away = True
        logger.warning(
            "Redis does not answer; clients learn of changes up to half a minute late: %s",
            type(error).__name__,
        )
        threading.Thread(target=self._return, name="push-publisher", daemon=True).start()

    def _return(self) -> None:
        """Try until Redis is back, then have everything compared that was not announced meanwhile."""
        attempts = 0
        while not self._ended.wait(PAUSES_SECONDS[min(attempts, len(PAUSES_SECONDS) - 1)]):
            attempts += 1
            try:
                made = self._connect()
                self._send(made, COMPARE)
            except (redis.RedisError, OSError):
                continue
            with self._lock:
                self._connection = made
                self._is_away = False
            # One that was not announced between the first message and this moment.
            self.publish(COMPARE)
            logger.info("Redis is back")
            return


_lock = threading.Lock()
_publisher: Publisher | None = None


def publisher() -> Publisher:
    """The publisher of this process, made when the first write has been committed."""
    global _publisher
    if _publisher is None:
        with _lock:
            if _publisher is None:
                _publisher = Publisher(settings.REDIS_URL, channel())
    return _publisher


def announce_states(account_id: int, modseqs: dict[str, int]) -> None:
    """Tell the processes `push` which types of an account have changed (`jmapcore.store.write.after_commit`)."""
    publisher().publish(encode(StateMoved(account_id, modseqs)))


def announce_rights() -> None:
    """Tell the processes `push` that somebody's rights have changed (`accounts.lifecycle.rights_changed`)."""
    publisher().publish(RIGHTS)


def close_publisher() -> None:
    """Close the publisher, as a process ends or changes its database; the next write makes another."""
    global _publisher
    left, _publisher = _publisher, None
    if left is not None:
        left.close()


def _forget_publisher() -> None:
    global _lock, _publisher
    _lock = threading.Lock()
    _publisher = None


# A child of a fork has the parent's socket, whose messages would mix, and perhaps a lock that nobody in it will open.
os.register_at_fork(after_in_child=_forget_publisher)
atexit.register(close_publisher)
