"""Reading an account: snapshots that end in the round trip of what is read last."""

from __future__ import annotations

import pytest
from psycopg.pq import TransactionStatus

from accounts.access import AccountAccess
from jmapcore.store.database import Connection, connection
from jmapcore.store.reading import Reading
from tests.support.cast import Cast

ONE = ("SELECT 1", ())


def is_idle(lent: Connection) -> bool:
    """Whether the connection is in no transaction."""
    return lent.info.transaction_status == TransactionStatus.IDLE


@pytest.fixture
def access(cast: Cast) -> AccountAccess:
    """Charlie's own account."""
    account = cast.charlie.account
    return AccountAccess(account.pk, cast.charlie.user.pk, account.name, True, False, True)


def test_a_snapshot_ends_with_what_is_read_last(access: AccountAccess) -> None:
    with connection() as lent:
        reading = Reading(lent, access)
        with reading.snapshot():
            assert reading.run(ONE) == [[(1,)]]
            assert not is_idle(lent)
            assert reading.run_last(ONE, ("SELECT 2", ())) == [[(1,)], [(2,)]]
            assert is_idle(lent)
        assert reading.run(ONE) == [[(1,)]]


def test_a_snapshot_may_be_of_one_round_trip(access: AccountAccess) -> None:
    with connection() as lent:
        reading = Reading(lent, access)
        with reading.snapshot():
            assert reading.run_last(ONE) == [[(1,)]]
            assert is_idle(lent)


def test_nothing_is_read_behind_the_last(access: AccountAccess) -> None:
    with connection() as lent:
        reading = Reading(lent, access)
        with reading.snapshot():
            reading.run_last(ONE)
            with pytest.raises(RuntimeError, match="the snapshot has ended"):
                reading.run(ONE)


def test_a_snapshot_of_which_nothing_is_the_last_ends_with_its_block(access: AccountAccess) -> None:
    with connection() as lent:
        with pytest.raises(ZeroDivisionError), Reading(lent, access).snapshot():
            raise ZeroDivisionError
        reading = Reading(lent, access)
        with reading.snapshot():
            reading.run(ONE)
        assert is_idle(lent)


def test_without_a_snapshot_the_last_is_as_any_other(access: AccountAccess) -> None:
    with connection() as lent:
        reading = Reading(lent, access)
        assert [reading.run_last(ONE), reading.run(ONE)] == [[[(1,)]], [[(1,)]]]
