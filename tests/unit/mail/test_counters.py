"""What a Thread is in each of its mailboxes (RFC 8621 §2, unreadThreads)."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from mail.counters import Counts, Member, presences
from tests.support.mail_store import NOON

pytestmark = pytest.mark.rfc("8621", "2")

INBOX, ARCHIVE, TRASH = 1, 2, 3


def member(email_id: int, *mailboxes: int, keywords: tuple[str, ...] = (), hours: int = 0) -> Member:
    received = NOON + timedelta(hours=hours)
    return Member(email_id, 9, received, frozenset(keywords), frozenset(mailboxes))


def unread(*members: Member) -> dict[int, bool]:
    """By mailbox: does the Thread count as unread there?"""
    found = presences(members, frozenset({TRASH}))
    return {mailbox_id: presence.counts_as_unread for mailbox_id, presence in found.items()}


def test_an_unread_email_elsewhere_makes_the_thread_unread_in_each_of_its_mailboxes() -> None:
    assert unread(member(1, INBOX, keywords=("$seen",)), member(2, ARCHIVE)) == {INBOX: True, ARCHIVE: True}


def test_an_unread_draft_is_not_unread() -> None:
    assert unread(member(1, INBOX, keywords=("$draft",))) == {INBOX: False}


def test_the_example_of_the_rfc() -> None:
    """ "An unread Email in the trash and a read Email in the inbox": 1 for the trash, 0 for the inbox."""
    assert unread(member(1, TRASH), member(2, INBOX, keywords=("$seen",))) == {TRASH: True, INBOX: False}


def test_what_is_not_in_the_trash_does_not_count_there() -> None:
    assert unread(member(1, TRASH, keywords=("$seen",)), member(2, INBOX)) == {TRASH: False, INBOX: True}


def test_an_email_in_the_trash_and_elsewhere_counts_in_both() -> None:
    assert unread(member(1, TRASH, ARCHIVE), member(2, INBOX, keywords=("$seen",))) == {
        TRASH: True,
        ARCHIVE: True,
        INBOX: True,
    }


def test_emails_are_counted_and_the_latest_is_found_with_ties_broken_by_id() -> None:
    found = presences(
        [member(5, INBOX, hours=1), member(7, INBOX, hours=1), member(9, INBOX, keywords=("$seen",))],
        frozenset(),
    )
    assert (found[INBOX].emails, found[INBOX].unread) == (3, 2)
    assert found[INBOX].latest == (NOON + timedelta(hours=1), 7)


PLACES = [(INBOX,), (TRASH,), (INBOX, ARCHIVE), (ARCHIVE, TRASH)]
FLAGS = [(), ("$seen",), ("$draft",), ("$flagged", "$seen")]


@pytest.mark.parametrize("trash", [frozenset({TRASH}), frozenset()])
def test_what_is_read_counts_as_the_whole_thread_counted_anew_does(trash: frozenset[int]) -> None:
    for places in itertools.product(PLACES, repeat=2):
        for before, after in itertools.product(itertools.product(FLAGS, repeat=2), repeat=2):
            old = [member(n, *places[n], keywords=before[n]) for n in (0, 1)]
            new = [member(n, *places[n], keywords=after[n]) for n in (0, 1)]
            quick, whole = Counts(), Counts()
            quick.add_read(old, new, trash)
            for members, sign in ((old, -1), (new, 1)):
                for mailbox_id, presence in presences(members, trash).items():
                    whole.add(mailbox_id, presence, sign)
            assert quick.moves == whole.moves, (places, before, after)
