"""Charsets as mail names them, and detection."""

import pytest

from mail.message.charsets import codec_name, configure, decode_known, decode_text, detect_codec
from mail.message.encoded_words import decode_words
from mail.message.render import body_values
from mail.message.scan import scan
from mail.message.summary import summarise


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("UTF-8", "utf_8"),
        ("utf8", "utf_8"),
        ("ISO_8859-1:1987", "latin_1"),
        ("win-1251", "cp1251"),
        ("iso-8859-15", "iso8859_15"),
        ("Windows-1252", "cp1252"),
        ("cp-850", "cp850"),
        ("koi8-r", "koi8_r"),
        ("GB2312", "gb18030"),
        ("ks_c_5601-1987", "cp949"),
        ("x-sjis", "cp932"),
        ("x-x-big5", "big5hkscs"),
        ("csGB2312", "gb18030"),
        ("cp1252", "cp1252"),
        ("x-big5", "big5hkscs"),
        ("x-gbk", "gb18030"),
        ("csISOLatin1", "latin_1"),
        ("csBig5", "big5hkscs"),
        ("x-mac-ce", "mac_latin2"),
        ("windows-949", "cp949"),
        ("iso-8859-8-i", "iso8859_8"),
        ("unicode-1-1-utf-8", "utf_8"),
        ('"utf-8"', "utf_8"),
        ("koi8-ru", "koi8_u"),
        ("ISO-2022-CN", None),
        ("8bit", None),
        ("x-unknown", None),
        ("unicode_escape", None),
        ("idna", None),
        ("rot13", None),
        ("base64", None),
        ("utf-7", None),
    ],
)
def test_names_are_looked_up_in_a_table_of_charsets_alone(charset: str, codec: str | None) -> None:
    assert codec_name(charset) == codec


@pytest.mark.rfc("8621", "9.1")
def test_utf_7_is_decoded_only_where_it_is_asked_for() -> None:
    assert decode_text(b"+AOk-", "utf-7") == ("+AOk-", True)
    assert decode_text(b"+AOk-", "utf-7", allow_utf7=True) == ("é", False)
    assert decode_text(b"+2AA-", "utf-7", allow_utf7=True) == ("�", True)


def test_a_known_charset_is_believed() -> None:
    assert decode_text("Grüße".encode("latin_1"), "iso-8859-1") == ("Grüße", False)
    assert decode_text("日本".encode("iso2022_jp"), "iso-2022-jp") == ("日本", False)


@pytest.mark.rfc("8621", "4.1.4")
def test_malformed_sections_are_replaced_and_reported() -> None:
    assert decode_text(b"a\xffb", "utf-8") == ("a�b", True)


def test_typographic_characters_under_iso_8859_1_are_those_of_windows() -> None:
    assert decode_text(b"\x93a\x94", "iso-8859-1") == ("“a”", False)
    assert decode_text(b"\x81\xe9", "iso-8859-1") == ("\x81é", False)


@pytest.mark.parametrize("charset", [None, "us-ascii"])
def test_unlabelled_text_that_is_ascii_or_utf_8_is_no_problem(charset: str | None) -> None:
    assert decode_text(b"abc", charset) == ("abc", False)
    assert decode_text("é".encode(), charset) == ("é", False)


def test_text_of_an_unknown_charset_is_reported() -> None:
    assert decode_text(b"abc", "x-unknown") == ("abc", True)
    assert decode_text("é".encode(), "x-unknown") == ("é", True)


@pytest.mark.rfc("8621", "9.1")
def test_detection_can_be_switched_off() -> None:
    assert decode_text("é".encode(), "us-ascii", detect=False) == ("��", True)
    assert decode_text(b"\x1b$B", "us-ascii", detect=False) == ("\x1b$B", False)


@pytest.mark.rfc("8621", "9.1")
def test_detection_is_switched_off_for_body_values_and_previews_alike(charset_choices: None) -> None:
    raw = b"Subject: x\r\n\r\ncaf\xe9"
    configure(detect=False, allow_utf7=False)
    assert body_values(raw, scan(raw).all_parts())["1"]["value"] == "caf\ufffd"
    assert summarise(raw).preview == "caf\ufffd"


@pytest.mark.rfc("8621", "9.1")
def test_utf_7_is_switched_on_for_texts_and_header_fields(charset_choices: None) -> None:
    raw = b"Content-Type: text/plain; charset=utf-7\r\n\r\n+AOk-"
    configure(detect=True, allow_utf7=True)
    assert body_values(raw, scan(raw).all_parts())["1"] == {
        "value": "é",
        "isEncodingProblem": False,
        "isTruncated": False,
    }
    assert decode_words("=?utf-7?q?+AOk-?=") == "é"


def test_an_escape_sequence_of_japanese_is_recognised() -> None:
    assert decode_text("日本".encode("iso2022_jp"), None) == ("日本", True)
    assert decode_text(b"\x1b[0m", None) == ("\x1b[0m", False)


def test_html_may_name_its_charset() -> None:
    text = '<meta http-equiv=x content="text/html; charset=koi8-r">Да'
    assert decode_text(text.encode("koi8_r"), None, is_html=True) == (text, True)


@pytest.mark.parametrize("charset", ["us-ascii", "no-such-charset"])
def test_html_that_names_no_useful_charset_is_detected(charset: str) -> None:
    text = f'<meta charset="{charset}">é'
    assert decode_text(text.encode("latin_1"), None, is_html=True) == (text, True)


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp949", "안녕하세요. 이것은 한국어로 쓴 편지입니다."),
        ("gb18030", "您好，这是一封中文邮件，请查收。谢谢您的合作。"),
        ("big5", "您好，這是一封中文郵件，請查收。謝謝您的合作。"),
        ("cp932", "こんにちは。これは日本語のメールです。よろしくお願いします。"),
        ("cp1251", "Здравствуйте, это письмо на русском языке."),
        ("koi8_r", "Здравствуйте, это письмо на русском языке."),
        ("latin_1", "Größe und Übergröße für schöne Mädchen, das wäre natürlich nötig."),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy a zase znovu"),
    ],
)
def test_unlabelled_text_is_detected(codec: str, text: str) -> None:
    assert detect_codec(text.encode(codec)) == codec


def test_little_8_bit_text_is_taken_for_western() -> None:
    assert detect_codec(b"caf\xe9") == "latin_1"
    assert detect_codec(b"cafe") == "latin_1"


def test_octets_that_fit_no_charset_are_taken_for_western() -> None:
    assert detect_codec(bytes(range(128, 256))) == "latin_1"


def test_every_known_codec_decodes_anything_without_lone_surrogates() -> None:
    from mail.message.charsets import _CODECS

    octets = bytes(range(256)) * 2 + b"\xd8\x00\xdc\x00\x00\xd8" + bytes(range(255, -1, -1))
    for codec in {*_CODECS.values(), "utf_7"}:
        decode_known(octets, codec)[0].encode("utf_8")
