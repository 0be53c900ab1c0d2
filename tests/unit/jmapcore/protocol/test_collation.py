"""The collations that the core capability announces."""

from __future__ import annotations

import time

import pytest

from jmapcore.protocol.collation import COLLATIONS, DEFAULT_COLLATION


def order(collation: str, *texts: str) -> list[str]:
    return sorted(texts, key=COLLATIONS[collation])


@pytest.mark.rfc("8620", "5.5")
def test_the_default_is_unicode_aware_and_ignores_case() -> None:
    key = COLLATIONS[DEFAULT_COLLATION]
    assert key("ÄPFEL") == key("äpfel")
    assert key("apple") == key("APPLE")


@pytest.mark.rfc("4790", "9.1.1")
def test_ascii_numeric_compares_the_number_at_the_start() -> None:
    assert order("i;ascii-numeric", "10", "9", "0011x", "x1", "", "2") == ["2", "9", "10", "0011x", "x1", ""]
    key = COLLATIONS["i;ascii-numeric"]
    assert key("007") == key("7up")
    assert key("000") == key("0")
    assert key("x") == key("")


def test_ascii_numeric_takes_a_number_of_any_length() -> None:
    key = COLLATIONS["i;ascii-numeric"]
    started = time.thread_time()
    assert key("9" * 4_000) < key("1" + "0" * 5_000_000)
    assert time.thread_time() - started < 1


@pytest.mark.rfc("4790", "9.2.1")
def test_ascii_casemap_knows_ascii_letters_alone() -> None:
    key = COLLATIONS["i;ascii-casemap"]
    assert key("abZ") == key("ABz")
    assert key("ä") != key("Ä")
    assert order("i;ascii-casemap", "b", "A", "_", "é") == ["A", "b", "_", "é"]


@pytest.mark.rfc("5051", "2")
def test_unicode_casemap_titlecases_and_decomposes() -> None:
    key = COLLATIONS["i;unicode-casemap"]
    assert key("\u01c6") == key("\u01c4")  # dž, DŽ
    assert key("e\u0301") == key("É")
    assert key("ﬀ") == key("ff") or key("ﬀ") == b"ff"
    assert key("ß") == "ß".encode()
    assert order("i;unicode-casemap", "Zebra", "éclair", "Apple", "banana") == [
        "Apple",
        "banana",
        "éclair",
        "Zebra",
    ]


def test_a_run_of_marks_takes_no_quadratic_time() -> None:
    started = time.process_time()
    assert len(COLLATIONS["i;unicode-casemap"]("\u0301\u0323" * 60_000)) == 240_000
    assert time.process_time() - started < 2
