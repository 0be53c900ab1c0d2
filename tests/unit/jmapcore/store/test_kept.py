"""Records that are kept for a state: found at that state alone, and no more of them than fit."""

from __future__ import annotations

from jmapcore.store.kept import KeptRecords


def test_records_are_found_at_their_state_alone() -> None:
    kept = KeptRecords()
    kept.keep("a", "1", {1: "x"})
    assert ("a" in kept, "b" in kept) == (True, False)
    assert (kept.at("a", "1"), kept.at("a", "2"), kept.at("b", "1")) == ({1: "x"}, None, None)


def test_later_records_take_the_place_of_earlier_ones() -> None:
    kept = KeptRecords()
    kept.keep("a", "1", {1: "x"})
    kept.keep("a", "2", {2: "y"})
    assert (kept.at("a", "1"), kept.at("a", "2")) == (None, {2: "y"})


def test_those_used_longest_ago_go_where_there_are_too_many() -> None:
    kept = KeptRecords(most_records=3)
    for name in "abc":
        kept.keep(name, "1", {1: name})
    kept.at("a", "1")
    kept.keep("d", "1", {1: "d"})
    assert [name for name in "abcd" if name in kept] == ["a", "c", "d"]


def test_records_that_are_too_many_by_themselves_are_not_kept() -> None:
    kept = KeptRecords(most_records=1)
    kept.keep("a", "1", {1: "x", 2: "y"})
    assert "a" not in kept
