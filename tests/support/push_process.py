"""The process `push` as a child of a test, on the test's database, and the clients that talk to it over sockets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

from django.conf import settings

from jmapsite.running.processes import FEW_ARENAS
from tests.support.ports import free_ports

SECONDS = 15
"""For what must happen; a test that waits in vain fails after it."""


def database_url() -> str:
    """The test's database, for another process."""
    database = settings.DATABASES["default"]
    return f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(str(database['HOST']))}"


class PushProcess:
    """One process `push`; it can be killed and started again on the same port."""

    def __init__(self, **changes: str) -> None:
        [self.port] = free_ports(1)
        self._changes = changes
        self._child: subprocess.Popen[bytes] | None = None
        # Not a pipe: nobody reads while it runs, and a process that cannot write its log stands still.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # `close` closes it
        self.printed = ""

    @property
    def url(self) -> str:
        """The origin of its URLs."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process_id(self) -> int:
        """Its process id."""
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._child = subprocess.Popen(
            [
                sys.executable, "-m", "push.serving",
                "--endpoint", f"tcp:{self.port}:interface=127.0.0.1", "jmapsite.asgi:application",
            ],
            env={
                **os.environ,
                **FEW_ARENAS,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "PYTEST_XDIST_WORKER": "push",  # the settings of the tests take VAR_DIR as it is
                "DATABASE_URL": database_url(),
                "REDIS_URL": settings.REDIS_URL,
                "PUBLIC_URL": settings.PUBLIC_URL,
                "PUSH_PUBLIC_URL": settings.PUSH_PUBLIC_URL,
                **self._changes,
            },
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = time.monotonic() + SECONDS * 2
        while time.monotonic() < deadline and self._child.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        self.stop()
        raise AssertionError(self.printed)

    def stop(self, sign: int = signal.SIGKILL) -> None:
        """End it, if it runs; what it printed is in `printed` then."""
        if self._child is not None:
            child, self._child = self._child, None
            child.send_signal(sign)
            try:
                child.wait(SECONDS)
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            self._output.seek(0)
            self.printed = self._output.read().decode(errors="replace")

    def close(self) -> None:
        """End it for good."""
        self.stop()
        self._output.close()


@contextmanager
def push_process(**changes: str) -> Iterator[PushProcess]:
    """A process that runs as the block begins, and not after it."""
    process = PushProcess(**changes)
    process.start()
    try:
        yield process
    finally:
        process.close()
