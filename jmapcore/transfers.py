"""How many slow transfers are under way in this process: each holds a thread for as long as its client pleases.

A client that stalls cannot be told from one that is slow, and the server under us waits for it without end. So no user may hold
many threads, and all transfers together leave some for those who only ask.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from django.conf import settings

from jmapcore.concurrency import count_down
from jmapcore.protocol.errors import RequestError


class Transfers:
    """Counts uploads and downloads that hold a thread, by user and all together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[int, int] = {}
        self._total = 0

    def begin(self, user_id: int) -> Transfer:
        """Count one more. Raises `RequestError`: 429 where the user has too many, 503 where there are too many at all."""
        with self._lock:
            count = self._counts.get(user_id, 0)
            if count >= settings.JMAP_TRANSFERS_OF_USER:
                raise RequestError(
                    "This user has too many transfers under way.", status=429, headers={"Retry-After": "1"}
                )
            if self._total >= settings.JMAP_TRANSFERS:
                raise RequestError(
                    "The server has too many transfers under way.", status=503, headers={"Retry-After": "5"}
                )
            self._counts[user_id] = count + 1
            self._total += 1
        return Transfer(self, user_id)

    def end(self, user_id: int) -> None:
        """Count one less."""
        with self._lock:
            self._total -= 1
            count_down(self._counts, user_id)


class Transfer:
    """One transfer under way, until it is closed; closing it again does nothing."""

    def __init__(self, transfers: Transfers, user_id: int) -> None:
        self._transfers = transfers
        self._user_id = user_id
        self._open = True

    def close(self) -> None:
        """It is over."""
        if self._open:
            self._open = False
            self._transfers.end(self._user_id)

    def __enter__(self) -> Transfer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Counted(Iterator[bytes]):
    """The pieces of a download, which is over with the last of them, with an error, or when the server closes it."""

    def __init__(self, pieces: Iterator[bytes], transfer: Transfer) -> None:
        self._pieces = pieces
        self._transfer = transfer

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self._transfer.close()
            raise

    def close(self) -> None:
        """Nobody wants the rest."""
        self._transfer.close()

    def __del__(self) -> None:
        self._transfer.close()


transfers = Transfers()

PATIENCE_SECONDS = 300
SLOWEST = 10_000
"""Octets per second of a body beyond the first minutes."""


class Pace:
    """How a body comes in: what the caller was allowed when it began says little once it has taken hours."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()

    def check(self, octets: int) -> None:
        """Go on, so many octets being there. Raises `RequestError` 408 for a body that is too slow."""
        if self._clock() - self._begun > PATIENCE_SECONDS + octets / SLOWEST:
            raise RequestError("The body comes in too slowly.", status=408)
