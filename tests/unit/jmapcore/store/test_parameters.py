"""Lists as arrays: PostgreSQL gets the values that psycopg would have sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from jmapcore.store.database import connection, execute


def there_and_back(values: list[Any], kind: str) -> Any:
    """What the database makes of a list, through the engine."""
    with connection() as lent:
        row = execute(lent, f"SELECT %s::{kind}[]", (values,)).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1, -1, 2**31, 2**63 - 1, -(2**63)], "bigint"),
        ([7], "int"),
        (["", "a", "Zoë", "a b", '"{}\\,NULL', "NULL", "😀" * 1000], "text"),
        (
            [datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)],
            "timestamptz",
        ),
        (
            [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)],
            "timestamptz",
        ),
        ([True, False], "bool"),
        ([b"\x00\xff", b""], "bytea"),
        ([1, None, 3], "int"),
        ([None, "a"], "text"),
        ([None], "text"),
        ([], "int"),
        ([], "text"),
        ([1.5], "double precision"),
    ],
)
def test_values_arrive_as_they_are(database: None, values: list[Any], kind: str) -> None:
    assert there_and_back(values, kind) == values


def test_times_of_other_zones_arrive_as_the_same_moment(database: None) -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    assert there_and_back([datetime(2026, 1, 1, 12, tzinfo=there)], "timestamptz") == [
        datetime(2026, 1, 1, 6, 30, tzinfo=UTC)
    ]


def test_times_without_a_zone_are_what_psycopg_makes_of_them(database: None) -> None:
    assert there_and_back([datetime(2026, 1, 1, 12)], "timestamp") == [datetime(2026, 1, 1, 12)]  # noqa: DTZ001


def test_arrays_of_one_statement_may_grow_empty_and_back(database: None) -> None:
    assert [there_and_back(values, "int") for values in ([1], [], [2**31 - 1, 1], [None], [2])] == [
        [1],
        [],
        [2**31 - 1, 1],
        [None],
        [2],
    ]


def test_a_number_beyond_64_bits_is_refused_before_it_is_sent(database: None) -> None:
    with pytest.raises(psycopg.DataError):
        there_and_back([2**63], "bigint")


def test_a_lone_surrogate_is_refused_before_it_is_sent(database: None) -> None:
    with pytest.raises(UnicodeEncodeError):
        there_and_back(["\ud800"], "text")


def test_nul_is_refused_by_the_database(database: None) -> None:
    with pytest.raises(psycopg.DataError):
        there_and_back(["a\0b"], "text")
