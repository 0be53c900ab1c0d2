"""What is left of a run whose supervisor was killed."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jmapsite.running.guard import guard

DEAF = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.write("deaf\\n"); sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def deaf() -> Iterator[subprocess.Popen[str]]:
    """A process, in a group of its own, that no polite signal ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", DEAF],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "deaf\n"
        yield child
        child.kill()


def test_a_deaf_process_is_killed_when_the_supervisor_is_gone(deaf: subprocess.Popen[str]) -> None:
    deaf.terminate()
    guard(io.StringIO(f"{deaf.pid}\n"), seconds=0)
    assert deaf.wait() == -signal.SIGKILL


def test_nothing_is_killed_after_an_orderly_end(deaf: subprocess.Popen[str]) -> None:
    guard(io.StringIO(f"{deaf.pid}\nend\n"), seconds=0)
    assert deaf.poll() is None


def test_groups_that_have_ended_keep_nobody_waiting() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    child.wait()
    guard(io.StringIO(f"{child.pid}\n"), seconds=3_600)
