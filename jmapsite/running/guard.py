"""The guard: a small process that leaves nothing of a run behind whose supervisor was killed.

    python -m jmapsite.running.guard SECONDS

The supervisor writes the id of each process group it starts, one a line, and `end` when it has stopped them all. If the
pipe closes without that word, the supervisor is dead: the kernel has asked its children to stop, and what is left of their
groups after so many seconds is killed. (A process may be deaf to the polite signal, or have died and left children.)
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

END = "end"
SOURCE = Path(__file__).resolve().parent.parent.parent


class Guard:
    """The supervisor's side."""

    def __init__(self, seconds: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jmapsite.running.guard", str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=SOURCE,
            start_new_session=True,
        )

    def watch_over(self, group: int) -> None:
        """Have this process group killed if the supervisor dies."""
        self._write(str(group))

    def dismiss(self) -> None:
        """All groups have ended: let the guard go."""
        self._write(END)
        self._process.communicate()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it was killed: the run goes on without it
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()


def guard(lines: IO[str], seconds: float) -> None:
    """Read groups until the end, and see to it that they have an end too."""
    groups: list[int] = []
    for line in lines:
        if line.strip() == END:
            return
        groups.append(int(line))
    deadline = time.monotonic() + seconds
    while any(_lives(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        _send(group, signal.SIGKILL)


def _lives(group: int) -> bool:
    return _send(group, 0)


def _send(group: int, wish: int) -> bool:
    try:
        os.killpg(group, wish)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wish, signal.SIG_IGN)  # it ends when its work is done, and not before
    guard(sys.stdin, float(sys.argv[1]))
