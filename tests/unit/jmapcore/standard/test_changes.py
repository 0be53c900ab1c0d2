"""The log between two states, whether its beginning was read along with the states or after them."""

from __future__ import annotations

import pytest

from accounts.access import AccountAccess
from jmapcore.standard.changes import changes_between, read_ahead
from jmapcore.store.database import connection
from jmapcore.store.reading import Reading
from jmapcore.store.write import account_write
from tests.support.cast import Cast

pytestmark = pytest.mark.rfc("8620", "5.2")


@pytest.fixture
def access(cast: Cast) -> AccountAccess:
    """Charlie's own account."""
    account = cast.charlie.account
    return AccountAccess(account.pk, cast.charlie.user.pk, account.name, True, False, True)


def write_changes(account_id: int, *numbers: int) -> tuple[str, str]:
    """Update these objects in one write; the states before and after."""
    with connection() as lent, account_write(account_id, lent) as write:
        before = write.mark("T").state
        for number in numbers:
            write.updated("T", number)
        after = write.new_mark("T").state
    return before, after


def test_nothing_is_read_ahead_where_nothing_new_was_seen(access: AccountAccess) -> None:
    before, after = write_changes(access.account_id, 1)
    with connection() as lent:
        Reading(lent, access).mark("T")
        assert read_ahead(Reading(lent, access), "T", after, 10) is None
        assert read_ahead(Reading(lent, access), "T", "nonsense", 10) is None
        entries = read_ahead(Reading(lent, access), "T", before, 10)
    assert entries is not None
    assert [row[1:] for row in entries] == [(1, "u")]


def test_nothing_is_read_ahead_where_the_states_are_known(access: AccountAccess) -> None:
    before, _ = write_changes(access.account_id, 1)
    with connection() as lent:
        reading = Reading(lent, access)
        reading.mark("T")
        assert read_ahead(reading, "T", before, 10) is None


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 10])
def test_what_was_read_ahead_changes_no_answer(access: AccountAccess, limit: int) -> None:
    before, _ = write_changes(access.account_id, 1, 2, 1, 3)
    with connection() as lent:
        plain = Reading(lent, access)
        mark = plain.mark("T")
        since = mark.position(before)
        assert since is not None
        found = changes_between(plain, "T", since, mark.modseq, limit)
        ahead = Reading(lent, access)
        entries = read_ahead(ahead, "T", before, limit)
        assert entries is not None
        assert changes_between(ahead, "T", since, ahead.mark("T").modseq, limit, entries) == found


def test_what_came_after_the_state_is_left_for_the_next_time(access: AccountAccess) -> None:
    before, after = write_changes(access.account_id, 1, 2)
    write_changes(access.account_id, 3)
    with connection() as lent:
        Reading(lent, access).mark("T")
        reading = Reading(lent, access)
        entries = read_ahead(reading, "T", before, 10)
        mark = reading.mark("T")
        since, until = mark.position(before), mark.position(after)
        assert since is not None
        assert until is not None
        found = changes_between(reading, "T", since, until, 10, entries)
    assert (list(found.updated), found.up_to, found.complete) == ([1, 2], until, True)
