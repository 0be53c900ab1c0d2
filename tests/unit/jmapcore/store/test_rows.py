"""Rows of one table, one and several: the same rows whatever their number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jmapcore.store.database import Connection, connection, execute, run
from jmapcore.store.rows import FEW, Change, Insertion, Removal

ADD = Insertion(
    "noted",
    {"id": "int", "at": "timestamptz", "words": "text", "octets": "bytea"},
    forms={"words": "string_to_array({}, ' ')"},
    conflict="ON CONFLICT (account_id, id) DO UPDATE SET words = excluded.words",
)
CHANGE = Change(
    "noted",
    {"words": "text", "count": "int"},
    {"id": "int"},
    forms={"words": "string_to_array({}, ' ')", "count": "count + {}"},
)
DROP = Removal("noted", {"id": "int", "at": "timestamptz"})
NUMBERS = range(1, FEW + 3)
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def lent(database: None) -> Iterator[Connection]:
    """A connection with an empty table `noted` of its own."""
    with connection() as lent:
        execute(
            lent,
            """CREATE TEMPORARY TABLE noted (account_id bigint, id int, at timestamptz, words text[], octets bytea,
               count int DEFAULT 0, PRIMARY KEY (account_id, id))""",
        )
        yield lent
        execute(lent, "DROP TABLE noted")


def rows(count: int) -> list[tuple[int, datetime, str, bytes]]:
    """So many rows."""
    return [(n, START + timedelta(minutes=n), f"word{n} é'\\", bytes([n, 0, 255])) for n in range(count)]


def noted(lent: Connection) -> list[tuple[Any, ...]]:
    """What the table holds."""
    sql = "SELECT account_id, id, at, words, octets, count FROM noted ORDER BY account_id, id"
    return execute(lent, sql).fetchall()


@pytest.mark.parametrize("count", NUMBERS)
def test_rows_are_added(lent: Connection, count: int) -> None:
    run(lent, ADD.of(7, rows(count)))
    assert noted(lent) == [
        (7, number, at, words.split(" "), octets, 0) for number, at, words, octets in rows(count)
    ]


@pytest.mark.parametrize("count", NUMBERS)
def test_a_conflict_is_settled(lent: Connection, count: int) -> None:
    run(lent, ADD.of(7, rows(count)))
    run(lent, ADD.of(7, [(number, at, "again", octets) for number, at, _, octets in rows(count)]))
    assert [row[3] for row in noted(lent)] == [["again"]] * count


@pytest.mark.parametrize("count", NUMBERS)
def test_rows_of_the_account_are_changed(lent: Connection, count: int) -> None:
    run(lent, ADD.of(7, rows(count + 1)), ADD.of(8, rows(count)))
    run(lent, CHANGE.of(7, [(f"new{number}", number + 1, number) for number in range(count)]))
    changed = [(7, number, [f"new{number}"], number + 1) for number in range(count)]
    rest = [(7, count, rows(count + 1)[-1][2].split(" "), 0)]
    others = [(8, number, words.split(" "), 0) for number, _, words, _ in rows(count)]
    assert [(row[0], row[1], row[3], row[5]) for row in noted(lent)] == changed + rest + others


@pytest.mark.parametrize("count", NUMBERS)
def test_rows_of_the_account_are_dropped(lent: Connection, count: int) -> None:
    run(lent, ADD.of(7, rows(count + 1)), ADD.of(8, rows(count)))
    run(lent, DROP.of(7, [(number, at) for number, at, _, _ in rows(count)]))
    assert [row[:2] for row in noted(lent)] == [(7, count), *((8, number) for number in range(count))]


def test_a_key_of_which_a_part_differs_drops_nothing(lent: Connection) -> None:
    run(lent, ADD.of(7, rows(1)))
    run(lent, DROP.of(7, [(0, START + timedelta(days=1))]))
    assert len(noted(lent)) == 1
