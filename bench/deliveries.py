"""Mail that comes in: messages of 20 kB over several LMTP connections, and what the process and PostgreSQL take for it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

from django.conf import settings

from bench.exchange import RefusedError
from bench.letters import NEWEST, Correspondence
from bench.nothing import BUDGETED_MILLISECONDS
from bench.processor_time import family, memory
from bench.service import STOP_SECONDS, Processes, await_port, free_port
from jmapsite.embedded.process_end import die_with_parent
from jmapsite.running.processes import lmtp

CONNECTIONS = 4
RECIPIENTS = 100
SIZE = 20_000
"""Octets of a message."""
WARM_UP = 100
"""Messages on each connection before the clock runs."""
LEAST_PER_SECOND = 200.0
MOST_GROWTH = 10_000_000
"""Octets that the process may grow by between the first and the last message."""
STYLE = 'style="margin:0 0 12px 0;font-family:Helvetica,Arial,sans-serif;font-size:14px;line-height:1.5;color:#222"'
_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What deliveries cost: milliseconds of processor time for one, octets of memory before and after all of them.

    `nothing` is what a request for nothing cost just before and after, on the average: the rate is scaled by it.
    """

    connections: int
    messages: int
    per_second: float
    latency_p50: float
    latency_p95: float
    latency_p99: float
    cpu_lmtp: float
    cpu_postgresql: float
    memory_before: int
    memory_after: int
    nothing: float

    @property
    def holds(self) -> bool:
        """Whether there are enough in a second, in memory that stays flat."""
        pace = self.nothing / BUDGETED_MILLISECONDS
        return (
            self.per_second * pace >= LEAST_PER_SECOND
            and self.memory_after - self.memory_before < MOST_GROWTH
        )


def line(found: Deliveries) -> str:
    """The figures on one line."""
    memory_before, memory_after = (octets / 1_000_000 for octets in (found.memory_before, found.memory_after))
    return (
        f"deliveries of {SIZE / 1_000:.0f} kB over {found.connections} connections: {found.per_second:.0f} per second (at least "
        f"{LEAST_PER_SECOND:.0f}), p50 {found.latency_p50:.1f} ms, p99 {found.latency_p99:.1f} ms, CPU {found.cpu_lmtp:.2f} ms + "
        f"{found.cpu_postgresql:.2f} ms PostgreSQL, memory {memory_before:.0f} MB before, {memory_after:.0f} MB after"
    )


def measure_deliveries(
    postgresql: int, database: str, messages: int, seed: int, log: Path, nothing: Callable[[], float]
) -> Deliveries:
    """Deliver so many messages to new users of a database, with a server of its own. Raises `RefusedError`, `ServiceError`."""
    recipients = _recipients()
    with (
        _running_lmtp(database, log) as (server, port),
        _senders(port, recipients, messages, seed) as senders,
    ):
        for sender in senders:
            _told(sender, "warm")
        before, nothing_before = _memory(server), nothing()
        processes = Processes(server, postgresql)
        spent = processes.nanoseconds()
        began = time.perf_counter()
        for sender in senders:
            sender.send("go")
        latencies = sorted(latency for sender in senders for latency in _answer(sender))
        seconds = time.perf_counter() - began
        lmtp_spent, postgresql_spent = (
            end - start for start, end in zip(spent, processes.nanoseconds(), strict=True)
        )
        count = len(latencies)
        return Deliveries(
            connections=CONNECTIONS,
            messages=count,
            per_second=count / seconds,
            latency_p50=_percentile(latencies, 0.50),
            latency_p95=_percentile(latencies, 0.95),
            latency_p99=_percentile(latencies, 0.99),
            cpu_lmtp=lmtp_spent / count / _MILLISECOND,
            cpu_postgresql=postgresql_spent / count / _MILLISECOND,
            memory_before=before,
            memory_after=_memory(server),
            nothing=(nothing_before + nothing()) / 2,
        )


def _memory(server: int) -> int:
    """Octets of all processes of the server; what they share counts for each."""
    return sum(memory(process_id)["resident"] for process_id in family(server))


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1_000


def _recipients() -> list[str]:
    # Django has to be set up before models are imported.
    from django.db import transaction

    from accounts.provisioning import create_tenant, create_user

    domain = f"deliveries-{os.getpid()}-{time.monotonic_ns()}.example"
    with transaction.atomic():
        create_tenant(domain, domain=domain)
        return [create_user(f"user{number}@{domain}").address for number in range(RECIPIENTS)]


@contextmanager
def _running_lmtp(database: str, log: Path) -> Iterator[tuple[int, int]]:
    """The LMTP process on a database: its process id, and its port."""
    port = free_port()
    process = lmtp()
    host = settings.DATABASES["default"]["HOST"]
    environment = {
        "DATABASE_URL": f"postgresql://{settings.DATABASES['default']['USER']}@/{database}?host={host}",
        "LMTP_PORT": str(port),
        "LOOKUP_PORT": "0",
        "LMTP_SOCKET": "",
        "LOOKUP_SOCKET": "",
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as output:
        child = subprocess.Popen(
            process.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env={**os.environ, **process.environment, **environment},
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        await_port(child, port, log)
        yield child.pid, port
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@contextmanager
def _senders(port: int, recipients: list[str], messages: int, seed: int) -> Iterator[list[Connection]]:
    """One process for each connection, each with its share of the messages composed."""
    # Spawned, not forked: the process that measures has threads and connections.
    context = multiprocessing.get_context("spawn")
    children = []
    for number in range(CONNECTIONS):
        ours, theirs = context.Pipe()
        order = (port, recipients[number::CONNECTIONS], messages // CONNECTIONS, seed * CONNECTIONS + number)
        process = context.Process(target=_send_all, args=(theirs, *order), daemon=True)
        process.start()
        theirs.close()
        children.append((process, ours))
    try:
        for _, channel in children:
            _told(channel, "ready")
        yield [channel for _, channel in children]
    finally:
        for process, channel in children:
            channel.close()
            process.terminate()
            process.join()


def _answer(channel: Connection) -> list[float]:
    answer = channel.recv()
    if isinstance(answer, str):
        raise RefusedError(answer)
    latencies: list[float] = answer
    return latencies


def _told(channel: Connection, word: str) -> None:
    """Wait until a sender says that it has come so far."""
    channel.send(word)
    answer = channel.recv()
    if answer != word:
        raise RefusedError(str(answer))


def _send_all(channel: Connection, port: int, recipients: list[str], count: int, seed: int) -> None:
    """The program of a sender."""
    contents = compose(seed, WARM_UP + count)
    try:
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            file = connection.makefile("rb")
            _expect(file, b"220")
            connection.sendall(b"LHLO bench.example\r\n")
            _expect(file, b"250")
            channel.send(channel.recv())
            for place, content in enumerate(contents[:WARM_UP]):
                send_one(connection, file, recipients[place % len(recipients)], content)
            channel.send(channel.recv())
            channel.recv()
            latencies = []
            for place, content in enumerate(contents[WARM_UP:]):
                began = time.perf_counter()
                send_one(connection, file, recipients[place % len(recipients)], content)
                latencies.append(time.perf_counter() - began)
            channel.send(latencies)
    except (RefusedError, OSError) as error:
        channel.send(f"{type(error).__name__}: {error}")


def send_one(connection: socket.socket, file: IO[bytes], recipient: str, content: bytes) -> None:
    """One transaction as an MTA makes it, with pipelining. Raises `RefusedError`, OSError."""
    commands = f"MAIL FROM:<sender@bench.example> SIZE={len(content)}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n"
    connection.sendall(commands.encode())
    for code in (b"250", b"250", b"354"):
        _expect(file, code)
    connection.sendall(content + b".\r\n")
    _expect(file, b"250")


def _expect(file: IO[bytes], code: bytes) -> None:
    while True:
        line = file.readline()
        if not line.startswith(code):
            raise RefusedError(f"{code.decode()} was due, {line!r} came")
        if line[3:4] == b" ":
            return


def compose(seed: int, count: int) -> list[bytes]:
    """So many messages of text and HTML of about `SIZE` octets, of which none begins a line with a dot."""
    writer = Correspondence(seed)
    return [_message(writer, seed, number) for number in range(count)]


def _message(writer: Correspondence, seed: int, number: int) -> bytes:
    mark = f"{seed}.{number}.{time.time_ns()}"
    head = (
        f"Received: from mail.bench.example (203.0.113.{number % 254 + 1})\r\n\tby mx.bench.example with ESMTPS id {number:08x};"
        f" {format_datetime(NEWEST)}\r\nDate: {format_datetime(NEWEST)}\r\nFrom: Sender <sender{number % 50}@bench.example>\r\n"
        f"To: Reader <reader@bench.example>\r\nSubject: {writer.text(6)}\r\nMessage-ID: <{mark}@bench.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    ).replace(".\n", " ")
    text = writer.text(740)
    # What mail programs do: both parts say the same.
    rows = "".join(f"<tr><td><p {STYLE}>{line}</p></td></tr>\n" for line in text.split("\n"))
    html = f'<!DOCTYPE html><html><body><table width="100%">\n{rows}</table></body></html>\n'
    body = "".join(
        f"--b\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{part}\r\n"
        for kind, part in (("plain", text), ("html", html))
    )
    lines = f"{head}{body}--b--\r\n".replace("\r\n", "\n").replace("\n.", "\n ").replace("\n", "\r\n")
    return lines.encode()
