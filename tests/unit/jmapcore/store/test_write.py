"""The one write path: numbers, savepoints, joined transactions, what is told after the commit."""

# ruff: noqa: PT012  # what fails is a whole write: several statements

from __future__ import annotations

import psycopg
import pytest
from django.db import transaction

from jmapcore.store.database import Row, connection, django_connection, read
from jmapcore.store.write import UnknownAccountError, account_write, after_commit
from tests.support.cast import Cast


def log(account: int) -> list[Row]:
    """Number, type, object and operation of each entry."""
    sql = "SELECT modseq, type, object, operation FROM change_log WHERE account_id = %s ORDER BY modseq"
    with connection() as lent:
        return read(lent, account, (sql, (account,)))[0]


def counters(account: int) -> Row:
    sql = "SELECT modseq, next_id FROM account_state WHERE account_id = %s"
    with connection() as lent:
        return read(lent, account, (sql, (account,)))[0][0]


@pytest.fixture
def account(cast: Cast) -> int:
    return cast.charlie.account.pk


def test_each_change_takes_its_own_number(account: int) -> None:
    first, next_id = counters(account)
    with connection() as lent, account_write(account, lent) as write:
        assert list(write.new_ids(2)) == [next_id, next_id + 1]
        assert write.created("T", 1) == first + 1
        assert write.updated("T", 1, volatile=True) == first + 2
        assert write.destroyed("U", 2) == first + 3
        assert write.touched("V") == first + 4
        assert write.new_mark("T").state == f"{write.epoch}-{first + 2}"
        assert write.mark("T").modseq == 0
    assert [row for row in log(account) if row[0] > first] == [
        (first + 1, "T", 1, "c"),
        (first + 2, "T", 1, "v"),
        (first + 3, "U", 2, "d"),
        (first + 4, "V", 0, "u"),
    ]
    assert counters(account) == (first + 4, next_id + 2)


def test_a_write_that_fails_leaves_nothing(account: int) -> None:
    before, entries = counters(account), log(account)
    with connection() as lent:
        with pytest.raises(ZeroDivisionError), account_write(account, lent) as write:
            write.created("T", write.new_ids()[0])
            write.execute("UPDATE toy_oven SET degrees = 99 WHERE account_id = %s", (account,))
            raise ZeroDivisionError
        assert (counters(account), log(account)) == (before, entries)
        assert read(lent, account, ("SELECT degrees FROM toy_oven WHERE account_id = %s", (account,))) == [
            [(20,)]
        ]


def test_a_savepoint_undoes_what_was_recorded_inside(account: int) -> None:
    first, next_id = counters(account)
    with connection() as lent, account_write(account, lent) as write:
        write.created("T", 1)
        with pytest.raises(psycopg.errors.UniqueViolation), write.savepoint():
            write.created("T", write.new_ids()[0])
            write.execute("INSERT INTO toy_oven (account_id, id, degrees) VALUES (%s, 0, 1)", (account,))
        with write.savepoint():
            write.updated("T", 1)
    assert [row[1:] for row in log(account) if row[0] > first] == [("T", 1, "c"), ("T", 1, "u")]
    assert counters(account) == (first + 2, next_id)


def test_an_account_without_a_state_row_is_unknown(database: None) -> None:
    with connection() as lent:
        with pytest.raises(UnknownAccountError), account_write(2_000_000_000, lent):
            raise AssertionError
        assert lent.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_listeners_are_told_after_the_commit_alone(account: int) -> None:
    told: list[tuple[int, dict[str, int]]] = []

    def listen(number: int, types: dict[str, int]) -> None:
        told.append((number, types))

    after_commit.append(listen)
    try:
        first, _ = counters(account)
        with connection() as lent:
            with account_write(account, lent) as write:
                write.created("T", 1)
                write.on_commit.append(lambda: told.append((0, {})))
                assert told == []
            assert told == [(account, {"T": first + 1}), (0, {})]
            with account_write(account, lent):
                pass
            with pytest.raises(ZeroDivisionError), account_write(account, lent) as write:
                write.created("T", 2)
                raise ZeroDivisionError
        assert len(told) == 2
        with transaction.atomic():
            with account_write(account, django_connection()) as write:
                write.created("T", 3)
            assert len(told) == 2
        assert told[2:] == [(account, {"T": first + 2})]
    finally:
        after_commit.remove(listen)


def test_a_listener_that_fails_undoes_nothing_and_stops_nobody(
    account: int, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def fail(*arguments: object) -> None:
        raise ZeroDivisionError

    after_commit.append(fail)
    try:
        first, _ = counters(account)
        with connection() as lent, account_write(account, lent) as write:
            write.created("T", 1)
            write.on_commit += [fail, lambda: told.append("told")]
    finally:
        after_commit.remove(fail)
    assert (counters(account)[0], told) == (first + 1, ["told"])
    assert caplog.text.count("ZeroDivisionError") >= 2


def test_a_joined_write_is_undone_with_the_callers_transaction(account: int) -> None:
    before = counters(account)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with account_write(account, django_connection()) as write:
            write.created("T", 1)
        raise ZeroDivisionError
    assert counters(account) == before


def test_after_a_joined_write_the_transaction_may_write_no_more(account: int) -> None:
    with pytest.raises(psycopg.errors.DataError), transaction.atomic():
        with account_write(account, django_connection()):
            pass
        django_connection().execute("UPDATE toy_oven SET degrees = 99")
