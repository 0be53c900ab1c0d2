"""Stems and their languages."""

from __future__ import annotations

import pytest

from mail.search.stems import UnknownLanguageError, check_languages, stemmers


def test_one_stem_for_each_language() -> None:
    assert stemmers(("english", "french"))("nationales") == ["national", "national"]
    assert stemmers(())("nationales") == []


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize(
    ("word", "stems"),
    [("buses", ["buse", "bus"]), ("bus", ["bus"]), ("business", ["busi"]), ("uses", ["use"])],
)
def test_plurals_in_es(word: str, stems: list[str]) -> None:
    assert stemmers(("english",))(word) == stems


def test_numbers_and_very_long_words_have_none() -> None:
    assert stemmers(("english",))("12345") == []
    assert stemmers(("english",))("x" * 100) == []


def test_an_unknown_language_is_refused() -> None:
    check_languages(("english", "german"))
    with pytest.raises(UnknownLanguageError, match="klingon"):
        check_languages(("english", "klingon"))
