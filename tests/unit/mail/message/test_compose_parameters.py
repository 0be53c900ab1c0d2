"""Parameters of Content-Type and Content-Disposition, and read again."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.compose_parameters import parameter_field
from mail.message.compose_words import ComposeError
from mail.message.parameters import content_disposition, content_type, file_name

NAME = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=300).filter(
    lambda text: "=?" not in text and text.strip()
)


def lines(field: str, value: str) -> list[str]:
    return f"{field}:{value}".split("\r\n")


@pytest.mark.rfc("8621", "4.1.4")
@given(NAME)
def test_a_file_name_is_read_again(name: str) -> None:
    value = parameter_field("Content-Disposition", "attachment", [("filename", name)])
    assert max(map(len, lines("Content-Disposition", value))) <= 200
    assert value.isascii()
    read = content_disposition(value.encode())
    assert (read.value, read.parameters) == ("attachment", {"filename": name})


@given(NAME)
def test_the_name_of_a_content_type_is_read_again(name: str) -> None:
    value = parameter_field("Content-Type", "image/png", [], name)
    assert value.isascii()
    read = content_type(value.encode())
    assert file_name(read.parameters["name"]) == normalize("NFC", name).strip()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a.png", "filename=a.png"),
        ("my file.png", 'filename="my file.png"'),
        ('a"b\\.png', 'filename="a\\"b\\\\.png"'),
        ("ä b.png", "filename*=utf-8''%C3%A4%20b.png"),
    ],
)
def test_how_a_file_name_is_written(text: str, written: str) -> None:
    assert parameter_field("Content-Disposition", "inline", [("filename", text)]) == f" inline; {written}"


def test_a_long_name_is_cut_between_octets() -> None:
    value = parameter_field("Content-Disposition", "inline", [("filename", "ä" * 40)])
    assert "\r\n filename*0*=utf-8''%C3%A4" in value
    assert content_disposition(value.encode()).parameters == {"filename": "ä" * 40}
    assert max(map(len, lines("Content-Disposition", value))) <= 76


def test_a_name_for_older_software() -> None:
    assert parameter_field("Content-Type", "a/b", [], "ä.png") == ' a/b; name="=?utf-8?q?=C3=A4=2Epng?="'
    assert (
        parameter_field("Content-Type", "a/b", [("charset", "utf-8")], "a.png")
        == ' a/b; charset=utf-8; name="a.png"'
    )


@pytest.mark.rfc("8621", "4.6")
@pytest.mark.parametrize(
    ("name", "text"),
    [("filename", "a\r\nb"), ("filename", "a\0"), ("file name", "a"), ("a*", "b"), ("x", "y" * 1025)],
)
def test_what_no_parameter_can_say(name: str, text: str) -> None:
    with pytest.raises(ComposeError):
        parameter_field("Content-Type", "a/b", [(name, text)])


def test_a_line_break_in_the_name_is_refused() -> None:
    with pytest.raises(ComposeError):
        parameter_field("Content-Type", "a/b", [], "a\nb")
