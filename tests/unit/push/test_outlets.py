"""How long a client may take to take in what waits for it."""

from __future__ import annotations

from push.outlets import MOST_WAITING, PATIENCE_SECONDS, SLOWEST, Backlog


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_client_that_keeps_up_has_all_the_time() -> None:
    clock = Clock()
    backlog = Backlog(clock)
    backlog.wrote(MOST_WAITING + 1)
    clock.now = 1e9
    assert not backlog.is_hopeless


def test_a_client_that_does_not_keep_up_has_time_for_what_waits() -> None:
    clock = Clock()
    backlog = Backlog(clock)
    backlog.wrote(5 * SLOWEST)
    backlog.fill()
    backlog.wrote(5 * SLOWEST)
    clock.now = PATIENCE_SECONDS + 10
    assert not backlog.is_hopeless
    clock.now += 0.1
    assert backlog.is_hopeless


def test_a_client_that_has_caught_up_begins_anew() -> None:
    clock = Clock()
    backlog = Backlog(clock)
    backlog.fill()
    clock.now = PATIENCE_SECONDS + 0.1
    backlog.drain()
    assert (backlog.is_full, backlog.is_hopeless) == (False, False)
    backlog.fill()
    assert not backlog.is_hopeless


def test_too_much_that_waits_is_hopeless_at_once() -> None:
    backlog = Backlog(Clock())
    backlog.fill()
    backlog.wrote(MOST_WAITING)
    assert not backlog.is_hopeless
    backlog.wrote(1)
    assert backlog.is_hopeless
