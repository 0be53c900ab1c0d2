"""What the settings take from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from jmapsite.settings import _choice, _fetch_allowed_networks, _fetch_ca_file, _languages, _limit


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


def test_networks_that_may_be_reached_are_networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FETCH_ALLOWED_NETWORKS", raising=False)
    assert _fetch_allowed_networks() == ()
    monkeypatch.setenv("FETCH_ALLOWED_NETWORKS", "10.1.0.0/16, fd00::/8 127.0.0.1")
    assert [str(each) for each in _fetch_allowed_networks()] == ["10.1.0.0/16", "fd00::/8", "127.0.0.1/32"]
    monkeypatch.setenv("FETCH_ALLOWED_NETWORKS", "inside")
    with pytest.raises(SystemExit, match="FETCH_ALLOWED_NETWORKS is a list of IP addresses"):
        _fetch_allowed_networks()
    monkeypatch.setenv("FETCH_CA_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(SystemExit, match="FETCH_CA_FILE names"):
        _fetch_ca_file()


@pytest.mark.parametrize(
    ("value", "octets", "limit"),
    [("", True, 7), ("0", True, None), ("5GB", True, 5_000_000_000), ("100", False, 100), ("0", False, None)],
)
def test_a_limit_is_a_size_or_a_number_and_0_is_none(
    monkeypatch: pytest.MonkeyPatch, value: str, octets: bool, limit: int | None
) -> None:
    monkeypatch.setenv("SOME_LIMIT", value)
    assert _limit("SOME_LIMIT", 7, octets=octets) == limit


@pytest.mark.parametrize(("value", "octets"), [("much", True), ("5GB", False), ("-1", False)])
def test_a_limit_that_is_none_of_these_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, value: str, octets: bool
) -> None:
    monkeypatch.setenv("SOME_LIMIT", value)
    with pytest.raises(SystemExit, match=f"SOME_LIMIT must be .*, not '{value}'"):
        _limit("SOME_LIMIT", 7, octets=octets)
