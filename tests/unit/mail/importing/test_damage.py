"""Damage that the bytes of a message show."""

import pytest

from mail.importing.damage import damage

MULTIPART = b'From: a@b.example\r\nContent-Type: multipart/mixed;\r\n\tboundary="b"\r\n\r\n'


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"Subject: 1\r\n\r\none\r\n", None),
        (b"Subject: 1\r\n folded\r\n\r\n--\r\nx:\r\n", None),
        (b"Subject: 1\r\n", None),
        (MULTIPART + b"--b\r\n\r\none\r\n--b--\r\n", None),
        (b"\r\ntext\r\n", "The message has no header."),
        (b"text\r\n", "The message does not begin with a header field."),
        (b"To: a\r\n>From b\r\nX: c\r\n\r\none", "Line 2 of the header is not a header field."),
        (b"To: a\r\n\r\n\0", "The message contains NUL characters."),
        (MULTIPART + b"one\r\n", "The message says it has several parts, but it has none."),
        (
            MULTIPART + b"--b\r\n\r\none\r\n",
            "The last part of the message is not closed; it may have been cut off.",
        ),
        (
            b"Content-Type: multipart/mixed\r\n\r\none\r\n",
            "The message says it has several parts, but not what divides them.",
        ),
    ],
)
@pytest.mark.rfc("5322", "2.2")
def test_damage(raw: bytes, sentence: str | None) -> None:
    assert damage(raw) == sentence
