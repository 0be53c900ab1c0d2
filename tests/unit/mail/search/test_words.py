"""Words of every script."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.search.words import (
    LONGEST_ADDRESS,
    LONGEST_RUN,
    LONGEST_WORD,
    Analysis,
    addresses_in,
    cleaned,
    located_words,
    normalised,
    raw_words,
    without_accents,
    words_of,
)

ENGLISH = words_of(("english",))


def analysed(text: str) -> list[Analysis]:
    return [ENGLISH.analysis(raw) for raw in raw_words(cleaned(text))]


def words(text: str) -> list[str]:
    """The words at positions."""
    return [word for analysis in analysed(text) for word in analysis.words]


def forms(text: str) -> list[str]:
    """The lexemes that are at none."""
    return [form for analysis in analysed(text) for form in analysis.forms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("!?… -- ___ \u0301", []),
        ("Hello, World", ["hello", "world"]),
        ("foo-bar_baz/x", ["foo", "bar", "baz", "x"]),
        ("don't", ["don", "t"]),
        ("3.14 1,000 v2", ["3", "14", "1", "000", "v2"]),
        ("joe.doe@shop.example", ["joe", "doe", "shop", "example"]),
        ("Straße ÉTÉ naïve", ["strasse", "ete", "naive"]),
        ("e\u0301te\u0301", ["ete"]),
        ("Łódź Ørsted Ægir œuvre ıſ", ["lodz", "orsted", "aegir", "oeuvre", "is"]),
        ("ﬁn ｆｕｌｌ Ⅷ ①", ["fin", "full", "viii", "1"]),
        ("½", ["1", "2"]),
        ("Ёлка Й ΣΊΣΥΦΟΣ ς", ["елка", "и", "σισυφοσ", "σ"]),
        ("שָׁלוֹם", ["שלום"]),
        ("العَرَبِيَّة كتـــاب", ["العربية", "كتاب"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("தமிழ்", ["தமிழ்"]),
        ("東京都", ["東京", "京都", "都"]),
        ("東", ["東"]),
        ("abc東京x", ["abc", "東京", "京", "x"]),
        ("カタカナ ｶﾞ が", ["カタ", "タカ", "カナ", "ナ", "ガ", "が"]),
        ("か\u3099", ["が"]),
        ("ไทยที่", ["ไท", "ทย", "ยที่", "ที่"]),
        ("한국어는 집", ["한국어는", "집"]),
        ("\u1112\u1161\u11ab", ["한"]),
        ("👍🏽❤️🇩🇪 ☎", ["👍", "❤", "🇩🇪", "☎"]),
        ("‼⁉", ["‼", "⁉"]),
        ("so\u00adfa zero\u200dwidth", ["sofa", "zerowidth"]),
        ("𝐁𝐨𝐥𝐝", ["bold"]),
        ("𠮷野", ["𠮷野", "野"]),
    ],
)
def test_words_at_positions(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("running", ["run"]),
        ("buses", ["buse", "bus"]),
        ("uses", ["use"]),
        ("run", []),
        ("2024", []),
        ("Évolution", ["evolut"]),
        ("한국어는", ["한국", "국어", "어는"]),
        ("한국", []),
        ("東京都", []),
        ("x" * 60 + "ing", []),
    ],
)
def test_forms_at_no_position(text: str, expected: list[str]) -> None:
    assert forms(text) == expected


def test_every_language_gives_its_stem() -> None:
    both = words_of(("english", "german"))
    assert both.analysis("häuser") == Analysis(("hauser",), ("haus",))
    assert both.analysis("running") == Analysis(("running",), ("run",))
    assert words_of(()).analysis("running") == Analysis(("running",))


def test_the_end_of_what_is_very_long_does_not_count() -> None:
    assert words("a" * 200) == ["a" * LONGEST_WORD]
    assert words("é" * 200) == ["e" * LONGEST_WORD]
    run = words("漢" * (LONGEST_RUN + 2))
    assert len(run) == LONGEST_RUN + 2
    assert all(len(word) <= 2 for word in run)


def test_places_are_those_of_the_raw_words() -> None:
    text = "Ab 東京, 한 x"
    assert [(raw.text, text[raw.start : raw.end], raw.kind) for raw in located_words(text)] == [
        ("Ab", "Ab", 0),
        ("東京", "東京", 1),
        ("한", "한", 2),
        ("x", "x", 0),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no address", []),
        ("Joe <Joe@Example.ORG>, x.y+z@a-b.example.", ["joe@example.org", "x.y+z@a-b.example"]),
        ("mailto:é@müller.example", ["e@muller.example"]),
        ("a@@b @c d@ e@f@g", ["e@f"]),
        ("x" * 400 + "@example.org", [("x" * 400)[:LONGEST_ADDRESS]]),
    ],
)
def test_addresses(text: str, expected: list[str]) -> None:
    assert addresses_in(cleaned(text)) == expected


@pytest.mark.fuzz
@given(st.text())
def test_any_text_has_words_that_lexemes_can_hold(text: str) -> None:
    for analysis in analysed(text):
        for word in (*analysis.words, *analysis.forms):
            assert 0 < len(word.encode()) <= 4 * 18 * LONGEST_WORD
            assert not set(word) & set("'\\ \0:*&|!()<>")
    for address in addresses_in(cleaned(text)):
        assert not set(address) & set("'\\ \0")


@pytest.mark.fuzz
@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    folded = without_accents(normalised(text))
    assert without_accents(normalised(folded)) == folded or not text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "\u0301" * 1_000_000,
        "a" + "\u0301\u0327" * 500_000,
        "漢" * 1_000_000,
        "漢" + "\u0301\u0316" * 500_000,
        "각" * 1_000_000,
        "ᄀ" * 1_000_000,
        "a@" * 500_000,
        "a." * 500_000 + "@",
        "é" * 1_000_000,
        "\ufdfa" * 1_000_000,
        "😀" * 1_000_000,
    ],
    ids=lambda text: ascii(text[:3]),
)
def test_time_is_linear_in_the_text(text: str) -> None:
    begun = time.process_time()
    analysed(text)
    addresses_in(cleaned(text))
    assert time.process_time() - begun < 5
