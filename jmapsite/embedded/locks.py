"""Locks between processes: flock(2), which the kernel lets go when the holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FileLock:
    """One open lock file.

    Not inherited by programs that are started; let go by `close` or the end of the process.
    """

    def __init__(self, path: Path) -> None:
        # Reading is enough for flock, and works for root and the owner of VAR_DIR alike.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def share(self) -> None:
        """Wait until nobody holds it alone, then hold it with others."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def take(self) -> None:
        """Wait until nobody else holds it, then hold it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def try_to_share(self) -> bool:
        """Hold it with others unless somebody holds it alone; says whether it does."""
        return self._try(fcntl.LOCK_SH)

    def try_to_take(self) -> bool:
        """Hold it alone unless anybody holds it; says whether it does."""
        return self._try(fcntl.LOCK_EX)

    def release(self) -> None:
        """Let it go and keep the file open."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let it go for good."""
        os.close(self._descriptor)

    def _try(self, operation: int) -> bool:
        try:
            fcntl.flock(self._descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file alone at this moment."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        return not lock.try_to_share()
    finally:
        lock.close()
