"""A condition that goes along with the first statements: nothing is read or written by whom it does not hold for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from jmapcore.store.confirmation import NotConfirmedError, Statement, awaiting
from jmapcore.store.database import connection, run, unconfirmed_connection

pytestmark = pytest.mark.usefixtures("database")


@dataclass
class Expected:
    """Holds where its statement gives `row`; counts how often it was asked."""

    row: tuple[Any, ...]
    statement: Statement = ("SELECT 7", ())
    asked: list[Any] = field(default_factory=list)

    def holds(self, rows: list[tuple[Any, ...]]) -> bool:
        self.asked.append(rows)
        return rows == [self.row]


@pytest.fixture(autouse=True)
def nothing_awaited() -> Iterator[None]:
    """What a test waits for ends with it."""
    yield
    awaiting.condition = None


def test_what_reads_takes_the_condition_along_once() -> None:
    awaiting.condition = condition = Expected((7,))
    with unconfirmed_connection() as lent:
        first = run(lent, ("SELECT 1", ()), ("SELECT 2", ()))
        second = run(lent, ("SELECT 3", ()))
    assert [result.fetchall() for result in [*first, *second]] == [[(1,)], [(2,)], [(3,)]]
    assert condition.asked == [[(7,)]]


def test_rows_are_given_to_nobody_for_whom_it_does_not_hold() -> None:
    awaiting.condition = Expected((8,))
    with unconfirmed_connection() as lent, pytest.raises(NotConfirmedError):
        run(lent, ("SELECT 1", ()))


@pytest.mark.parametrize(
    "write", ["INSERT INTO noted VALUES (1)", "WITH w AS (INSERT INTO noted VALUES (1) RETURNING 1) TABLE w"]
)
def test_what_writes_is_not_even_sent_before_it_holds(write: str) -> None:
    with unconfirmed_connection() as lent:
        run(lent, ("CREATE TEMPORARY TABLE noted (n int)", ()))
        awaiting.condition = Expected((8,))
        with pytest.raises(NotConfirmedError):
            run(lent, (write, ()))
        assert run(lent, ("SELECT count(*) FROM noted", ()))[0].fetchall() == [(0,)]
        awaiting.condition = Expected((7,))
        run(lent, (write, ()))
        assert run(lent, ("SELECT count(*) FROM noted", ()))[0].fetchall() == [(1,)]
        run(lent, ("DROP TABLE noted", ()))


def test_it_goes_inside_of_a_transaction_that_begins() -> None:
    awaiting.condition = condition = Expected((7,))
    with unconfirmed_connection() as lent:
        begin = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
        results = run(lent, begin, ("SELECT 1", ()))
        assert [result.fetchall() for result in results] == [[], [(1,)]]
        run(lent, ("ROLLBACK", ()))
    assert condition.asked == [[(7,)]]


def test_any_other_loan_waits_for_the_condition() -> None:
    awaiting.condition = condition = Expected((7,))
    with connection():
        assert condition.asked == [[(7,)]]
    assert awaiting.condition is None


def test_no_other_loan_is_made_where_it_does_not_hold() -> None:
    awaiting.condition = Expected((8,))
    with pytest.raises(NotConfirmedError), connection():
        pytest.fail("a connection was lent")


def test_it_is_asked_again_where_the_statements_failed() -> None:
    awaiting.condition = condition = Expected((7,))
    with unconfirmed_connection() as lent:
        with pytest.raises(psycopg.errors.DivisionByZero):
            run(lent, ("SELECT 1 / %s::int", (0,)))
        assert condition.asked == []
        assert awaiting.condition is not None
        run(lent, ("SELECT 1", ()))
    assert condition.asked == [[(7,)]]
