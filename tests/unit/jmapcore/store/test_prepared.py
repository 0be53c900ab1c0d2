"""Prepared statements in pipelines: results, errors, and a connection that stays usable."""

from __future__ import annotations

import psycopg
import pytest

from jmapcore.store import prepared
from jmapcore.store.database import connection, execute, run

pytestmark = pytest.mark.usefixtures("database")


def test_results_come_in_the_order_of_the_statements() -> None:
    with connection() as lent:
        results = run(
            lent, ("SELECT %s::int + 1", (1,)), ("SELECT %s || 'b'", ("a",)), ("SELECT 1 WHERE false", ())
        )
    assert [result.fetchall() for result in results] == [[(2,)], [("ab",)], []]


def test_rows_are_fetched_one_by_one_and_then_the_rest() -> None:
    with connection() as lent:
        result = execute(lent, "SELECT generate_series(1, %s::int)", (3,))
    assert (result.fetchone(), list(result), result.fetchone(), result.rowcount) == (
        (1,),
        [(2,), (3,)],
        None,
        3,
    )


def test_a_statement_takes_numbers_of_any_size_once_it_is_prepared() -> None:
    with connection() as lent:
        sums = [
            execute(lent, "SELECT sum(n)::bigint FROM unnest(%s::bigint[]) AS n", (each,)).fetchone()
            for each in ([1], [2**40, 2])
        ]
    assert sums == [(1,), (2**40 + 2,)]


def test_a_percent_sign_is_written_twice() -> None:
    with connection() as lent:
        assert execute(lent, "SELECT %s::int %% 2", (5,)).fetchone() == (1,)


def test_nothing_behind_a_failing_statement_is_executed() -> None:
    with connection() as lent:
        execute(lent, "CREATE TEMPORARY TABLE noted (n int)")
        with pytest.raises(psycopg.errors.DivisionByZero):
            run(
                lent,
                ("INSERT INTO noted VALUES (1)", ()),
                ("SELECT 1 / %s::int", (0,)),
                ("INSERT INTO noted VALUES (2)", ()),
            )
        assert execute(lent, "SELECT count(*) FROM noted").fetchone() == (0,)


def test_a_statement_that_cannot_be_prepared_is_an_error_each_time() -> None:
    with connection() as lent:
        for _ in range(2):
            with pytest.raises(psycopg.errors.UndefinedTable):
                execute(lent, "SELECT * FROM nowhere_at_all")
        assert execute(lent, "SELECT 1").fetchone() == (1,)


def test_a_value_that_cannot_be_adapted_is_refused_before_anything_is_sent() -> None:
    with connection() as lent:
        execute(lent, "CREATE TEMPORARY TABLE sent (n int)")
        with pytest.raises(psycopg.ProgrammingError):
            run(lent, ("INSERT INTO sent VALUES (1)", ()), ("SELECT %s", (object(),)))
        assert execute(lent, "SELECT count(*) FROM sent").fetchone() == (0,)


def test_a_missing_parameter_is_refused() -> None:
    with (
        connection() as lent,
        pytest.raises(psycopg.ProgrammingError, match="2 parameters are due, 1 were given"),
    ):
        execute(lent, "SELECT %s, %s", (1,))


def test_more_than_the_sockets_hold_goes_both_ways_at_once() -> None:
    octets = bytes(3_000_000)
    with connection() as lent:
        results = run(lent, *[("SELECT %b::bytea", (octets,))] * 6)
    assert [len(result.fetchall()[0][0]) for result in results] == [3_000_000] * 6


def test_statements_that_were_not_used_for_long_are_forgotten() -> None:
    with connection() as lent:
        for number in range(prepared._MOST_PREPARED + 2):
            execute(lent, f"SELECT {number}")
        kept = execute(lent, "SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert kept is not None
    assert kept[0] <= prepared._MOST_PREPARED


def test_a_connection_that_the_server_ends_is_an_operational_error() -> None:
    with connection() as lent, pytest.raises(psycopg.OperationalError):
        execute(lent, "SELECT pg_terminate_backend(pg_backend_pid())")
    with connection() as other:
        assert execute(other, "SELECT 1").fetchone() == (1,)


def test_long_statements_are_run_and_not_kept() -> None:
    long = "SELECT %s::int" + " + 0" * prepared._LONGEST_PREPARED
    with connection() as lent:
        count = "SELECT count(*) FROM pg_prepared_statements"
        before = execute(lent, count).fetchone()
        found = run(lent, (long, (1,)), ("SELECT 2 AS beside_a_long_one", ()), (long, (3,)))
        assert [result.fetchone() for result in found] == [(1,), (2,), (3,)]
        with pytest.raises(psycopg.errors.DivisionByZero):
            execute(lent, f"{long} / 0", (1,))
        run(lent, ("SELECT 2 AS beside_a_long_one", ()))
        after = execute(lent, count).fetchone()
    assert before is not None
    assert after == (before[0] + 1,)
