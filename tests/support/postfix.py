"""Debian's Postfix with the configuration of deploy/postfix, on ports and in directories of a test's own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

SOURCE = settings.BASE_DIR / "deploy" / "postfix"
LOOKUP_PORT, LMTP_PORT, RELAY_PORT = "8025", "8024", "10025"
"""As they stand in the configuration."""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running Postfix: the port at which it takes mail from outside, and the one for the service's own."""

    directory: Path
    port: int
    relay_port: int

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.directory / "maillog").read_text("utf-8", "replace")

    def flush(self) -> None:
        """Try everything that waits once more, now."""
        _postfix(self.directory, "flush")


@contextmanager
def running_postfix(
    *, port: int, relay_port: int, lmtp_port: int, lookup_port: int, elsewhere_port: int
) -> Iterator[Postfix]:
    """Start it (as root, as Postfix wants it) and stop it at the end; mail for elsewhere goes to `elsewhere_port`."""
    # Its own user must reach it.
    directory = Path(tempfile.mkdtemp(prefix="postfix-"))
    directory.chmod(0o755)
    for path in SOURCE.glob("*.cf"):
        text = path.read_text("utf-8")
        text = text.replace(f"127.0.0.1:{LMTP_PORT}", f"127.0.0.1:{lmtp_port}")
        text = text.replace(f"127.0.0.1:{LOOKUP_PORT}", f"127.0.0.1:{lookup_port}")
        text = text.replace(f"127.0.0.1:{RELAY_PORT} ", f"127.0.0.1:{relay_port} ")
        text = text.replace("\nsmtp                     inet", f"\n127.0.0.1:{port} inet")
        (directory / path.name).write_text(text, "utf-8")
    queue, data = directory / "queue", directory / "data"
    queue.mkdir()
    data.mkdir()
    shutil.chown(data, "postfix")
    ours = {
        "queue_directory": str(queue),
        "data_directory": str(data),
        "maillog_file": str(directory / "maillog"),
        "maillog_file_prefixes": str(directory),
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "relayhost": f"[127.0.0.1]:{elsewhere_port}",
        "queue_run_delay": "1s",
        "minimal_backoff_time": "1s",
    }
    subprocess.run(
        [
            "/usr/sbin/postconf",
            "-c",
            str(directory),
            "-e",
            *(f"{name}={value}" for name, value in ours.items()),
        ],
        check=True,
    )
    started = _postfix(directory, "start")
    assert started.returncode == 0, started.stderr
    try:
        yield Postfix(directory, port, relay_port)
    finally:
        _postfix(directory, "stop")
        deadline = time.monotonic() + 10
        while _postfix(directory, "status").returncode == 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        shutil.rmtree(directory)


def _postfix(directory: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/sbin/postfix", "-c", str(directory), command], capture_output=True, text=True, check=False
    )
