"""Where terms are in a text."""

from __future__ import annotations

import pytest

from mail.search.places import LocatedText, found_in
from mail.search.terms import parse
from mail.search.words import cleaned, words_of

ENGLISH = words_of(("english",))


def found(text: str, words: str) -> list[str]:
    """What is found of some words, piece by piece."""
    located = LocatedText(cleaned(text), ENGLISH)
    return [
        located.text[start:end] for term in parse(words, ENGLISH).terms for start, end in located.spans(term)
    ]


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Buses run, a bus", "bus", ["bus", "Buses"]),
        ("Running fast", "'running fast'", ["Running fast"]),
        ("Running fast", "'run fast'", []),
        ("the café", "CAFE", ["café"]),
        ("estimate, estimates", "estimate*", ["estimate", "estimates"]),
        ("東京都へ", "京都", ["京都"]),
        ("東京 abc", "'東京 abc'", ["東京 abc"]),
        ("한국어는", "한국어", ["한국어는", "한국어는"]),
        ("to <joe@Shop.example>!", "joe@shop.example", ["joe@Shop.example"]),
        ("foo barista", "foo-bar*", ["foo barista"]),
        ("foo foo bar", "'foo bar'", ["foo bar"]),
        ("nothing", "anything", []),
    ],
)
def test_places(text: str, words: str, expected: list[str]) -> None:
    assert found(text, words) == expected


def test_all_terms_in_any_of_the_texts() -> None:
    texts = [[LocatedText("one two", ENGLISH)], [LocatedText("three", ENGLISH), LocatedText("four", ENGLISH)]]
    assert found_in(parse("two four", ENGLISH), texts)
    assert not found_in(parse("two five", ENGLISH), texts)
    assert not found_in(parse("'one three'", ENGLISH), texts)
