"""The text of a filter."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.search.lexemes import Field
from mail.search.terms import AnyOf, Phrase, SearchText, Term, TooManyWordsError, parse, tokens
from mail.search.tsquery import NOTHING, Writer
from mail.search.words import words_of

ENGLISH = words_of(("english",))


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a  b\tc", [("a", False), ("b", False), ("c", False)]),
        ("a 'b c' d", [("a", False), ("b c", True), ("d", False)]),
        ('"it\'s" \'say "x"\'', [("it's", True), ('say "x"', True)]),
        (r"'it\'s \\ \"x\"'", [('it\'s \\ "x"', True)]),
        ("don't 'x", [("don't", False), ("'x", False)]),
        ("'a'b 'c'", [("'a'b", False), ("c", True)]),
        ("''", [("", True)]),
    ],
)
def test_tokens(text: str, expected: list[tuple[str, bool]]) -> None:
    assert list(tokens(text)) == expected


def phrase(*words: str | tuple[str, bool]) -> Phrase:
    """Words one after the other."""
    pairs = [(word, False) if isinstance(word, str) else word for word in words]
    return Phrase(tuple((place, word, is_open) for place, (word, is_open) in enumerate(pairs)))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Running", [AnyOf(("running", "run"))]),
        ("run run", [AnyOf(("run",))]),
        ("run*", [phrase(("run", True))]),
        ("'running'", [phrase("running")]),
        ("foo-bar", [phrase("foo", "bar")]),
        ("foo-ba*", [phrase("foo", ("ba", True))]),
        ("joe@Shop.example", [AnyOf(("joe@shop.example",))]),
        ("'joe@shop.example'", [phrase("joe", "shop", "example")]),
        ("@shop.example", [phrase("shop", "example")]),
        ("東京都", [phrase("東京", "京都")]),
        ("東", [phrase(("東", True))]),
        ("東京*", [phrase(("東京", True))]),
        ("'東京 x'", [Phrase(((0, "東京", False), (2, "x", False)))]),
        ("한국어는", [AnyOf(("한국어는",), ("한국", "국어", "어는"))]),
        ("한국", [AnyOf(("한국",))]),
        ("한", [phrase(("한", True))]),
        ("'한국'", [phrase("한국")]),
        ("- & !", []),
    ],
)
def test_terms(text: str, terms: list[Term]) -> None:
    assert list(parse(text, ENGLISH).terms) == terms


@pytest.mark.parametrize(
    ("text", "is_blank"), [("", True), (" \n", True), ("''", True), ("?", False), ("a", False)]
)
def test_blank(text: str, is_blank: bool) -> None:
    assert parse(text, ENGLISH).is_blank is is_blank


@pytest.mark.parametrize("text", [" ".join(f"w{n}" for n in range(101)), "'" + "w " * 201 + "'", "a-" * 300])
def test_too_many_words(text: str) -> None:
    with pytest.raises(TooManyWordsError):
        parse(text, ENGLISH)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("running", "('7:s:running' | '7:s:run')"),
        ("foo bar", "('7:s:foo' & '7:s:bar')"),
        ("'foo bar'", "('7:s:foo' <1> '7:s:bar')"),
        ("'foo'", "('7:s:foo' <0> '7:s:foo')"),
        ("foo*", "'7:s:foo':*"),
        ("한국어", "('7:s:한국어' | ('7:s:한국' & '7:s:국어'))"),
        ("?", NOTHING),
    ],
)
def test_tsquery(text: str, expected: str) -> None:
    assert Writer(7).exact(parse(text, ENGLISH), [Field.SUBJECT]) == expected


def test_tsquery_of_several_fields() -> None:
    written = Writer(7).exact(parse("foo bar", ENGLISH), [Field.TO, Field.CC])
    assert written == "(('7:t:foo' | '7:c:foo') & ('7:t:bar' | '7:c:bar'))"


def test_tsquery_of_what_the_index_may_have_cut() -> None:
    assert Writer(7).perhaps(parse("'foo bar'", ENGLISH), [Field.BODY]) == (
        "'7:x:p' & (('7:p:foo' <1> '7:p:bar') | ('7:x:p' & '7:p:bar' & '7:p:foo')) & !('7:p:foo' <1> '7:p:bar')"
    )


@pytest.mark.fuzz
@given(st.text())
def test_no_text_breaks_out_of_its_quotes(text: str) -> None:
    try:
        parsed: SearchText = parse(text, ENGLISH)
    except TooManyWordsError:
        return
    written = Writer(7).exact(parsed, [Field.BODY])
    assert written == NOTHING or written.count("'") % 2 == 0
    assert all(piece.startswith("7:p:") for piece in written.split("'")[1::2]) or written == NOTHING


@pytest.mark.parametrize(
    "text", ["'" * 1_000_000, "\"'" * 500_000, "'\\" * 500_000, "' \" " * 250_000, "'a " * 300_000]
)
def test_time_is_linear_in_the_text(text: str) -> None:
    begun = time.process_time()
    for _ in tokens(text):
        pass
    assert time.process_time() - begun < 5
