"""The pause that a relay gets after it could not be used: nobody claims what it would have to take."""

from __future__ import annotations

import threading
import time

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class Pause:
    """One for each relay and process; pauses grow from failure to failure. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def failed(self) -> None:
        """The relay could not be used. Failures of attempts that were under way together count once."""
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                return
            self._until = now + min(FIRST_SECONDS * 2**self._failures, LONGEST_SECONDS)
            self._failures = min(self._failures + 1, 16)

    def succeeded(self) -> None:
        """The relay answered as it should."""
        with self._lock:
            self._failures = 0
            self._until = 0.0

    @property
    def seconds(self) -> float:
        """How long the pause goes on; 0 where there is none."""
        with self._lock:
            return max(0.0, self._until - time.monotonic())

    @property
    def is_on_trial(self) -> bool:
        """Whether the relay failed last: it is tried with one message first."""
        with self._lock:
            return self._failures > 0
