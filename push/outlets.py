"""The way out of a connection: where what is pushed is written to, and whether the client takes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

OUTLET = "jmapsite.outlet"
"""The key under which the application finds the outlet of a connection in the `extensions` of its scope."""
PATIENCE_SECONDS = 30
SLOWEST = 10_000
"""Octets per second that a client must take in at least, beyond the patience, while something waits for it."""
MOST_WAITING = 120_000_000
"""Octets that wait for the clients of one user at most; as many as two of the largest answers to an API request."""


class Outlet(Protocol):
    """What a transport gives its connections (`push.serving`)."""

    on_drained: Callable[[], None] | None
    """Called when what waited has been taken in."""

    @property
    def is_full(self) -> bool:
        """Whether the client takes in less than is sent; then only what must be sent should be."""

    def write(self, data: bytes) -> None:
        """Send a piece of an event stream, or a text message."""

    def end(self, code: int, reason: str) -> None:
        """End the connection in order, with a close code of RFC 6455 where it has such."""

    def abort(self) -> None:
        """End the connection at once."""


class Backlog:
    """How much waits for a client that takes it in slowly, and until when it may. `clock` returns seconds."""

    __slots__ = ("_clock", "_since", "_waiting", "is_full")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = 0.0
        self._waiting = 0
        self.is_full = False

    @property
    def waiting(self) -> int:
        """Octets that wait, where the client does not keep up."""
        return self._waiting if self.is_full else 0

    def wrote(self, octets: int) -> None:
        """More was written."""
        if self.is_full:
            self._waiting += octets
        else:
            self._waiting = octets  # what came before went on its way, or would have filled it

    def fill(self) -> None:
        """The client does not keep up."""
        self.is_full = True
        self._since = self._clock()

    def drain(self) -> None:
        """The client has taken in everything."""
        self.is_full = False
        self._waiting = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether the client has had its time, or too much waits for it."""
        if not self.is_full:
            return False
        allowed = PATIENCE_SECONDS + self._waiting / SLOWEST
        return self._waiting > MOST_WAITING or self._clock() - self._since > allowed
