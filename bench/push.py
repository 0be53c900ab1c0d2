"""What is pushed: how soon after its commit, what idle connections cost, and what a request over a WebSocket costs.

`python -m bench --only push` runs it on the working copy, with users of its own. The connections are plain sockets in this
process; the process `push` is the one that `make run` starts.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from bench.exchange import jmap
from bench.measuring import percentile
from bench.processor_time import family_nanoseconds, memory
from bench.service import STOP_SECONDS, await_port, free_port
from bench.target import Target, connect
from jmapsite.embedded.process_end import die_with_parent
from jmapsite.running.processes import push

if TYPE_CHECKING:
    from accounts.models import User

IDLE = 1_000
MANY = 10_000
USERS = 200
WATCHED = 20
"""Accounts that change in turn, so that no connection has to wait for the gap between two of its events."""
EVENTS = 600
REQUESTS = 1_000
AT_ONCE = 100
TIMEOUT_SECONDS = 60.0
MOST_MEDIAN, MOST_P99 = 20.0, 200.0
"""Milliseconds from a commit until its client knows."""
MOST_MEMORY = 400_000_000
MOST_ADDED = 0.6
"""Milliseconds of processor time that a request over a WebSocket may cost beyond one over HTTP."""
MOST_GROWTH = 1.5
"""Times what an event costs with ten connections that it may cost with ten thousand."""
_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Pushed:
    """The figures; milliseconds, and octets of memory. `cpu_…` are of the process `push` for one event."""

    connections: int
    many: int
    latency_p50: float
    latency_p99: float
    many_latency_p50: float
    memory_alone: int
    memory_many: int
    cpu_few: float
    cpu_many: float
    cpu_web_socket: float
    cpu_http: float

    @property
    def octets_each(self) -> float:
        """Memory for one connection."""
        return (self.memory_many - self.memory_alone) / self.many

    @property
    def holds(self) -> bool:
        """Whether the budget is kept."""
        return (
            self.latency_p50 < MOST_MEDIAN
            and self.latency_p99 < MOST_P99
            and self.memory_many < MOST_MEMORY * max(1.0, self.many / MANY)
            and self.cpu_many < max(self.cpu_few * MOST_GROWTH, self.cpu_few + 0.1)
            and self.cpu_web_socket < self.cpu_http + MOST_ADDED
        )


def lines(found: Pushed) -> list[str]:
    """The figures, a line each."""
    return [
        f"push: commit to client {found.latency_p50:.1f} ms, p99 {found.latency_p99:.1f} ms with {found.connections} idle"
        f" (at most {MOST_MEDIAN:.0f}, {MOST_P99:.0f}); {found.many_latency_p50:.1f} ms with {found.many}",
        f"push: {found.many} idle connections {found.memory_many / 1e6:.0f} MB (at most {MOST_MEMORY / 1e6:.0f}),"
        f" {found.octets_each / 1024:.1f} KiB each, {found.memory_alone / 1e6:.0f} MB without any",
        f"push: CPU of an event {found.cpu_few:.2f} ms with 10 connections, {found.cpu_many:.2f} ms with {found.many}",
        f"push: CPU of Core/echo {found.cpu_web_socket:.2f} ms over a WebSocket, {found.cpu_http:.2f} ms over HTTP"
        f" (at most {MOST_ADDED} more)",
    ]


def measure_push(web: int, target: Target, database: str, log: Path, many: int = MANY) -> Pushed:
    """Measure push on a database, with the web process of this id for comparison. Raises `ServiceError` and `OSError`."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    many = min(many, hard - 500)
    # Imported here, for Django has to be set up. The channel has the name of the database: it was another one as it was seeded.
    from push.publishing import close_publisher

    close_publisher()
    watched, others = _users()
    with _running_push(database, log) as process_id, ExitStack() as opened:
        alone = _settled_memory(process_id)
        streams = opened.enter_context(_Streams())
        streams.open(WATCHED, watched)
        idle = opened.enter_context(_Streams())
        idle.open(10, others)
        _, cpu_few = _events(watched, streams, process_id)
        idle.open(IDLE - 10, others)
        latencies, _ = _events(watched, streams, process_id)
        cpu_web_socket = _web_socket_cost(process_id, watched[0][1])
        idle.open(many - IDLE, others)
        many_latencies, cpu_many = _events(watched, streams, process_id)
        memory_many = memory(process_id)["resident"]
    return Pushed(
        connections=IDLE,
        many=many,
        latency_p50=percentile(latencies, 0.50),
        latency_p99=percentile(latencies, 0.99),
        many_latency_p50=percentile(many_latencies, 0.50),
        memory_alone=alone,
        memory_many=memory_many,
        cpu_few=cpu_few,
        cpu_many=cpu_many,
        cpu_web_socket=cpu_web_socket,
        cpu_http=_http_cost(web, target),
    )


def _users() -> tuple[list[tuple[User, str]], list[tuple[User, str]]]:
    """Those whose accounts change, and others, each with an access token."""
    # Django has to be set up before models are imported.
    from django.db import transaction

    from accounts.credentials import create_access_token
    from accounts.provisioning import add_domain, create_tenant, create_user

    name = f"push-{os.getpid()}-{time.monotonic_ns()}.example"
    with transaction.atomic():
        add_domain(create_tenant(name), name)
        users = [create_user(f"user{number}@{name}") for number in range(WATCHED + USERS)]
        holders = [(user, create_access_token(user)[1]) for user in users]
    return holders[:WATCHED], holders[WATCHED:]


@contextmanager
def _running_push(database: str, log: Path) -> Iterator[int]:
    """The process `push` on a database: its process id."""
    settings.PUSH_PORT = free_port()
    host = settings.DATABASES["default"]["HOST"]
    url = f"postgresql://{settings.DATABASES['default']['USER']}@/{database}?host={host}"
    with log.open("wb") as output:
        child = subprocess.Popen(
            push(None).command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": url},
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        await_port(child, settings.PUSH_PORT, log)
        yield child.pid
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _settled_memory(process_id: int) -> int:
    """What the process takes once it has served one request."""
    with socket.create_connection((settings.HOST, settings.PUSH_PORT), timeout=TIMEOUT_SECONDS) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: push\r\nConnection: close\r\n\r\n")
        while client.recv(65_536):
            pass
    return memory(process_id)["resident"]


class _Streams:
    """Event streams that are open and say nothing."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []

    def open(self, count: int, users: list[tuple[User, str]]) -> None:
        """Open so many more, some at a time; each is there when its beginning has come."""
        left = count
        while left > 0:
            batch = []
            for number in range(min(AT_ONCE, left)):
                _, token = users[(len(self.sockets) + number) % len(users)]
                client = socket.create_connection(
                    (settings.HOST, settings.PUSH_PORT), timeout=TIMEOUT_SECONDS
                )
                client.sendall(
                    b"GET /jmap/eventsource?types=*&closeafter=no&ping=0 HTTP/1.1\r\nHost: push\r\n"
                    b"Authorization: Bearer %b\r\n\r\n" % token.encode()
                )
                batch.append(client)
            for client in batch:
                received = b""
                while b"\nid: " not in received:
                    piece = client.recv(65_536)
                    if not piece:
                        raise ConnectionError(received.decode("latin-1"))
                    received += piece
            self.sockets += batch
            left -= len(batch)

    def __enter__(self) -> _Streams:
        return self

    def __exit__(self, *problem: object) -> None:
        for client in self.sockets:
            client.close()


def _events(watched: list[tuple[User, str]], streams: _Streams, process_id: int) -> tuple[list[int], float]:
    """Commit changes to accounts; the sorted nanoseconds from each commit to its event, and the processor time of an event.

    The processor time of doing nothing for as long is taken off: what idle connections cost is not the event's.
    """
    from jmapcore.store.database import connection
    from jmapcore.store.write import account_write, after_commit

    committed = 0

    def note(account_id: int, modseqs: dict[str, int]) -> None:
        nonlocal committed
        committed = time.monotonic_ns()

    latencies: list[int] = []
    after_commit.insert(0, note)
    try:
        spent = family_nanoseconds(process_id)
        begun = time.monotonic()
        accounts = [user.account.pk for user, _ in watched]
        for number in range(EVENTS):
            client = streams.sockets[number % len(accounts)]
            with connection() as lent, account_write(accounts[number % len(accounts)], lent) as write:
                write.touched("EmailDelivery")
            received = b""
            while b"event: state" not in received or not received.endswith(b"\n\n\r\n"):
                if not select.select([client], [], [], TIMEOUT_SECONDS)[0]:
                    raise TimeoutError("no event has come")
                piece = client.recv(65_536)
                if not piece:
                    raise ConnectionError(f"the stream has ended after {len(latencies)} events")
                received += piece
            latencies.append(time.monotonic_ns() - committed)
        seconds = time.monotonic() - begun
        spent = family_nanoseconds(process_id) - spent
    finally:
        after_commit.remove(note)
    idle = family_nanoseconds(process_id)
    time.sleep(seconds)
    idle = family_nanoseconds(process_id) - idle
    return sorted(latencies), max(0.0, (spent - idle) / EVENTS / _MILLISECOND)


def _masked(text: bytes) -> bytes:
    """A text message as a client sends it; the mask is zeros, which change nothing (RFC 6455 §5.3)."""
    size = len(text)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack("!H", size)
    return b"\x81" + length + b"\0\0\0\0" + text


def _web_socket_cost(process_id: int, token: str) -> float:
    """Processor time of Core/echo over a WebSocket, milliseconds."""
    body = json.loads(jmap(("Core/echo", {"hello": True})).body)
    message = _masked(json.dumps({"@type": "Request", "id": "0", **body}).encode())
    with socket.create_connection((settings.HOST, settings.PUSH_PORT), timeout=TIMEOUT_SECONDS) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(
            b"GET /jmap/websocket HTTP/1.1\r\nHost: push\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\nSec-WebSocket-Protocol: jmap\r\n"
            b"Authorization: Bearer %b\r\n\r\n" % (base64.b64encode(os.urandom(16)), token.encode())
        )
        _until(client, b"\r\n\r\n")
        spent = 0
        for number in range(REQUESTS + 100):
            if number == 100:
                spent = family_nanoseconds(process_id)
            client.sendall(message)
            _until(client, b'"sessionState"', b"}")
        return (family_nanoseconds(process_id) - spent) / REQUESTS / _MILLISECOND


def _until(client: socket.socket, mark: bytes, end: bytes = b"") -> None:
    received = b""
    while mark not in received or not received.endswith(end):
        piece = client.recv(65_536)
        if not piece:
            raise ConnectionError(received.decode("latin-1"))
        received += piece


def _http_cost(web: int, target: Target) -> float:
    """Processor time of Core/echo over HTTP, milliseconds."""
    request = jmap(("Core/echo", {"hello": True}))
    client = connect(target)
    try:
        spent = 0
        for number in range(REQUESTS + 100):
            if number == 100:
                spent = family_nanoseconds(web)
            client.exchange(request)
        return (family_nanoseconds(web) - spent) / REQUESTS / _MILLISECOND
    finally:
        client.close()
