"""Passwords that were checked a moment ago."""

from __future__ import annotations

from accounts.remembered import RememberedPasswords


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_what_was_remembered_is_known() -> None:
    remembered = RememberedPasswords()
    remembered.remember(1, "secret", "hash")
    assert remembered.knows(1, "secret", "hash")


def test_another_password_user_or_hash_is_not_known() -> None:
    remembered = RememberedPasswords()
    remembered.remember(1, "secret", "hash")
    others = [(1, "Secret", "hash"), (2, "secret", "hash"), (1, "secret", "another hash")]
    assert [remembered.knows(*other) for other in others] == [False, False, False]


def test_five_minutes_later_nothing_is_known() -> None:
    clock = Clock()
    remembered = RememberedPasswords(clock=clock)
    remembered.remember(1, "secret", "hash")
    clock.now += 299
    known_before = remembered.knows(1, "secret", "hash")
    clock.now += 1
    assert (known_before, remembered.knows(1, "secret", "hash")) == (True, False)


def test_the_oldest_are_forgotten_first() -> None:
    remembered = RememberedPasswords(maximum=2)
    for user_id in (1, 2, 3):
        remembered.remember(user_id, "secret", "hash")
    assert [remembered.knows(user_id, "secret", "hash") for user_id in (1, 2, 3)] == [False, True, True]
    assert len(remembered) == 2
