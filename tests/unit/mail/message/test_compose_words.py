"""Encoded words and folding."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.addresses import parse_addresses
from mail.message.compose_words import ComposeError, checked, encoded_words, folded, phrase_words, text_words
from mail.message.headers import as_text

TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
PIECES = st.sampled_from(
    [
        " ",
        "  ",
        "a",
        "é",
        "=?",
        "=?utf-8?q?x?=",
        "word",
        "x" * 80,
        "ü" * 50,
        "\u00a0",
        "日本語",
        " " * 45,
        "y" * 950,
    ]
)
WORDS = st.lists(PIECES, max_size=12).map("".join)
NAMES = st.sampled_from(["Subject", "X-" + "n" * 58, "X-" + "n" * 200])


def value(text: str, name: str = "Subject") -> str:
    return folded(name, text_words(name, text))


@pytest.mark.rfc("8621", "4.1.2.2")
@given(st.one_of(WORDS, TEXT), NAMES)
def test_what_is_written_is_read(text: str, name: str) -> None:
    written = value(text, name)
    assert as_text(written.encode()) == unicodedata.normalize("NFC", text)
    first, *others = f"{name}:{written}".split("\r\n")
    assert first.isascii()
    assert len(first) <= 998
    for line in others:
        assert line.isascii()
        assert len(line) <= 998
        assert line[0] == " "
        assert line.strip(" ")


@pytest.mark.rfc("8621", "4.6")
@given(st.text(st.characters(min_codepoint=0xC0, max_codepoint=0x10FFFF, exclude_categories=["Cs"])))
def test_lines_with_encoded_words_are_short(text: str) -> None:
    lines = f"Subject:{value(text)}".split("\r\n")
    assert max(map(len, lines)) <= 76
    assert all(len(word) <= 75 for word in " ".join(lines).split())


def test_plain_text_stays_plain() -> None:
    assert value("Hello, world") == " Hello, world"
    assert value("two  spaces") == " two  spaces"
    assert value("") == ""


def test_long_plain_text_is_folded_at_spaces() -> None:
    written = value("word " * 30 + "end")
    assert max(map(len, f"Subject:{written}".split("\r\n"))) <= 76
    assert written.replace("\r\n", "") == " " + "word " * 30 + "end"


def test_only_what_has_to_be_is_encoded() -> None:
    assert value("Menu du café noir") == " Menu du =?utf-8?q?caf=C3=A9?= noir"
    assert value("a  é") == " a  =?utf-8?q?=C3=A9?="
    assert value("é  b") == " =?utf-8?q?=C3=A9_?= b"
    assert value(" a b ") == " =?utf-8?q?_a_b_?="


def test_the_encoding_that_can_be_read_is_taken_unless_it_is_much_longer() -> None:
    assert value("日本語") == " =?utf-8?b?5pel5pys6Kqe?="
    assert value("é") == " =?utf-8?q?=C3=A9?="


def test_the_first_word_fits_beside_a_long_name() -> None:
    name = "X-" + "n" * 40
    lines = f"{name}:{value('ü' * 40, name)}".split("\r\n")
    assert len(lines[0]) <= 76


def test_what_looks_like_an_encoded_word_is_encoded() -> None:
    assert "=?utf-8?q?x?=" not in value("=?utf-8?q?x?=")


def test_a_tab_is_a_space() -> None:
    assert value("a\tb") == " a b"


@pytest.mark.parametrize(
    "text", ["a\r\nB: c", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x85b", "a\x7fb", "a\ud800b"]
)
def test_a_control_character_is_refused(text: str) -> None:
    with pytest.raises(ComposeError):
        checked(text)
    with pytest.raises(ComposeError):
        text_words("Subject", text)
    with pytest.raises(ComposeError):
        phrase_words(text)


def test_a_word_longer_than_a_line_is_refused() -> None:
    with pytest.raises(ComposeError):
        folded("X", [" " + "x" * 998])


def test_a_long_first_word_goes_to_the_next_line_where_it_must() -> None:
    assert folded("X" * 50, [" " + "y" * 60]) == "\r\n " + "y" * 60
    assert folded("X", [" " + "y" * 996]) == "\r\n " + "y" * 996
    assert folded("X", [" " + "y" * 90]) == " " + "y" * 90


def test_encoded_words_cut_no_character() -> None:
    for word in encoded_words("日" * 60) + encoded_words("a" * 40 + "é" * 30):
        assert "\ufffd" not in as_text(word.encode())


@given(st.one_of(WORDS, TEXT))
def test_a_display_name_is_read_again(text: str) -> None:
    written = folded("From", [*phrase_words(text), " <a@b.example>"]) if text.strip() else " <a@b.example>"
    [group] = parse_addresses(written.encode())
    name = unicodedata.normalize("NFC", text.strip()).strip() or None
    assert group.addresses == [{"name": name, "email": "a@b.example"}]


def test_display_names_are_atoms_quoted_or_encoded() -> None:
    assert phrase_words("Ann Author") == [" Ann Author"]
    assert phrase_words("J. Doe") == [' "J. Doe"']
    assert phrase_words('a"b\\c') == [' "a\\"b\\\\c"']
    assert phrase_words("Jörg") == [" =?utf-8?q?J=C3=B6rg?="]
    assert phrase_words("a =?x") == [" =?utf-8?q?a_=3D=3Fx?="]
