"""Positions: what goes in comes out, and what was never one is nothing."""

from __future__ import annotations

import pytest

from push.positions import MOST_ACCOUNTS, AccountPosition, account_part, parse_position, position

TYPES = ("Email", "Mailbox", "Thread")
ALL = frozenset(TYPES)


def test_a_position_comes_out_as_it_went_in() -> None:
    parts = [
        account_part(7, "e1", {"Email": 5, "Thread": 3}, TYPES, ALL),
        account_part(9, "e2", {}, TYPES, ALL),
    ]
    assert parse_position(position(TYPES, parts), TYPES) == {
        7: AccountPosition("e1", {"Email": 5, "Mailbox": 0, "Thread": 3}),
        9: AccountPosition("e2", {"Email": 0, "Mailbox": 0, "Thread": 0}),
    }


def test_types_that_are_not_visible_are_not_in_it() -> None:
    part = account_part(7, "e1", {"Email": 5, "Thread": 3}, TYPES, frozenset({"Thread"}))
    assert part == "7.e1.0.0.3"


def test_a_position_fits_into_a_header_field() -> None:
    full = account_part(10**15, "0123456789abcdef", dict.fromkeys(TYPES * 5, 10**9), TYPES, ALL)
    text = position(TYPES, [full] * 1000)
    assert text.count(":") == MOST_ACCOUNTS
    assert len(text) < 8_000
    assert text.isascii()
    assert " " not in text


def test_a_position_of_a_server_with_other_types_is_none() -> None:
    text = position(TYPES, [account_part(7, "e1", {}, TYPES, ALL)])
    assert parse_position(text, (*TYPES, "Quota")) == {}


@pytest.mark.parametrize(
    "damage", ["x", ".1", ":", ":8", ":8.e", ":8.e1.1.2", ":8.e1.1.2.3.4", ":8.E1.1.2.3", ":8.e1.1.-2.3"]
)
def test_a_damaged_position_is_none(damage: str) -> None:
    text = position(TYPES, [account_part(7, "e1", {}, TYPES, ALL)])
    assert parse_position(text + damage, TYPES) == {}
