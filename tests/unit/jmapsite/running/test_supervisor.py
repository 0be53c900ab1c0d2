"""Processes that are started, end, and are stopped."""

from __future__ import annotations

import socket
import sys

import pytest

from jmapsite.running.processes import Process
from jmapsite.running.supervisor import RunError, Supervisor, refuse_taken_ports


def python(name: str, code: str) -> Process:
    """A process that runs this code."""
    return Process(name, [sys.executable, "-c", code])


def test_lines_carry_the_name_of_their_process(capsys: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor(print)
    supervisor.start(python("one", "print('hello')"))
    supervisor.pass_on_output()
    with pytest.raises(RunError):
        supervisor.watch(lambda: None)
    supervisor.stop()
    assert capsys.readouterr().out == "one    | hello\n"


def test_a_process_that_ends_is_named() -> None:
    supervisor = Supervisor(print)
    supervisor.start(python("one", "raise SystemExit(3)"))
    supervisor.pass_on_output()
    with pytest.raises(RunError, match=r"^The process one has ended \(exit status 3\): everything stops\.$"):
        supervisor.watch(lambda: None)
    supervisor.stop()


def test_a_lost_server_is_named() -> None:
    with pytest.raises(
        RunError, match=r"^redis has stopped, so everything stops; its log is in VAR_DIR/log\.$"
    ):
        Supervisor(print).watch(lambda: "redis")


def test_stopping_reaches_what_a_process_has_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = f"import socket, time; s = socket.create_connection({server.getsockname()}); time.sleep(60)"
        supervisor = Supervisor(print)
        supervisor.start(
            python("one", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])")
        )
        supervisor.pass_on_output()
        connection, _ = server.accept()
        with connection:
            supervisor.stop()
            assert connection.recv(1) == b""  # the grandchild's end closes it


def test_a_wish_to_stop_ends_the_watch() -> None:
    supervisor = Supervisor(print)
    supervisor.stop_wanted.set()
    supervisor.watch(lambda: None)


def test_equal_ports_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(RunError, match=r"^The ports must differ: PORT \d+, PUSH_PORT \d+\. "):
        refuse_taken_ports("127.0.0.1", {"PORT": port, "PUSH_PORT": port})
