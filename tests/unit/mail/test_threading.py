"""Which Thread a message belongs to, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest

from mail.counters import Member
from mail.threading import (
    LARGEST_THREAD,
    MERGED_AT_MOST,
    Assignment,
    reference_hash,
    reference_hashes,
    subject_key,
)
from tests.support.mail_store import NOON

pytestmark = pytest.mark.rfc("8621", "3")


def member(email_id: int, thread_id: int) -> Member:
    return Member(email_id, thread_id, NOON, frozenset(), frozenset({1}))


def threads(*sizes: int) -> dict[int, list[Member]]:
    """Threads 1, 2, … of these sizes; the Emails of Thread n are n·1000, n·1000+1, …"""
    return {
        thread_id: [member(thread_id * 1000 + place, thread_id) for place in range(size)]
        for thread_id, size in enumerate(sizes, start=1)
    }


def assignment(sizes: Sequence[int], references: Sequence[tuple[int, int]]) -> Assignment:
    numbers = count(100_000)
    return Assignment(threads(*sizes), references, lambda: next(numbers))


def test_the_hash_depends_on_the_message_id_and_on_the_subject() -> None:
    hashes = {reference_hash("a@x", "lunch"), reference_hash("b@x", "lunch"), reference_hash("a@x", "dinner")}
    assert len(hashes) == 3


def test_the_hash_is_a_signed_number_of_64_bits_and_stays_what_it_is() -> None:
    assert reference_hash("a@x", "lunch") == 5012030485565163466


def test_all_three_header_fields_count_each_message_id_once() -> None:
    assert reference_hashes(["a"], ["b", "c"], ["c", "d"], "s") == tuple(
        reference_hash(name, "s") for name in "abcd"
    )


def test_subjects_are_compared_without_white_space_and_case() -> None:
    assert subject_key(" Straße  nach\tRom ") == subject_key("STRASSE NACHROM")


def test_only_the_last_fifty_references_count() -> None:
    names = [f"r{number}" for number in range(60)]
    assert reference_hashes(None, None, names, "s") == tuple(reference_hash(name, "s") for name in names[10:])


def test_a_message_without_message_ids_has_no_hashes() -> None:
    assert reference_hashes(None, None, None, "s") == ()


def test_a_message_that_names_nothing_known_starts_a_thread() -> None:
    assert assignment([1], [(7, 1)]).place([8]) == 100_000


def test_two_messages_without_message_ids_start_two_threads() -> None:
    placed = assignment([], [])
    assert [placed.place([]), placed.place([])] == [100_000, 100_001]


def test_a_message_that_names_a_known_one_joins_its_thread() -> None:
    assert assignment([1], [(7, 1)]).place([8, 7]) == 1


def test_a_later_message_finds_an_earlier_one_of_the_same_batch() -> None:
    placed = assignment([], [])
    first = placed.place([7])
    assert placed.place([8, 7]) == first


def test_the_smaller_thread_goes_up_into_the_larger_under_new_ids() -> None:
    placed = assignment([1, 2], [(7, 1), (8, 2)])
    assert placed.place([7, 8]) == 2
    assert placed.absorbed == {1: 2}
    assert placed.copied == {100_000: 1000}
    assert [each.id for each in placed.threads[2]] == [2000, 2001, 100_000]


def test_of_equal_threads_the_older_stays() -> None:
    assert assignment([1, 1], [(7, 1), (8, 2)]).place([7, 8]) == 1


def test_three_threads_are_joined_at_once() -> None:
    placed = assignment([1, 3, 1], [(7, 1), (8, 2), (9, 3)])
    assert placed.place([7, 8, 9]) == 2
    assert placed.absorbed == {1: 2, 3: 2}


def test_a_hundred_emails_are_merged() -> None:
    placed = assignment([MERGED_AT_MOST, 101], [(7, 1), (8, 2)])
    assert placed.place([7, 8]) == 2
    assert len(placed.threads[2]) == 201


def test_more_than_a_hundred_emails_stay_apart() -> None:
    placed = assignment([101, 102], [(7, 1), (8, 2)])
    assert placed.place([7, 8]) == 2
    assert placed.absorbed == {}
    assert len(placed.threads[1]) == 101


def test_what_referred_to_a_merged_thread_leads_to_the_one_it_went_into() -> None:
    placed = assignment([1, 2], [(7, 1), (8, 2)])
    placed.place([7, 8])
    assert placed.place([7]) == 2


def test_an_email_of_this_very_write_keeps_its_id_when_its_thread_is_merged() -> None:
    placed = assignment([2], [(8, 1)])
    started = placed.place([7])
    placed.add(member(5, started))
    assert placed.place([7, 8]) == 1
    assert [each.id for each in placed.threads[1]] == [1000, 1001, 5]
    assert placed.copied == {}


def test_a_full_thread_takes_no_more_and_the_next_ones_share_another() -> None:
    placed = assignment([LARGEST_THREAD], [(7, 1)])
    assert [placed.place([7]), placed.place([7])] == [100_000, 100_000]


def test_threads_are_not_merged_beyond_the_largest() -> None:
    placed = assignment([LARGEST_THREAD - 10, 10], [(7, 1), (8, 2)])
    assert placed.place([7, 8]) == 1
    assert placed.absorbed == {}
