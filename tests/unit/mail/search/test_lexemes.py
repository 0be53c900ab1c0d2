"""The text of a tsvector, and its bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mail.search import lexemes
from mail.search.lexemes import Field, Lexemes, of_account
from mail.search.words import words_of

ENGLISH = words_of(("english",))


def rendered(*texts: tuple[Field, str]) -> str:
    """The text of account 7's tsvector."""
    found = Lexemes(ENGLISH)
    for field, text in texts:
        found.add(field, text)
    return of_account(found.rendered(), 7)


def test_a_lexeme_is_account_field_and_word_with_its_positions() -> None:
    text = rendered((Field.SUBJECT, "Running, running home"), (Field.BODY, "home"))
    assert text == "'7:s:running':1,2 '7:s:home':3 '7:s:run' '7:p:home':1"


def test_texts_of_a_field_lie_apart() -> None:
    assert rendered((Field.TO, "ann"), (Field.TO, "bob")) == "'7:t:ann':1 '7:t:bob':12"


def test_a_stem_that_is_a_word_too_is_at_its_place() -> None:
    assert rendered((Field.BODY, "running run")) == "'7:p:running':1 '7:p:run':2"


def test_whole_addresses_are_at_no_place() -> None:
    assert (
        rendered((Field.FROM, "joe@shop.test")) == "'7:f:joe':1 '7:f:shop':2 '7:f:test':3 '7:f:joe@shop.test'"
    )


def test_nothing_gives_nothing() -> None:
    assert rendered() == rendered((Field.BODY, "?!")) == ""


def test_positions_end_and_the_field_says_so() -> None:
    last = lexemes.LAST_POSITION
    text = rendered((Field.BODY, " ".join(f"w{number}" for number in range(last + 2))))
    assert f"'7:p:w{last - 1}':{last}" in text.split()
    assert f"'7:p:w{last}'" in text.split()
    assert "'7:x:p'" in text.split()


def test_a_lexeme_has_at_most_255_positions() -> None:
    text = rendered((Field.BODY, "word " * 300), (Field.SUBJECT, "word " * 255))
    positions = {piece.partition(":")[2]: piece.count(",") + 1 for piece in text.split() if ":1," in piece}
    assert list(positions.values()) == [255, 255]
    assert [piece for piece in text.split() if ":x:" in piece] == ["'7:x:p'"]


def test_distinct_lexemes_end() -> None:
    text = rendered((Field.BODY, " ".join(f"{number:x}y" for number in range(30_000))))
    assert len(text.split()) == lexemes.MOST_LEXEMES + 1
    assert text.endswith("'7:x:p'")


def test_octets_end_below_what_a_tsvector_holds() -> None:
    words = " ".join(chr(0x10400 + number % 40) * 60 + f"{number:x}" for number in range(19_000))
    text = rendered((Field.BODY, words))
    assert len(text.encode()) < 1_000_000
    assert text.endswith("'7:x:p'")


@given(st.lists(st.tuples(st.sampled_from(list(Field)[:7]), st.text()), max_size=5))
def test_every_lexeme_is_quoted_and_of_the_account(texts: list[tuple[Field, str]]) -> None:
    for piece in rendered(*texts).split():
        quoted, _, positions = piece.rpartition("'")
        assert quoted.startswith("'7:")
        assert quoted.count("'") == 1
        assert positions == "" or positions[1:].replace(",", "").isdigit()
