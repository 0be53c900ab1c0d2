"""Places at work: how many there are, and who is next."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jmapcore.concurrency import Places

ALICE, BOB, CHARLIE = 1, 2, 3


def waiting(places: Places, user_id: int, then: Callable[[], None]) -> threading.Thread:
    """A request of a user that waits for a place; it has been entered in the queue when this returns."""

    def wait() -> None:
        assert places.enter(user_id, 30)
        then()

    before = len(places._waiting)
    thread = threading.Thread(target=wait)
    thread.start()
    while len(places._waiting) == before:
        pass
    return thread


def test_there_are_as_many_places_as_were_made() -> None:
    places = Places(2)
    assert [places.enter(ALICE, 0), places.enter(BOB, 0), places.enter(CHARLIE, 0)] == [True, True, False]


def test_a_place_that_was_left_is_free_again() -> None:
    places = Places(1)
    assert places.enter(ALICE, 0)
    places.leave(ALICE)
    assert places.enter(BOB, 0)


def test_whoever_gave_up_is_not_waited_for() -> None:
    places = Places(1)
    assert places.enter(ALICE, 0)
    assert not places.enter(BOB, 0.001)
    places.leave(ALICE)
    assert places.enter(CHARLIE, 0)


def test_a_place_goes_to_the_user_with_the_fewest_at_work() -> None:
    places = Places(2)
    assert places.enter(ALICE, 0)
    assert places.enter(ALICE, 0)
    order: list[int] = []
    threads = [
        waiting(places, ALICE, lambda: order.append(ALICE)),
        waiting(places, BOB, lambda: order.append(BOB)),
    ]
    places.leave(ALICE)
    threads[1].join(30)
    assert order == [BOB]
    places.leave(ALICE)
    threads[0].join(30)
    assert order == [BOB, ALICE]


def test_of_equal_users_who_came_first_is_next() -> None:
    places = Places(1)
    assert places.enter(ALICE, 0)
    order: list[int] = []
    threads = [
        waiting(places, BOB, lambda: order.append(BOB)),
        waiting(places, CHARLIE, lambda: order.append(CHARLIE)),
    ]
    places.leave(ALICE)
    threads[0].join(30)
    places.leave(BOB)
    threads[1].join(30)
    assert order == [BOB, CHARLIE]
