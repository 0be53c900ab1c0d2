"""The web process as `make run` starts it, and which processes belong to it and to PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from bench.processor_time import family, family_nanoseconds, memory
from jmapsite.embedded import POSTGRESQL, Layout
from jmapsite.embedded.process_end import die_with_parent
from jmapsite.running.processes import web

START_SECONDS = 60.0
STOP_SECONDS = 10.0
_SMALLEST_WORKER = 30_000_000
"""Octets: processes below that are what multiprocessing keeps beside the workers."""


class ServiceError(Exception):
    """The service did not start; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The first process of the web server and of PostgreSQL."""

    web: int
    postgresql: int

    def nanoseconds(self) -> tuple[int, int]:
        """Processor time so far of web and of PostgreSQL, all their processes together."""
        return family_nanoseconds(self.web), family_nanoseconds(self.postgresql)

    def web_workers(self) -> list[int]:
        """The processes that answer requests."""
        children = [process_id for process_id in family(self.web) if process_id != self.web]
        return [child for child in children if memory(child).get("resident", 0) > _SMALLEST_WORKER]


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_web(database: str, log: Path) -> Iterator[Processes]:
    """Run the web process on a database until the block ends; what it prints goes to `log`. Raises `ServiceError`."""
    process = web(None)
    layout = Layout(settings.VAR_DIR)
    url = f"postgresql://{settings.DATABASES['default']['USER']}@/{database}?host={layout.sockets}"
    with log.open("wb") as output:
        child = subprocess.Popen(
            process.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env={**os.environ, **process.environment, "DATABASE_URL": url, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        await_port(child, settings.PORT, log)
        yield Processes(child.pid, int(layout.process_id(POSTGRESQL).read_text("ascii")))
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def await_port(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when a process answers on its port. Raises `ServiceError`."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((settings.HOST, port), timeout=1).close()
        except OSError:
            if child.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(f"The web process did not start; what it said is in {log}.") from None
            time.sleep(0.05)
        else:
            return
