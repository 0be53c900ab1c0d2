"""Content-Type and Content-Disposition parameters."""

import pytest

from mail.message.parameters import MOST_PARAMETERS, content_disposition, content_type, file_name


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (b" text/plain", "text/plain"),
        (b" TEXT/Html; charset=x", "text/html"),
        (b" (a) text / (b) html", "text/html"),
        (b" (a (b (c) \\) d)) text/html", "text/html"),
        (b" (a text/html", "text/plain"),
        (b" (a) text/html (b)", "text/html"),
        (b"application/vnd.ms-excel.sheet+xml", "application/vnd.ms-excel.sheet+xml"),
        (b" text", "text/plain"),
        (b" ; charset=x", "text/plain"),
        (b"", "text/plain"),
    ],
)
def test_types(value: bytes, type_: str) -> None:
    assert content_type(value).value == type_


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        (b"a/b; x=1; Y=2", {"x": "1", "y": "2"}),
        (b'a/b; x="a; b=c \\" \\\\ "; y=2', {"x": 'a; b=c " \\ ', "y": "2"}),
        (b"a/b;x = 1 ;\r\n\ty\r\n = 2", {"x": "1", "y": "2"}),
        (b"a/b; x=1 y=2", {"x": "1", "y": "2"}),
        (b"a/b; x=us-ascii (plain; text)", {"x": "us-ascii"}),
        (b"a/b; (c) x=1", {"x": "1"}),
        (b"a/b; charset=utf-8(c)", {"charset": "utf-8"}),
        (b'a/b; x="open', {"x": '"open'}),
        (b"a/b; x=1; x=2", {"x": "1"}),
        (b"a/b; x=; y", {"x": ""}),
        (b"a/b; name=my file (1).pdf; y=1", {"name": "my file (1).pdf", "y": "1"}),
        (b"a/b", {}),
    ],
)
def test_parameters(value: bytes, parameters: dict[str, str]) -> None:
    assert content_type(value).parameters == parameters


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"attachment; filename*=utf-8''f%C3%BC.txt", "fü.txt"),
        (b"attachment; filename*=iso-8859-1'en'f%FC.txt", "fü.txt"),
        (b"attachment; filename*0=a; filename*1=b.txt", "ab.txt"),
        (b"attachment; filename*0*=utf-8''%C3; filename*1*=%BC; filename*2=\"'%.txt\"", "ü'%.txt"),
        (b"attachment; filename*1=b; filename*0=a", "ab"),
        (b"attachment; filename*0=a; filename*2=c", "a"),
        (b"attachment; filename*1=b; filename=plain", "plain"),
        (b"attachment; filename=plain; filename*=utf-8''better", "better"),
        (b"attachment; filename*=no'quotes", "no'quotes"),
        (b"attachment; filename*=x-unknown''f%C3%BC", "fü"),
        ('attachment; filename="fü.txt"'.encode(), "fü.txt"),
    ],
)
def test_rfc_2231(value: bytes, name: str) -> None:
    assert content_disposition(value).parameters["filename"] == name


def test_a_disposition_may_lack_its_value() -> None:
    assert content_disposition(b" ; filename=a").value == ""
    assert content_disposition(b" ATTACHMENT").value == "attachment"


def test_parameters_are_counted() -> None:
    many = b"".join(b"; p%d=x" % number for number in range(MOST_PARAMETERS + 5))
    assert len(content_type(b"a/b" + many).parameters) == MOST_PARAMETERS


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("=?utf-8?q?f=C3=BC?=.txt", "fü.txt"),
        ("=?utf-8?b?w7w=?= =?utf-8?q?.txt?=", "ü.txt"),
        ("a\r\nb\x00.txt", "ab.txt"),
        (" u\u0308 ", "ü"),
        ("", None),
        ("\x07", None),
    ],
)
def test_file_names_are_decoded_and_harmless(value: str, name: str | None) -> None:
    assert file_name(value) == name
