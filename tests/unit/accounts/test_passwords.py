"""Slow hashes: their parameters, and how many run at once."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth.hashers import check_password, make_password

from accounts import passwords
from accounts.passwords import CHECKS_AT_ONCE, UNKNOWN, Argon2id


def test_parameters() -> None:
    assert make_password("secret").startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_right_password_is_right() -> None:
    assert check_password("secret", make_password("secret"))


def test_wrong_password_is_wrong() -> None:
    assert not check_password("Secret", make_password("secret"))


@pytest.mark.parametrize("password", ["", "secret", "\0"])
def test_no_password_is_that_of_nobody(password: str) -> None:
    assert not check_password(password, UNKNOWN)


def test_nobody_costs_one_hash_of_the_usual_parameters() -> None:
    before = Argon2id.computed
    check_password("secret", UNKNOWN)
    assert Argon2id.computed == before + 1
    assert not Argon2id().must_update(UNKNOWN)


def test_a_third_check_waits_for_its_turn() -> None:
    assert CHECKS_AT_ONCE == 2
    third = threading.Thread(target=check_password, args=("secret", UNKNOWN))
    with passwords._checks, passwords._checks:
        before = Argon2id.computed
        third.start()
        third.join(0.2)
        assert (third.is_alive(), Argon2id.computed) == (True, before)
    third.join(30)
    assert not third.is_alive()
