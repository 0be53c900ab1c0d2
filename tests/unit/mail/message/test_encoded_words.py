"""RFC 2047, and header octets as text."""

import unicodedata

import pytest

from mail.message.encoded_words import (
    composed,
    decode_words,
    decode_words_anywhere,
    decode_words_in_comment,
    raw_text,
    unfolded,
    without_controls,
)


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?iso-8859-1*de?Q?gr=FC=DF_dich?=", "grüß dich"),
        ("a =?utf-8?q?b?= c", "a b c"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\t =?iso-8859-1?q?=E9?= c", "aé c"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
        ("=?utf-8?b?w7w?=", "ü"),
        ("=?utf-8?b?w7wx?=", "ü1"),
        ("=?utf-8?b?w7wxQ?=", "ü1"),
        ("=?utf-8?q?=C3?= x", "� x"),
        ("=?utf-8?q?a=00b=07c=0D=0Ad=09e?=", "abcde"),
        ("=?utf-8?q??=", ""),
        ("=?utf-8?q?ü?=", "ü"),
    ],
)
@pytest.mark.rfc("8621", "4.1.2.2")
def test_encoded_words_are_decoded(text: str, decoded: str) -> None:
    assert decode_words(text) == decoded


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "x=?utf-8?q?a?=",
        "=?utf-8?q?a?=x",
        "=?utf-8?q?a b?=",
        "=?utf-8?x?a?=",
        "=?no-such-charset?q?a?=",
        "=?utf-7?q?a?=",
        "=?utf-8?b?w7*?=",
        "=?utf-8?q?a",
        "=?utf-8?q?a?==?utf-8?q?b?=",
    ],
)
@pytest.mark.rfc("8621", "4.1.2.2")
def test_what_violates_rfc_2047_is_not_decoded(text: str) -> None:
    assert decode_words(text) == text


def test_an_unknown_word_between_known_ones_keeps_its_space() -> None:
    assert decode_words("=?utf-8?q?a?= =?x-y?q?b?= =?utf-8?q?c?=") == "a =?x-y?q?b?= c"


def test_in_comments_parentheses_may_touch_words() -> None:
    assert decode_words_in_comment("(=?utf-8?q?a?=) b") == "(a) b"
    assert decode_words_in_comment("b") == "b"


def test_in_parameters_anything_may_touch_words() -> None:
    assert decode_words_anywhere("x=?utf-8?q?a?=.txt") == "xa.txt"
    assert decode_words_anywhere("x") == "x"


@pytest.mark.rfc("8621", "4.1.2.1")
def test_raw_text_replaces_what_is_no_utf_8_and_drops_nul() -> None:
    assert raw_text(b" \xc3\xbc\xff\x00\x07\r\n x") == " ü�\x07\r\n x"
    assert raw_text(b" x") == " x"


def test_unfolded_text_has_neither_line_ends_nor_control_characters() -> None:
    assert unfolded(b" a\r\n\tb\n c\x00\x07\x7f") == " a\tb c"


def test_without_controls_drops_c0_c1_and_del() -> None:
    assert without_controls("a\tb\x85c\x7f") == "abc"
    assert without_controls("abc") == "abc"


@pytest.mark.rfc("8621", "4.1.2.2")
def test_text_is_composed() -> None:
    assert composed("u\u0308") == "ü"
    assert composed("abc") == "abc"


def test_long_text_is_composed_in_pieces() -> None:
    text = "u\u0308 " * 2000
    assert composed(text) == "ü " * 2000
    assert len(composed("\u0301\u0323" * 50_000)) == 100_000
    unbroken = "日" * 3001
    assert composed(unbroken) == unicodedata.normalize("NFC", unbroken)
