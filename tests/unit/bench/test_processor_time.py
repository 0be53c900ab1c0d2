"""Clocks and memory of other processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.processor_time import family, family_nanoseconds, memory, process_nanoseconds


def test_the_clock_of_a_process_is_its_own() -> None:
    before = time.process_time_ns()
    read = process_nanoseconds(os.getpid())
    after = time.process_time_ns()
    assert before <= read <= after


def test_a_process_that_is_gone_has_no_time() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_nanoseconds(child.pid) == 0


def test_a_family_has_its_children() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in family(os.getpid())
        child.communicate(b"\n")


def test_the_time_of_children_that_ended_counts() -> None:
    before = family_nanoseconds(os.getpid())
    work = "import time\nwhile time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-c", work], check=True)
    assert family_nanoseconds(os.getpid()) - before >= 150_000_000


def test_memory_of_this_process() -> None:
    found = memory(os.getpid())
    assert 1_000_000 < found["resident"] <= found["peak"]
