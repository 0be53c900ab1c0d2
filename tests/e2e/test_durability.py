"""What was answered is there, and nothing is half written, whoever is killed while mail comes in."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.post import message
from tests.support.directories import new_var_dir
from tests.support.service import MANAGE, Service, await_no_processes, environment, manage, running_service

pytestmark = pytest.mark.e2e

ADDRESS = "ann@durable.example"
USING = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"]
KILLS = 2


@pytest.fixture(scope="module")
def var_dir() -> Iterator[Path]:
    """A VAR_DIR with a user, for the tests of this module one after the other."""
    with new_var_dir() as path:
        with running_service(path) as service:  # which makes the tables
            made = manage(path, "create_tenant", "Durable", "--domain", "durable.example")
            assert made.returncode == 0, made.stderr
            assert manage(path, "create_user", ADDRESS).returncode == 0
            service.stop()
        yield path


@pytest.fixture(scope="module")
def token(var_dir: Path) -> str:
    """An access token of the user."""
    return manage(var_dir, "create_access_token", ADDRESS).stdout.split()[-1]


def processes_with(var_dir: Path, *words: str) -> list[tuple[int, int]]:
    """Process and parent ids of the living processes of the directory whose command line has all the words."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            started_with = (directory / "environ").read_bytes()
            parent = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if all(word in command for word in words) and os.fsencode(var_dir) in started_with + command.encode():
            found.append((int(directory.name), parent))
    return found


def web_workers(var_dir: Path) -> list[int]:
    """The processes that answer requests."""
    web = processes_with(var_dir, "granian")
    leaders = {pid for pid, _ in web}
    return [pid for pid, parent in web if parent in leaders]


def backends(var_dir: Path) -> list[int]:
    """The processes of PostgreSQL that serve the web workers."""
    [server] = [pid for pid, _ in processes_with(var_dir, "bin/postgres", "-D")]
    return [
        int(directory.name)
        for directory in Path("/proc").glob("[0-9]*")
        if _command(directory).startswith("postgres: jmap_web") and _parent(directory) == server
    ]


def _command(directory: Path) -> str:
    try:
        return (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _parent(directory: Path) -> int:
    try:
        return int((directory / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@dataclass
class Writer:
    """Uploads, imports and flags messages one after the other, and remembers what it was promised."""

    service: Service
    token: str
    mark: int
    stop: threading.Event
    promised: dict[str, int] = field(default_factory=dict)
    """Email id → the number of its message."""
    flagged: set[str] = field(default_factory=set)
    failures: int = 0
    unforeseen: list[str] = field(default_factory=list)

    def run(self) -> None:
        number = self.mark * 1_000_000
        while not self.stop.is_set():
            number += 1
            try:
                self._one(number)
            except (OSError, http.client.HTTPException):
                self.failures += 1
                self.stop.wait(0.1)

    def _one(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        try:
            session = self._exchange(connection, "GET", "/.well-known/jmap", b"")
            account = next(iter(session["accounts"]))
            body = "x" * (2_000_000 if number % 7 == 0 else 100)
            blob = self._exchange(
                connection,
                "POST",
                f"/jmap/upload/{account}/",
                message(number, subject=f"S{number % 5}", body=body),
            )["blobId"]
            calls = [
                ["Mailbox/query", {"accountId": account, "filter": {"role": "inbox"}}, "0"],
            ]
            queried = self._call(connection, calls)[0]
            if "ids" not in queried:
                self._note(queried)
                return
            [inbox] = queried["ids"]
            given = {"blobId": blob, "mailboxIds": {inbox: True}}
            imported = self._call(
                connection, [["Email/import", {"accountId": account, "emails": {"n": given}}, "0"]]
            )[0]
            if not imported.get("created"):
                self._note(imported)
                return
            email_id = imported["created"]["n"]["id"]
            self.promised[email_id] = number
            changed = self._call(
                connection,
                [
                    [
                        "Email/set",
                        {"accountId": account, "update": {email_id: {"keywords/$flagged": True}}},
                        "0",
                    ]
                ],
            )[0]
            if changed.get("updated"):
                self.flagged.add(email_id)
            else:
                self._note(changed)
        finally:
            connection.close()

    def _note(self, answer: dict[str, Any]) -> None:
        self.failures += 1
        if answer.get("type") != "serverUnavailable":
            self.unforeseen.append(str(answer)[:300])

    def _call(self, connection: http.client.HTTPConnection, calls: list[Any]) -> list[dict[str, Any]]:
        body = json.dumps({"using": USING, "methodCalls": calls}).encode()
        return [each[1] for each in self._exchange(connection, "POST", "/jmap/api", body)["methodResponses"]]

    def _exchange(self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
        if response.status == 503:
            raise OSError("503")
        assert response.status == 200, (response.status, content[:300])
        return json.loads(content)


def disturbed(service: Service, token: str, disturb: Callable[[], None], mark: int) -> list[Writer]:
    """Two writers at work on one account while something happens, and for a while after it."""
    stop = threading.Event()
    writers = [Writer(service, token, mark + number, stop) for number in range(2)]
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            at_least(writers, sum(len(writer.promised) for writer in writers) + 20)
            disturb()
        at_least(writers, sum(len(writer.promised) for writer in writers) + 20)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return writers


def at_least(writers: list[Writer], count: int) -> None:
    """Wait until so many messages were promised."""
    deadline = time.monotonic() + 60
    while sum(len(writer.promised) for writer in writers) < count:
        assert time.monotonic() < deadline, [writer.unforeseen for writer in writers]
        time.sleep(0.02)


def check(service: Service, token: str, writers: list[Writer]) -> None:
    """All that was promised is there as it was promised, and the account is sound."""
    assert [error for writer in writers for error in writer.unforeseen] == []
    reader = Writer(service, token, 0, threading.Event())
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    account = next(iter(reader._exchange(connection, "GET", "/.well-known/jmap", b"")["accounts"]))
    promised = {email_id: number for writer in writers for email_id, number in writer.promised.items()}
    flagged = {email_id for writer in writers for email_id in writer.flagged}
    for start in range(0, len(promised), 500):
        ids = list(promised)[start : start + 500]
        asked = {"accountId": account, "ids": ids, "properties": ["messageId", "keywords"]}
        [found] = reader._call(connection, [["Email/get", asked, "0"]])
        # A message that joined two Threads may have given an Email another id; its message is there under that one.
        for email in found["list"]:
            assert email["messageId"] == [f"m{promised[email['id']]}@example.org"]
            assert email["id"] not in flagged or email["keywords"] == {"$flagged": True}
        assert found["notFound"] == []
    connection.close()
    verified = manage(service.var_dir, "verify_account", ADDRESS)
    assert (verified.returncode, verified.stderr) == (0, ""), verified.stdout


def test_web_workers_that_are_killed(var_dir: Path, token: str) -> None:
    with running_service(var_dir) as service:

        def kill() -> None:
            before = set(web_workers(var_dir))
            os.kill(min(before), signal.SIGKILL)
            deadline = time.monotonic() + 30
            while len(set(web_workers(var_dir)) - {min(before)}) < len(before):
                assert time.monotonic() < deadline
                time.sleep(0.05)

        writers = disturbed(service, token, kill, 1)
        check(service, token, writers)
        assert service.stop() == 0


def test_backends_of_postgresql_that_are_ended(var_dir: Path, token: str) -> None:
    with running_service(var_dir) as service:

        def kill() -> None:
            for pid in backends(var_dir):
                os.kill(pid, signal.SIGTERM)

        check(service, token, disturbed(service, token, kill, 11))
        assert service.stop() == 0


def test_a_backend_of_postgresql_that_crashes(var_dir: Path, token: str) -> None:
    with running_service(var_dir) as service:

        def kill() -> None:
            os.kill(backends(var_dir)[0], signal.SIGKILL)

        check(service, token, disturbed(service, token, kill, 21))
        assert service.stop() == 0


def test_everything_is_killed_during_an_import(var_dir: Path, token: str, tmp_path: Path) -> None:
    box = tmp_path / "box.mbox"
    with box.open("wb") as file:
        for number in range(2_000):
            file.write(b"From x Thu Jan  1 00:00:00 2015\n" + message(50_000_000 + number) + b"\n")
    with running_service(var_dir) as service:
        importing = subprocess.Popen(
            [*MANAGE, "import_mail", ADDRESS, str(box)],
            env=environment(var_dir),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert importing.stderr is not None
        importing.stderr.read(200)  # it shows how far it got
        time.sleep(0.7)
        for pid, _ in [*processes_with(var_dir, "bin/postgres", "-D"), *processes_with(var_dir, "granian")]:
            os.kill(pid, signal.SIGKILL)
        service.child.kill()
        importing.communicate()
    assert await_no_processes(var_dir) == []
    with running_service(var_dir) as service:
        check(service, token, [])
        assert manage(var_dir, "import_mail", ADDRESS, str(box)).returncode == 0
        again = manage(var_dir, "import_mail", ADDRESS, str(box))
        assert again.returncode == 0
        check(service, token, [])
        assert service.stop() == 0
