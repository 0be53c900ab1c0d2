"""Several processes that share listening sockets: forked, watched over, and ended together."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable

logger = logging.getLogger("mail.lmtp")

_AWAITED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
SHORTEST_LIFE = 1.0
"""Seconds between two beginnings of a process that keeps ending."""


class Workers:
    """Processes that all do the same.

    `work` is called in each with a file descriptor that becomes readable as the first process is gone. It returns when the
    process gets SIGTERM. One that ends before is replaced.
    """

    def __init__(self, count: int, work: Callable[[int], None]) -> None:
        self._count = count
        self._work = work
        self._children: dict[int, float] = {}
        self._alive, self._end = os.pipe()

    def run(self) -> None:
        """Return when SIGTERM or SIGINT came and all have ended. Nothing must run in other threads yet."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        for _ in range(self._count):
            self._fork()
        is_stopping = False
        while self._children:
            received = signal.sigwait(_AWAITED)
            if received != signal.SIGCHLD:
                is_stopping = True
                for child in self._children:
                    os.kill(child, signal.SIGTERM)
            self._replace_ended(is_stopping=is_stopping)

    def _fork(self) -> None:
        child = os.fork()
        if child:
            self._children[child] = time.monotonic()
            return
        status = 1
        try:
            os.close(self._end)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
            self._work(self._alive)
            status = 0
        except BaseException:
            logger.exception("a process ends")
        finally:
            # Nothing that the first process has to do at its end is this one's.
            os._exit(status)

    def _replace_ended(self, *, is_stopping: bool) -> None:
        while self._children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            began = self._children.pop(child)
            if not is_stopping:
                logger.error("process %d has ended (%d) and is replaced", child, status)
                time.sleep(max(0.0, began + SHORTEST_LIFE - time.monotonic()))
                self._fork()
