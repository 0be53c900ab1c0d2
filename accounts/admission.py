"""Who was let in a moment ago, so that the gate's query can travel with a request's first statements.

Nothing is believed from memory: the gate is asked again for every request, and only what it answers counts. What is
remembered is who the request will be from if the answer is still the same, which saves it a round trip of its own.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from accounts.access import Caller

LIFETIME_SECONDS = 60.0
"""After this without a request a credential goes through the gate before anything else: whoever holds a revoked one can begin
requests that will be refused for no longer."""
MAXIMUM_ENTRIES = 10_000

Row = tuple[Any, ...]


class Admission:
    """A caller whom the gate let in, by which statement, and what it answered."""

    __slots__ = ("_rows", "caller", "statement", "until")

    def __init__(self, caller: Caller, statement: tuple[str, Sequence[Any]], rows: list[Row]) -> None:
        self.caller = caller
        self.statement = statement
        self._rows = rows
        self.until = 0.0

    def holds(self, rows: list[Row]) -> bool:
        """Whether the gate, asked again, answers the same: the same rights in the same accounts."""
        return rows == self._rows or (
            len(rows) == len(self._rows) > 1 and _sorted(rows) == _sorted(self._rows)
        )


def _sorted(rows: list[Row]) -> list[Row]:
    """By the granted account, the only column in which the rows of one user differ for certain."""
    return sorted(rows, key=lambda row: row[6])


class Admissions:
    """The admissions of a process, by a digest of the Authorization header. `clock` returns seconds and only ever grows."""

    def __init__(
        self,
        lifetime: float = LIFETIME_SECONDS,
        maximum: int = MAXIMUM_ENTRIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lifetime = lifetime
        self._maximum = maximum
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Admission] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, authorization: str, admission: Admission) -> None:
        """Note who the gate has let in just now with this header."""
        key = _digest(authorization)
        admission.until = self._clock() + self._lifetime
        with self._lock:
            self._known[key] = admission
            self._known.move_to_end(key)
            if len(self._known) > self._maximum:
                self._known.popitem(last=False)

    def recall(self, authorization: str | None) -> Admission | None:
        """Who was let in with this header; for another lifetime, since the gate is about to be asked."""
        if authorization is None:
            return None
        key = _digest(authorization)
        now = self._clock()
        with self._lock:
            known = self._known.get(key)
            if known is None:
                return None
            if known.until <= now:
                del self._known[key]
                return None
            self._known.move_to_end(key)
            known.until = now + self._lifetime
            return known

    def forget(self, authorization: str | None) -> None:
        """The gate answered otherwise."""
        if authorization is not None:
            with self._lock:
                self._known.pop(_digest(authorization), None)


def _digest(authorization: str) -> bytes:
    return hashlib.sha256(authorization.encode("utf-8", "surrogatepass")).digest()


admissions = Admissions()
