"""How the content of parts travels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.compose_content import Encoded, Octets, base64_lines, encoded_content, encoded_text
from mail.message.transfer import decode

PIECES = st.sampled_from(
    [
        " ",
        "  ",
        "a",
        "é",
        "=",
        "From ",
        "\n",
        "\r\n",
        "\r",
        "word",
        "x" * 80,
        "ü" * 50,
        "\t",
        "\n.\n",
        "\0",
        "x" * 75,
    ]
)
TEXT = st.one_of(
    st.lists(PIECES, max_size=30).map("".join), st.text(st.characters(exclude_categories=["Cs"]))
)


def octets(raw: bytes) -> Octets:
    return Octets(len(raw), lambda: [raw])


def written(encoded: Encoded) -> bytes:
    return b"".join(encoded.pieces())


def of_blob(type_: str, raw: bytes, charset: str | None = None) -> Encoded:
    return encoded_content(type_, octets(raw), charset)


@pytest.mark.rfc("8621", "4.6")
@given(TEXT)
def test_a_text_is_read_again_and_its_lines_are_short(text: str) -> None:
    encoded = encoded_text(text)
    raw = written(encoded)
    assert decode(encoded.encoding, raw).decode().replace("\r\n", "\n") == text.replace("\r\n", "\n")
    for line in raw.split(b"\r\n"):
        assert len(line) <= (78 if encoded.encoding == "7bit" else 76)
        assert b"\n" not in line
        assert b"\r" not in line
        assert b"\0" not in line
        assert not line.startswith(b"From ")


@given(TEXT, st.sampled_from(["text/plain", "message/delivery-status", "application/x"]))
def test_a_blob_keeps_its_octets(text: str, type_: str) -> None:
    encoded = of_blob(type_, text.encode())
    assert decode(encoded.encoding, written(encoded)) == text.encode()


@given(st.lists(st.binary(max_size=200_000), max_size=4))
def test_base64_does_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    raw = b"".join(base64_lines(pieces))
    assert decode("base64", raw) == b"".join(pieces)
    assert all(len(line) <= 76 for line in raw.split(b"\r\n"))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("", "7bit"),
        ("Hello\n\nWorld\t!\n", "7bit"),
        ("x" * 78, "7bit"),
        ("x" * 79, "quoted-printable"),
        ("From here on", "quoted-printable"),
        ("Grüße aus dem Süden", "quoted-printable"),
        ("日本語", "base64"),
        ("a\rb", "base64"),
        ("a\0" + "b" * 20, "quoted-printable"),
    ],
)
def test_the_encoding_of_a_text(text: str, encoding: str) -> None:
    encoded = encoded_text(text)
    assert (encoded.encoding, encoded.charset) == (encoding, "utf-8")


@pytest.mark.parametrize(
    ("raw", "encoding", "charset"),
    [
        (b"a\r\nb\r\n", "7bit", None),
        (b"a\nb\n", "base64", None),
        (b"a\rb", "base64", None),
        (b"a\0b", "base64", None),
        (b"x" * 79, "quoted-printable", None),
        ("Grüße an alle Welt".encode(), "quoted-printable", "utf-8"),
        ("日本語".encode(), "base64", "utf-8"),
        ("Grüße an alle Welt".encode("latin-1"), "quoted-printable", None),
        (b"x" * 1_048_577, "base64", None),
    ],
)
def test_the_encoding_of_an_uploaded_text(raw: bytes, encoding: str, charset: str | None) -> None:
    encoded = of_blob("text/csv", raw)
    assert (encoded.encoding, encoded.charset) == (encoding, charset)
    assert decode(encoded.encoding, written(encoded)) == raw


def test_a_charset_that_is_given_stays() -> None:
    assert of_blob("text/plain", "Grüße".encode(), "iso-8859-1").charset == "iso-8859-1"
    assert of_blob("message/delivery-status", "Grüße".encode()).charset is None


@pytest.mark.rfc("8621", "4.6")
@pytest.mark.parametrize(
    ("raw", "encoding", "expected"),
    [
        (b"A: b\r\n\r\nText\r\n", "7bit", b"A: b\r\n\r\nText\r\n"),
        ("A: b\r\n\r\nGrüße\r\n".encode(), "8bit", "A: b\r\n\r\nGrüße\r\n".encode()),
        (b"A: b\n\nText\r\nand\rmore", "7bit", b"A: b\r\n\r\nText\r\nand\r\nmore"),
        (b"A: b\r\n\r\n" + b"x" * 998, "7bit", b"A: b\r\n\r\n" + b"x" * 998),
    ],
)
def test_a_message_is_never_encoded(raw: bytes, encoding: str, expected: bytes) -> None:
    encoded = of_blob("message/rfc822", raw)
    assert (encoded.encoding, encoded.type, written(encoded)) == (encoding, "message/rfc822", expected)


@pytest.mark.parametrize("raw", [b"A: b\r\n\r\na\0b", b"A: b\r\n\r\n" + b"x" * 1000, b"x" * 1000 + b"\r\n"])
def test_a_message_that_cannot_travel_as_it_is_becomes_message_global(raw: bytes) -> None:
    encoded = of_blob("message/rfc822", raw)
    assert (encoded.encoding, encoded.type) == ("base64", "message/global")
    assert decode("base64", written(encoded)) == raw


@pytest.mark.parametrize("kind", ["message/delivery-status", "message/disposition-notification"])
def test_reports_stay_readable_for_programs(kind: str) -> None:
    """ "7bit … MUST be used" (RFC 3464 §2.1), however long a word in them is."""
    raw = b"Final-Recipient: rfc822; " + b"x" * 300 + b"@example.org\r\n"
    encoded = encoded_content(kind, Octets(len(raw), lambda: [raw]), None)
    assert (encoded.encoding, b"".join(encoded.pieces())) == ("7bit", raw)
    beyond = b"Subject: \xc3\xb6\r\n"
    assert encoded_content(kind, Octets(len(beyond), lambda: [beyond]), None).encoding == "quoted-printable"
