"""How many requests of one user are under way in this process, and how many JMAP calls are at work at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from jmapcore.protocol.errors import LimitExceeded, RequestError


class PerUser:
    """Counts what each user has under way; more than the limit is refused with 429 (RFC 8620 §2, §3.6.1)."""

    def __init__(self, limit_name: str) -> None:
        self.limit_name = limit_name
        self._lock = threading.Lock()
        self._counts: dict[int, int] = {}

    @contextmanager
    def one(self, user_id: int) -> Iterator[None]:
        """Count one request for the length of the block. Raises `LimitExceeded`."""
        limit = settings.JMAP_LIMITS[self.limit_name]
        with self._lock:
            count = self._counts.get(user_id, 0)
            if count >= limit:
                raise LimitExceeded(
                    self.limit_name,
                    f"This user has {limit} such requests under way already.",
                    status=429,
                    headers={"Retry-After": "1"},
                )
            self._counts[user_id] = count + 1
        try:
            yield
        finally:
            with self._lock:
                if count_left := self._counts[user_id] - 1:
                    self._counts[user_id] = count_left
                else:
                    del self._counts[user_id]


requests = PerUser("maxConcurrentRequests")
_at_work = threading.BoundedSemaphore(settings.JMAP_CONCURRENT_CALLS)


@contextmanager
def at_work() -> Iterator[None]:
    """Wait for one of the few places in which JMAP calls are executed.

    The many threads of a web process wait for slow bodies; two at a time do the work. Raises `RequestError` (503).
    """
    if not (_at_work.acquire(blocking=False) or _at_work.acquire(timeout=settings.JMAP_WAIT_SECONDS)):
        raise RequestError(
            "The server is busy. Try again in a moment.", status=503, headers={"Retry-After": "5"}
        )
    try:
        yield
    finally:
        _at_work.release()
