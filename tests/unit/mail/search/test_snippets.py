"""Marked subjects and previews."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.search.snippets import marked_subject, preview
from mail.search.terms import TooManyWordsError, parse
from mail.search.words import words_of

ENGLISH = words_of(("english",))
_MARKED = re.compile(r"<mark>|</mark>")


def subject_of(subject: str, words: str) -> str | None:
    return marked_subject(subject, parse(words, ENGLISH).terms, ENGLISH)


def preview_of(words: str, *texts: str) -> str | None:
    return preview(texts, parse(words, ENGLISH).terms, ENGLISH)


@pytest.mark.rfc("8621", "5")
@pytest.mark.parametrize(
    ("subject", "words", "expected"),
    [
        ("A & B <c>", "b", "A &amp; <mark>B</mark> &lt;c&gt;"),
        ("foo bar baz", "bar 'foo bar'", "<mark>foo bar</mark> baz"),
        ("foobar", "foo", None),
        ("", "foo", None),
        ("東京都", "京都 東京", "<mark>東京都</mark>"),
    ],
)
def test_subject(subject: str, words: str, expected: str | None) -> None:
    assert subject_of(subject, words) == expected


@pytest.mark.rfc("8621", "5")
def test_white_space_is_one_space() -> None:
    assert preview_of("b", "a\r\n\r\n  b\t\tc ") == "a <mark>b</mark> c"


def test_the_text_with_most_of_the_words_is_taken() -> None:
    assert preview_of("a b", "only a", "both b and a") == "both <mark>b</mark> and <mark>a</mark>"
    assert preview_of("a b", "only x") is None
    assert preview_of("a b") is None


def test_a_cut_is_at_a_word() -> None:
    shown = preview_of("needle", f"{'lorem ipsum ' * 50} needle {'dolor sit ' * 50}")
    assert shown is not None
    assert re.fullmatch(r"…(lorem|ipsum)( \w+)* <mark>needle</mark>( \w+)* (dolor|sit)…", shown)


@pytest.mark.fuzz
@pytest.mark.rfc("8621", "5")
@given(st.text(), st.text(), st.text())
def test_any_preview_is_short_and_only_marks_are_markup(before: str, words: str, after: str) -> None:
    try:
        parsed = parse(words, ENGLISH)
    except TooManyWordsError:
        return
    text = f"{before * 9} {words} {after * 9}"
    shown = preview([text], parsed.terms, ENGLISH)
    subject = marked_subject(text, parsed.terms, ENGLISH)
    for piece in filter(None, (shown, subject)):
        tags = _MARKED.findall(piece)
        assert tags == ["<mark>", "</mark>"] * (len(tags) // 2)
        assert tags
        assert not set(_MARKED.sub("", piece)) & set("<>")
    assert shown is None or len(shown.encode("utf_8", "surrogatepass")) <= 255
