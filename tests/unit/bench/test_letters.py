"""The mail of the benchmark: the same for the same number, and like mail."""

from __future__ import annotations

from email import message_from_bytes, policy

from bench.letters import COMMON_WORD, NEWEST, SPAN, UNCOMMON_WORD, Correspondence

LETTERS = Correspondence(1).letters(1000)


def test_the_same_number_gives_the_same_letters() -> None:
    assert Correspondence(7).letters(60) == Correspondence(7).letters(60)


def test_another_number_gives_other_letters() -> None:
    assert Correspondence(7).letters(1)[0].raw != Correspondence(8).letters(1)[0].raw


def test_as_many_as_asked_for() -> None:
    assert len(LETTERS) == 1000


def test_oldest_first_within_three_years() -> None:
    moments = [letter.received_at for letter in LETTERS]
    assert moments == sorted(moments)
    assert moments[0] >= NEWEST - SPAN
    assert moments[-1] <= NEWEST


def test_each_is_wellformed() -> None:
    defects = [
        part.defects
        for letter in LETTERS[:200]
        for part in message_from_bytes(letter.raw, policy=policy.default).walk()
    ]
    assert [defect for defect in defects if defect] == []


def test_message_ids_are_unique() -> None:
    ids = [message_from_bytes(letter.raw)["Message-ID"] for letter in LETTERS]
    assert len(set(ids)) == 1000


def test_sizes_are_those_of_mail() -> None:
    sizes = sorted(len(letter.raw) for letter in LETTERS)
    assert 1_000 < sizes[500] < 12_000
    assert sizes[-1] < 60_000


def test_words_have_their_frequencies() -> None:
    common = sum(f"About the {COMMON_WORD}".encode() in letter.raw for letter in LETTERS)
    uncommon = sum(f"About the {UNCOMMON_WORD}".encode() in letter.raw for letter in LETTERS)
    assert 200 <= common <= 300
    assert 8 <= uncommon <= 35


def test_new_messages_differ_by_their_mark() -> None:
    one, other = Correspondence(1), Correspondence(1)
    assert one.new_message(0.25) != other.new_message(0.75)
