"""Mail that goes out: submissions to a local sink, how many in a second, and how soon after its sendAt one leaves.

One process of couriers, as each process of the worker has it (`manage.py send_submissions`), the sink in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from bench.letters import Correspondence
from bench.processor_time import memory
from bench.service import STOP_SECONDS, Processes, free_port
from jmapsite.embedded.process_end import die_with_parent

if TYPE_CHECKING:
    from accounts.models import User

USERS = 10
TIMED = 40
"""Submissions with a sendAt of their own, a tenth of a second apart."""
LEAD_SECONDS = 3.0
LEAST_PER_SECOND = 50.0
LATEST_SECONDS = 1.0
WAIT_SECONDS = 300.0
_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Submissions:
    """What sending costs: milliseconds of processor time for one; seconds from sendAt until the sink has it."""

    messages: int
    signed: bool
    per_second: float
    cpu_sender: float
    cpu_postgresql: float
    late_p50: float
    late_most: float
    memory: int

    @property
    def holds(self) -> bool:
        """Whether there are enough in a second, and none is late."""
        return self.per_second >= LEAST_PER_SECOND and self.late_most < LATEST_SECONDS


def line(found: Submissions) -> str:
    """The figures on one line."""
    return (
        f"submissions{' (signed)' if found.signed else ''}: {found.per_second:.0f} per second (at least {LEAST_PER_SECOND:.0f}), "
        f"CPU {found.cpu_sender:.2f} ms + {found.cpu_postgresql:.2f} ms PostgreSQL, after sendAt {found.late_p50 * 1_000:.0f} ms "
        f"(at most {found.late_most * 1_000:.0f} ms), {found.memory / 1_000_000:.0f} MB"
    )


def measure_submissions(
    postgresql: int, database: str, messages: int, log: Path, *, signed: bool = False
) -> Submissions:
    """Send so many messages of new users of a database, signed or not."""
    users = _users(signed=signed)
    with _sink() as (port, channel), _running_sender(database, port, log) as sender:
        _submit(users, USERS, datetime.now(UTC))  # connections are made, caches filled
        _taken(channel, USERS)
        moment = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
        timed = [moment + timedelta(seconds=0.1 * number) for number in range(TIMED)]
        for number, each in enumerate(timed):
            _submit(users[number % USERS :][:1], 1, each)
        arrived = _taken(channel, TIMED)
        late = sorted(at - due.timestamp() for at, due in zip(arrived, timed, strict=True))
        due = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS + messages / 400)
        _submit(users, messages, due)
        time.sleep(max(0.0, due.timestamp() - time.time()))
        processes = Processes(sender, postgresql)
        spent = processes.nanoseconds()
        arrived = _taken(channel, messages)
        sender_spent, postgresql_spent = (
            end - start for start, end in zip(spent, processes.nanoseconds(), strict=True)
        )
        return Submissions(
            messages=messages,
            signed=signed,
            per_second=messages / (arrived[-1] - due.timestamp()),
            cpu_sender=sender_spent / messages / _MILLISECOND,
            cpu_postgresql=postgresql_spent / messages / _MILLISECOND,
            late_p50=late[len(late) // 2],
            late_most=late[-1],
            memory=memory(sender)["resident"],
        )


def _users(*, signed: bool) -> list[User]:
    # Django has to be set up before models are imported.
    from django.db import transaction

    from accounts.provisioning import add_domain, create_tenant, create_user
    from mail.outbound.keys import create_key

    name = f"submissions-{os.getpid()}-{time.monotonic_ns()}.example"
    with transaction.atomic():
        domain = add_domain(create_tenant(name), name)
        if signed:
            create_key(domain)
        return [create_user(f"user{number}@{name}") for number in range(USERS)]


def _submit(users: list[User], count: int, due: datetime) -> None:
    """Submissions of one Email of each user, in turns."""
    from jmapcore.store.database import connection
    from jmapcore.store.write import account_write
    from mail.ingest import NewEmail, add_messages, prepare
    from mail.submissions import QUEUED, Submission, submit

    words = Correspondence(count)
    for place, user in enumerate(users):
        own = count // len(users) + (place < count % len(users))
        if not own:
            continue
        number = f"{time.monotonic_ns()}@bench.example"
        header = f"From: {user.address}\r\nTo: somebody@elsewhere.example\r\nMessage-ID: <{number}>\r\n"
        raw = header.encode() + b"Date: Sun, 01 Mar 2026 12:00:00 +0000\r\nSubject: Out\r\n\r\n"
        prepared = prepare(raw + words.text(300).encode() + b"\r\n")
        account_id = user.account.pk
        recipient = "somebody@elsewhere.example"
        envelope: dict[str, Any] = {
            "mailFrom": {"email": user.address, "parameters": None},
            "rcptTo": [{"email": recipient, "parameters": None}],
        }
        with connection() as lent, account_write(account_id, lent) as write:
            inbox = write.run(("SELECT min(id) FROM mailbox WHERE account_id = %s", (account_id,)))[0][0][0]
            [email] = add_messages(write, [NewEmail(prepared, [inbox], (), due)])
            numbers = write.new_ids(own)
            submit(
                write,
                user.pk,
                [
                    Submission(
                        number,
                        1,
                        email.id,
                        email.thread_id,
                        email.blob_id,
                        envelope,
                        due,
                        {recipient: QUEUED},
                    )
                    for number in numbers
                ],
            )


@contextmanager
def _running_sender(database: str, port: int, log: Path) -> Iterator[int]:
    """A process of couriers on a database, with the sink for a relay: its process id."""
    host = settings.DATABASES["default"]["HOST"]
    environment = {
        "DATABASE_URL": f"postgresql://{settings.DATABASES['default']['USER']}@/{database}?host={host}",
        "MAIL_RELAY_URL": f"smtp://127.0.0.1:{port}",
    }
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "manage.py", "send_submissions"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env={**os.environ, **environment},
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        yield child.pid
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@contextmanager
def _sink() -> Iterator[tuple[int, Connection]]:
    """A mail server in a process of its own: its port, and a channel that says when each message was taken."""
    port = free_port()
    # Spawned, not forked: the process that measures has threads and connections.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_take_all, args=(theirs, port), daemon=True)
    process.start()
    theirs.close()
    try:
        ours.recv()
        yield port, ours
    finally:
        ours.close()
        process.terminate()
        process.join()


def _taken(channel: Connection, count: int) -> list[float]:
    """When the next so many messages were taken, in order."""
    moments: list[float] = []
    until = time.monotonic() + WAIT_SECONDS
    while len(moments) < count:
        if not channel.poll(until - time.monotonic()):
            raise TimeoutError(f"{count - len(moments)} of {count} messages did not come")
        moments.append(channel.recv())
    return moments


def _take_all(channel: Connection, port: int) -> None:
    """The program of the sink."""
    from aiosmtpd.controller import Controller

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
            channel.send(time.time())
            return "250 2.0.0 Taken"

    Controller(Handler(), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True).start()
    channel.send(0.0)
    signal.pause()
