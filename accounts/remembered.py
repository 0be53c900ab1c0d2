"""Account passwords checked a moment ago, so that a program which sends one with every request is fast."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LIFETIME_SECONDS = 300.0
MAXIMUM_ENTRIES = 10_000


class RememberedPasswords:
    """Which passwords this process found right in the last five minutes, by an HMAC under its own key.

    The HMAC covers the stored hash: when the password changes, what was remembered is found no more. The
    passwords themselves are not kept. `clock` returns seconds and only ever grows.
    """

    def __init__(
        self,
        lifetime: float = LIFETIME_SECONDS,
        maximum: int = MAXIMUM_ENTRIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = secrets.token_bytes(32)
        self._lifetime = lifetime
        self._maximum = maximum
        self._clock = clock
        self._lock = threading.Lock()
        self._expiries: OrderedDict[bytes, float] = OrderedDict()
        self._turns: dict[bytes, tuple[threading.Lock, int]] = {}

    def __len__(self) -> int:
        return len(self._expiries)

    def _digest(self, user_id: int, password: str, password_hash: str) -> bytes:
        # The id and the stored hash contain no NUL, so that no two triples make the same message.
        message = f"{user_id}\0{password_hash}\0{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, hashlib.sha256)

    def remember(self, user_id: int, password: str, password_hash: str) -> None:
        """Note that the password was checked against the stored hash just now, and is right."""
        digest = self._digest(user_id, password, password_hash)
        with self._lock:
            self._expiries.pop(digest, None)
            self._expiries[digest] = self._clock() + self._lifetime
            while len(self._expiries) > self._maximum:
                self._expiries.popitem(last=False)

    @contextmanager
    def turn(self, address: str, password: str) -> Iterator[None]:
        """Let one thread at a time into the block for the same address and password.

        A program that opens with twenty requests at once has one password checked and counted, and the other
        nineteen find it remembered. It holds for unknown addresses too, whose requests must not be faster.
        """
        digest = self._digest(0, password, address)
        with self._lock:
            turn, waiting = self._turns.get(digest, (threading.Lock(), 0))
            self._turns[digest] = (turn, waiting + 1)
        try:
            with turn:
                yield
        finally:
            with self._lock:
                turn, waiting = self._turns.pop(digest)
                if waiting > 1:
                    self._turns[digest] = (turn, waiting - 1)

    def knows(self, user_id: int, password: str, password_hash: str) -> bool:
        """Whether the password was found right against this very stored hash within the lifetime."""
        digest = self._digest(user_id, password, password_hash)
        with self._lock:
            expiry = self._expiries.get(digest)
            if expiry is None:
                return False
            if expiry <= self._clock():
                del self._expiries[digest]
                return False
            return True
