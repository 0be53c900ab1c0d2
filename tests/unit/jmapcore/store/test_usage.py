"""What an account holds and may hold: pure counting, and how a write saves and records it."""

# ruff: noqa: PT012  # what fails is a whole write: several statements

from __future__ import annotations

import threading

import pytest

from jmapcore.store.database import Row, connection, read
from jmapcore.store.usage import Held, OverQuotaError, Usage
from jmapcore.store.write import account_write
from tests.support.cast import Cast

COLUMNS = "octets_limit, objects_limit, octets_soft, objects_soft"


@pytest.fixture
def account(cast: Cast) -> int:
    return cast.charlie.account.pk


def limit(account: int, *, octets: int | None = None, objects: int | None = None) -> None:
    """Let the account have these hard limits and no others."""
    with connection() as lent, account_write(account, lent) as write:
        write.run(
            (
                f"UPDATE account_state SET ({COLUMNS}) = (%s, %s, NULL, NULL) WHERE account_id = %s",  # noqa: S608  # ours
                (octets, objects, account),
            )
        )


def stored(account: int, sql: str) -> list[Row]:
    with connection() as lent:
        return read(lent, account, (sql, (account,)))[0]


def used(account: int) -> Row:
    return stored(account, "SELECT used_octets, used_objects FROM account_state WHERE account_id = %s")[0]


def recorded(account: int) -> list[Row]:
    return stored(
        account,
        "SELECT object, operation FROM change_log WHERE account_id = %s AND type = 'Quota' ORDER BY modseq",
    )


def test_without_limits_everything_fits() -> None:
    assert Usage(10**15, 10**9).fits(10**15, 1)


def test_a_limit_may_be_reached_and_not_passed() -> None:
    usage = Usage(90, 1, octets_limit=100)
    assert usage.fits(10, 1)
    assert not usage.fits(11, 1)


def test_objects_are_limited_by_themselves() -> None:
    usage = Usage(0, 5, objects_limit=5)
    assert usage.fits(1_000, 0)
    assert not usage.fits(0, 1)


def test_who_is_past_a_limit_may_give_back() -> None:
    usage = Usage(200, 9, octets_limit=100, objects_limit=5, held=Held.HARD)
    usage.add(-50, -1)
    assert (usage.octets, usage.objects) == (150, 8)


def test_what_does_not_fit_is_not_counted() -> None:
    usage = Usage(0, 0, octets_limit=10)
    with pytest.raises(OverQuotaError):
        usage.add(11, 1)
    assert (usage.octets, usage.objects) == (0, 0)


def test_a_soft_limit_refuses_what_users_add_and_takes_what_arrives() -> None:
    usage = Usage(0, 0, octets_limit=20, octets_soft=10)
    assert not usage.fits(11, 1)
    usage.is_arrival = True
    assert usage.fits(11, 1)
    assert not usage.fits(21, 1)


def test_a_full_domain_refuses_everything_and_one_past_its_soft_limit_what_users_add() -> None:
    for held, own, arriving in ((Held.NOT, True, True), (Held.SOFT, False, True), (Held.HARD, False, False)):
        usage = Usage(0, 0, held=held)
        assert usage.fits(1, 1) is own
        usage.is_arrival = True
        assert usage.fits(1, 1) is arriving


def test_of_several_those_that_still_fit_are_taken() -> None:
    usage = Usage(0, 0, octets_limit=10, objects_limit=3)
    assert usage.beyond({"a": 6, "b": 5, "c": 3, "d": 1, "e": 0}) == ["b", "e"]
    assert (usage.octets, usage.objects) == (0, 0)


def test_a_write_saves_the_usage_and_records_it_once(account: int) -> None:
    limit(account, octets=1_000, objects=10)
    before = recorded(account)
    with connection() as lent, account_write(account, lent) as write:
        write.use(100, 1)
        write.use(50, 1)
    assert used(account) == (150, 2)
    assert recorded(account)[len(before) :] == [(1, "v"), (2, "v")]


def test_a_quota_that_there_is_not_is_not_recorded(account: int) -> None:
    limit(account, objects=10)
    before = recorded(account)
    with connection() as lent, account_write(account, lent) as write:
        write.use(100, 1)
    assert recorded(account)[len(before) :] == [(2, "v")]


def test_usage_that_ends_as_it_was_is_no_change(account: int) -> None:
    limit(account, octets=1_000, objects=10)
    before = recorded(account)
    with connection() as lent, account_write(account, lent) as write:
        write.use(100, 1)
        write.use(-100, -1)
    assert recorded(account) == before


def test_a_savepoint_that_fails_gives_the_usage_back(account: int) -> None:
    with connection() as lent, account_write(account, lent) as write:
        with pytest.raises(ZeroDivisionError), write.savepoint():
            write.use(100, 1)
            raise ZeroDivisionError
        write.use(1, 1)
    assert used(account) == (1, 1)


def test_a_write_that_fails_gives_the_usage_back(account: int) -> None:
    with connection() as lent, pytest.raises(ZeroDivisionError), account_write(account, lent) as write:
        write.use(100, 1)
        raise ZeroDivisionError
    assert used(account) == (0, 0)


def test_an_account_that_is_held_may_not_grow(account: int) -> None:
    with connection() as lent:
        lent.execute("INSERT INTO account_held (account_id, level) VALUES (%s, %s)", (account, Held.HARD))
        with pytest.raises(OverQuotaError), account_write(account, lent) as write:
            write.use(1, 1)


def test_two_connections_at_once_do_not_pass_a_limit_together(account: int) -> None:
    limit(account, octets=100)
    begin = threading.Barrier(2)
    refused: list[OverQuotaError] = []

    def add() -> None:
        with connection() as lent:
            begin.wait(10)
            for _ in range(10):
                try:
                    with account_write(account, lent) as write:
                        write.use(9, 1)
                except OverQuotaError as error:
                    refused.append(error)

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (used(account), len(refused)) == ((99, 11), 9)


def test_a_write_that_waited_for_the_lock_sees_what_the_other_used(account: int) -> None:
    limit(account, octets=100)
    taken, outcome = threading.Event(), []

    def second() -> None:
        with connection() as lent:
            taken.wait(10)
            try:
                with account_write(account, lent) as write:
                    write.use(60, 1)
            except OverQuotaError:
                outcome.append("refused")

    waiting = threading.Thread(target=second)
    waiting.start()
    with connection() as lent, account_write(account, lent) as write, connection() as watching:
        taken.set()
        write.use(60, 1)
        while not watching.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%account_state%'"
        ).fetchone():
            assert waiting.is_alive()
    waiting.join(30)
    assert (used(account), outcome) == ((60, 1), ["refused"])
