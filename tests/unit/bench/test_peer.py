"""Another server on this machine: its Session, and the clocks of its processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.peer import Login, PeerError, PeerProcesses, addresses_of, discover, find_processes, process_name
from bench.target import Addresses

WORKER = "import time\nwhile time.process_time() < 0.1: pass\ninput()"


def session(**urls: str) -> dict[str, str]:
    return {
        "apiUrl": "/jmap/",
        "uploadUrl": "/jmap/upload/{accountId}/",
        "downloadUrl": "/jmap/download/{accountId}/{blobId}/{name}?accept={type}",
        **urls,
    }


def test_the_login_is_basic() -> None:
    assert Login("http://localhost/", "reader", "secret").authorization == "Basic cmVhZGVyOnNlY3JldA=="


def test_addresses_may_be_relative_to_the_session() -> None:
    assert addresses_of("http://localhost:8180/jmap/", session(apiUrl="api")) == Addresses(
        "/jmap/",
        "/jmap/api",
        "/jmap/upload/{accountId}/",
        "/jmap/download/{accountId}/{blobId}/{name}?accept={type}",
    )


def test_addresses_may_be_absolute() -> None:
    found = addresses_of("http://localhost:8180/s", session(apiUrl="http://localhost:8180/api/?a=b"))
    assert found.api == "/api/?a=b"


def test_an_address_of_another_scheme_is_refused() -> None:
    with pytest.raises(PeerError, match="is no http address"):
        discover(Login("https://localhost/jmap", "reader", "secret"))


def test_a_process_has_a_name() -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"begun\n")
        child.stdin.flush()
        child.stdout.readline()  # it is no longer the process that started it
        assert process_name(child.pid) == "cat"
        child.communicate()


def test_a_process_that_is_gone_has_no_name() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_name(child.pid) == ""


def test_a_name_that_no_process_has_is_refused() -> None:
    with pytest.raises(PeerError, match="0 processes of this machine are named 'no-such-name'"):
        find_processes("no-such-name", "httpd")


def test_the_processes_that_answer_are_counted_apart() -> None:
    with subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE) as child:
        name = process_name(child.pid)
        answering, others = PeerProcesses(child.pid, name).nanoseconds()
        none_answering, all_others = PeerProcesses(child.pid, "another").nanoseconds()
        child.communicate(b"\n")
    assert (others, none_answering) == (0, 0)
    assert 0 < answering <= all_others


def test_processes_that_ended_count_on() -> None:
    child = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE)
    processes = PeerProcesses(child.pid, process_name(child.pid))
    before = processes.nanoseconds()
    child.communicate(b"\n")
    assert processes.nanoseconds() == before


def test_the_workers_are_those_that_answer() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = process_name(child.pid)
        found = [PeerProcesses(child.pid, wanted).web_workers() for wanted in (name, "another")]
        child.communicate(b"\n")
    assert found == [[child.pid], []]
