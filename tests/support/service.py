"""The real service as a child process, for tests that look at it from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from tests.support.ports import port_settings

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
FROM_OUTSIDE = {
    "DATABASE_URL",
    "MIGRATE_DATABASE_URL",
    "REDIS_URL",
    "DJANGO_SETTINGS_MODULE",
    "HOST",
    "HTTPS",
}
LAST_LINE = "Ctrl-C stops everything."


def environment(var_dir: Path, **changes: str) -> dict[str, str]:
    """The environment for the service with its data in `var_dir` and nothing of the caller's servers."""
    return {
        **{name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE},
        "VAR_DIR": str(var_dir),
        **changes,
    }


def manage(var_dir: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run one management command to its end."""
    return subprocess.run(
        [*MANAGE, *arguments],
        env=environment(var_dir, **changes),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def processes_of(var_dir: Path) -> list[str]:
    """The command lines of all living processes that name the directory, or were started with it as VAR_DIR."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            command = (directory / "cmdline").read_bytes()
            started_with = (directory / "environ").read_bytes()
        except OSError:
            continue  # it has ended, or is another user's
        if os.fsencode(var_dir) in command or b"VAR_DIR=" + os.fsencode(var_dir) + b"\0" in started_with:
            found.append(command.replace(b"\0", b" ").decode())
    return found


def await_no_processes(var_dir: Path, seconds: float = 15) -> list[str]:
    """What still runs in `var_dir` after at most that time; empty as soon as nothing does."""
    deadline = time.monotonic() + seconds
    while (left := processes_of(var_dir)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@dataclass
class Service:
    """A running `manage.py run`: its ports, and what it printed until it was ready."""

    child: subprocess.Popen[str]
    var_dir: Path
    port: int
    push_port: int
    lmtp_port: int
    lookup_port: int
    printed: list[str] = field(default_factory=list)
    reader: threading.Thread | None = None

    def read_on(self) -> None:
        """Read what it prints from now on, beside everything else: a full pipe would stop it."""
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        self.printed += [line.rstrip("\n") for line in self.child.stdout]

    def stop(self) -> int:
        """Ctrl-C; gives the exit status."""
        self.child.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Wait until it has ended, and all that it printed is read; gives the exit status."""
        if self.reader is not None:
            self.reader.join()
        return self.child.wait()


@contextmanager
def running_service(var_dir: Path, **changes: str) -> Iterator[Service]:
    """Start the service and wait until it says that it is there. It is killed at the end if it still runs."""
    ports = {**port_settings(), **changes}
    child = subprocess.Popen(
        [*MANAGE, "run"],
        env=environment(var_dir, **ports),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    service = Service(
        child,
        var_dir,
        int(ports["PORT"]),
        int(ports["PUSH_PORT"]),
        int(ports["LMTP_PORT"]),
        int(ports["LOOKUP_PORT"]),
    )
    assert child.stdout is not None
    try:
        for line in child.stdout:
            service.printed.append(line.rstrip("\n"))
            if service.printed[-1] == LAST_LINE:
                break
        else:
            raise AssertionError("\n".join(service.printed))
        service.read_on()
        yield service
    finally:
        if child.poll() is None:
            child.kill()
        service.end()
        child.stdout.close()
        await_no_processes(var_dir)
