"""How processes end: with their parent, and for certain."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent(end_signal: int) -> Callable[[], None]:
    """A `preexec_fn` after which the kernel sends the child `end_signal` when its parent dies, however that
    dies.

    Linux only (prctl(2), PR_SET_PDEATHSIG); elsewhere it does nothing. To be called in the parent.
    """
    parent = os.getpid()
    library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        if library is not None:
            library.prctl(_PR_SET_PDEATHSIG, end_signal, 0, 0, 0)
            if os.getppid() != parent:  # it died before the wish was registered
                os.kill(os.getpid(), end_signal)

    return prepare


def end_with_parent(end_signal: int) -> None:
    """The kernel sends this process `end_signal` when its parent dies. Linux only, as above."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, end_signal, 0, 0, 0)


def is_alive(process_id: int, mark: str) -> bool:
    """Whether a process with this id lives whose command line contains `mark` (ids are given out again)."""
    if sys.platform == "linux":
        try:
            return mark.encode() in Path(f"/proc/{process_id}/cmdline").read_bytes()
        except OSError:
            return False
    asked = subprocess.run(
        ["/bin/ps", "-o", "args=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return mark in asked.stdout


def end_stray(process_id: int, mark: str, *, gently: int, seconds: float) -> None:
    """End a process that an earlier, killed run has left:

    with the signal `gently`, and after `seconds` with SIGKILL.
    """
    for end_signal in (gently, signal.SIGKILL):
        if not is_alive(process_id, mark):
            return
        os.kill(process_id, end_signal)
        deadline = time.monotonic() + seconds
        while is_alive(process_id, mark) and time.monotonic() < deadline:
            time.sleep(0.05)
