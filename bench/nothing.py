"""A WSGI application that does nothing, served as the service is: what a request costs before anything is done for it.

The same work costs two and three times as much where neighbours share the processor, and a request that wakes processes suffers
more than a loop does. A request for nothing, measured before and after each row, says by how much.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.exchange import KeptConnection, Request
from bench.processor_time import family_nanoseconds
from jmapsite.embedded.process_end import die_with_parent

BUDGETED_MILLISECONDS = 0.11
"""What such a request cost where the budget was made."""

REQUESTS = 200
_BODY = b'{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"hello":true},"0"]]}'


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Read the body, answer two octets."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


class Nothing:
    """The running server."""

    def __init__(self, process_id: int, host: str, port: int) -> None:
        self._process_id = process_id
        self._host = host
        self._port = port

    def milliseconds(self) -> float:
        """Processor time of one request for nothing at this moment."""
        # A connection of its own: minutes may lie between two of these, and an idle one is closed before.
        connection = KeptConnection(self._host, self._port, "none")
        try:
            request = connection.encode(Request("POST", "/", _BODY))
            connection.send(request)
            before = family_nanoseconds(self._process_id)
            for _ in range(REQUESTS):
                connection.send(request)
            return (family_nanoseconds(self._process_id) - before) / REQUESTS / 1e6
        finally:
            connection.close()


@contextmanager
def running_nothing(
    host: str, port: int, wait: Callable[[subprocess.Popen[bytes], int], None]
) -> Iterator[Nothing]:
    """Serve nothing until the block ends; `wait` returns when the port answers."""
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", "2", "--blocking-threads", "64", "--backpressure", "64", "--no-ws", "--log-level", "error",
        "bench.nothing:application",
    ]  # fmt: skip
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parent.parent,
        env=dict(os.environ),
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    try:
        wait(child, port)
        served = Nothing(child.pid, host, port)
        served.milliseconds()
        yield served
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
