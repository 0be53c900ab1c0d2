"""What the settings take from the environment."""

from __future__ import annotations

import pytest

from jmapsite.settings import _choice, _languages


@pytest.mark.parametrize(("value", "chosen"), [("", True), ("0", False), ("1", True)])
def test_a_choice_is_0_or_1(monkeypatch: pytest.MonkeyPatch, value: str, chosen: bool) -> None:
    monkeypatch.setenv("SOME_CHOICE", value)
    assert _choice("SOME_CHOICE", default=True) is chosen


def test_a_choice_that_is_neither_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_CHOICE", "no")
    with pytest.raises(SystemExit, match="SOME_CHOICE must be 0 or 1, not 'no'"):
        _choice("SOME_CHOICE", default=True)


@pytest.mark.parametrize(
    ("value", "languages"), [("", ("english",)), ("German, french", ("german", "french")), (" ", ())]
)
def test_languages_have_spaces_between_them(
    monkeypatch: pytest.MonkeyPatch, value: str, languages: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SOME_LANGUAGES", value)
    assert _languages("SOME_LANGUAGES", "english") == languages


def test_an_unknown_language_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_LANGUAGES", "klingon")
    with pytest.raises(SystemExit, match="SOME_LANGUAGES: 'klingon' is none of arabic"):
        _languages("SOME_LANGUAGES", "english")
