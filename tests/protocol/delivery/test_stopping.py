"""The end of the server: a message is answered after it was stored, or not at all; `manage.py lmtp` as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from jmapcore.store.write import AccountWrite
from mail.delivery import hooks
from mail.delivery.hooks import Arrived
from tests.support.cast import Cast
from tests.support.lmtp import SECONDS, RawClient, running_server
from tests.support.mail_store import message
from tests.support.ports import free_ports
from tests.support.received_mail import only, received
from tests.support.service import MANAGE

END = b".\r\n"


def await_that(condition: Callable[[], bool]) -> None:
    """Return when it is so; fail when it does not become so in time."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def held_up(begun: threading.Event, go_on: threading.Event) -> Iterator[None]:
    """Deliveries wait within their write until they are told to go on."""

    def wait(write: AccountWrite, arrived: Arrived) -> None:
        begun.set()
        assert go_on.wait(SECONDS)

    hooks.in_write.append(wait)
    try:
        yield
    finally:
        go_on.set()
        hooks.in_write.remove(wait)


def test_a_message_that_is_being_stored_is_answered_yet(cast: Cast, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    with held_up(begun, go_on), running_server(tmp_path) as server, RawClient(server.port) as client:
        client.greet().begin(cast.alice.address, cast.bob.address)
        client.say("DATA")
        client.send(message("one") + END)
        assert begun.wait(SECONDS)
        server.begin_to_stop()
        await_that(lambda: server.server.is_stopping)
        go_on.set()
        # The second recipient was not begun with.
        assert [client.reply()[:9] for _ in range(3)] == ["250 2.1.5", "451 4.3.2", "421 4.3.2"]
        assert client.at_its_end()
    assert only(cast.alice).subject == "Lunch"
    assert received(cast.bob) == []


def test_a_message_that_is_still_coming_is_not_answered(cast: Cast, tmp_path: Path) -> None:
    with running_server(tmp_path) as server, RawClient(server.port) as client:
        client.greet().begin(cast.alice.address)
        client.say("DATA")
        client.send(message("one"))
        server.begin_to_stop()
        assert client.at_its_end()
    assert received(cast.alice) == []


def test_a_client_between_messages_is_told(cast: Cast, tmp_path: Path) -> None:
    with running_server(tmp_path) as server, RawClient(server.port) as client:
        client.greet().begin(cast.alice.address)
        server.begin_to_stop()
        assert client.reply()[:9] == "421 4.3.2"
        assert client.at_its_end()


def test_the_server_does_not_wait_for_a_client_that_went_away(cast: Cast, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    with held_up(begun, go_on), running_server(tmp_path) as server:
        with RawClient(server.port) as client:
            client.greet().begin(cast.alice.address)
            client.say("DATA")
            client.send(message("one") + END)
            assert begun.wait(SECONDS)
        server.begin_to_stop()
        go_on.set()
    assert only(cast.alice).subject == "Lunch"


def test_a_message_waits_for_a_thread_though_its_client_went_away(cast: Cast, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    raw = message("two", subject="two")
    with held_up(begun, go_on), running_server(tmp_path, threads=1) as server:
        with RawClient(server.port) as client:
            client.greet().begin(cast.alice.address)
            with RawClient(server.port) as other:
                other.greet().begin(cast.bob.address)
                client.say("DATA")
                client.send(message("one") + END)
                assert begun.wait(SECONDS)
                other.say("DATA")
                other.send(raw + END)
                await_that(lambda: server.storing == 2)
        go_on.set()
        await_that(lambda: server.storing == 0)
    assert only(cast.bob).raw.endswith(raw)


@contextmanager
def running_process(directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`manage.py lmtp` on the database of the tests, and its port."""
    database = settings.DATABASES["default"]
    [port] = free_ports(1)
    child = subprocess.Popen(
        [*MANAGE, "lmtp"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "jmapsite.settings",
            "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}",
            "REDIS_URL": settings.REDIS_URL,
            "VAR_DIR": str(directory),
            "LMTP_PORT": str(port),
            "LOOKUP_PORT": "0",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await_that(lambda: answers(port))
        yield child, port
    finally:
        child.terminate()
        child.wait(3 * SECONDS)


def answers(port: int) -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def children(process_id: int) -> list[int]:
    """The processes that a process has begun and that are there."""
    found = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
    return [int(number) for number in found.split()]


@pytest.fixture
def directory(tmp_path: Path, database: None) -> Path:
    return tmp_path


def test_the_process_takes_mail_and_ends_with_sigterm(cast: Cast, directory: Path) -> None:
    with running_process(directory) as (child, port):
        for place, path in enumerate(["", str(directory / "lmtp.sock")]):
            with RawClient(0 if path else port, path) as client:
                client.greet().begin(cast.alice.address)
                assert client.content(message(f"m{place}") + END)[0][:9] == "250 2.1.5"
        child.send_signal(signal.SIGTERM)
        assert child.wait(SECONDS) == 0
        assert not answers(port)
    assert len(received(cast.alice)) == 2


def test_a_process_that_is_killed_is_replaced(cast: Cast, directory: Path) -> None:
    with running_process(directory) as (child, port):
        await_that(lambda: len(children(child.pid)) == 2)
        before = children(child.pid)
        for process_id in before:
            os.kill(process_id, signal.SIGKILL)
        await_that(lambda: len(set(children(child.pid)) - set(before)) == 2)
        with RawClient(port) as client:
            client.greet().begin(cast.alice.address)
            assert client.content(message("one") + END)[0][:9] == "250 2.1.5"


def test_no_process_outlives_the_first(directory: Path) -> None:
    with running_process(directory) as (child, port):
        child.kill()
        child.wait()
        await_that(lambda: not answers(port))
