"""How long one request may be at work: what single limits leave open (many calls, each as dear as it may be) ends here."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar

from jmapcore.protocol.errors import ServerUnavailable

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


class at_most:  # noqa: N801  # used as a function is: with at_most(seconds)
    """Let `checkpoint` raise once this many seconds of the block are over; an earlier end of a block around it stays."""

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _deadline.set(min(time.monotonic() + self._seconds, _deadline.get()))

    def __exit__(self, *problem: object) -> None:
        _deadline.reset(self._token)


def time_is_up() -> bool:
    """Whether the time of the request is over: for what cannot be undone, and says of the rest that it was not done."""
    return time.monotonic() > _deadline.get()


def checkpoint() -> None:
    """Go on where there is time left; belongs into loops that may be long, before anything is written.

    Raises `ServerUnavailable`: what is left of the request may be asked for in another one.
    """
    if time_is_up():
        raise ServerUnavailable("the request takes too long")
