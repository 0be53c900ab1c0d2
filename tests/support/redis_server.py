"""A Redis server of a test's own, which can be stopped and started again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from jmapsite.embedded.layout import Layout
from jmapsite.embedded.redis_server import find_program
from jmapsite.embedded.server_user import server_user
from tests.support.directories import new_var_dir

SECONDS = 15
"""For what must happen; a test that waits in vain fails after it."""


class RedisServer:
    """The server on a socket in a directory; it keeps nothing while it is stopped."""

    def __init__(self, directory: Path) -> None:
        self._socket = directory / "redis.sock"
        self._program = find_program(Layout(settings.VAR_DIR), server_user(Layout(settings.VAR_DIR)))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"unix://{self._socket}"

    def client(self) -> redis.Redis:
        """A client that does not try again."""
        return redis.Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), socket_timeout=SECONDS)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                self._program,
                "--port",
                "0",
                "--unixsocket",
                str(self._socket),
                "--save",
                "",
                "--loglevel",
                "warning",
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with suppress(redis.ConnectionError):
                if self.client().ping():
                    return
            time.sleep(0.02)
        raise AssertionError("redis-server does not answer")

    def stop(self) -> None:
        """Kill it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def listening(self, channel: str) -> Iterator[redis.client.PubSub]:
        """Listen to a channel; the subscription is there as the block begins."""
        subscription = self.client().pubsub()
        subscription.subscribe(channel)
        assert subscription.get_message(timeout=SECONDS) is not None
        try:
            yield subscription
        finally:
            subscription.close()


@contextmanager
def own_redis() -> Iterator[RedisServer]:
    """A server that runs as the block begins, and not after it."""
    with new_var_dir() as directory:
        directory.chmod(0o755)
        server = RedisServer(directory)
        server.start()
        try:
            yield server
        finally:
            server.stop()
