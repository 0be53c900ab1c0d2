"""What of a message is searched."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.scan import scan
from mail.message.summary import summarise_message
from mail.search.lexemes import of_account
from mail.search.message_text import DEEPEST, MOST_TEXT, body_texts, index
from mail.search.words import words_of

ENGLISH = words_of(("english",))


def indexed(raw: bytes) -> dict[str, str]:
    """The lexemes of a message without account, and their positions."""
    message = scan(raw)
    text = of_account(index(message, summarise_message(message), ENGLISH), 1)
    pieces = (piece.rpartition("'") for piece in text.split())
    return {quoted[3:]: positions[1:] for quoted, _, positions in pieces}


def texts(raw: bytes) -> list[str]:
    return [text.strip() for text in body_texts(scan(raw)) if text.strip()]


def multipart(subtype: str, boundary: str, *parts: bytes) -> bytes:
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts)
    return (
        f"Content-Type: multipart/{subtype}; boundary={boundary}\r\n\r\n".encode() + body + line + b"--\r\n"
    )


@pytest.mark.rfc("8621", "4.4.1")
def test_each_field_has_its_letter() -> None:
    raw = (
        b"From: A <a@x.y>\r\nTo: b@x.y\r\nCc: c@x.y\r\nBcc: d@x.y\r\nSubject: e\r\nContent-Type: text/plain; name=g.txt"
        b"\r\n\r\nf\r\n"
    )
    found = indexed(raw)
    expected = {
        "f:a",
        "f:a@x.y",
        "t:b",
        "t:b@x.y",
        "c:c",
        "c:c@x.y",
        "b:d",
        "b:d@x.y",
        "s:e",
        "p:f",
        "a:g",
        "a:txt",
    }
    assert expected <= found.keys()
    assert {lexeme[0] for lexeme in found} == set("ftcbspa")


@pytest.mark.rfc("8621", "4.4.1")
def test_html_is_what_is_shown_and_alt_and_title() -> None:
    raw = b"Content-Type: text/html\r\n\r\n<head><title>T</title></head><p title='hover it'>a<b>b</b></p><img alt=pic>"
    assert texts(raw) == ["ab", "hover it\npic"]


def test_the_same_words_in_html_are_not_counted_again() -> None:
    both = multipart("alternative", "b", b"\r\none two", b"Content-Type: text/html\r\n\r\n<p>One</p> two")
    assert indexed(both) == {"p:one": "1", "p:two": "2"}
    other = multipart("alternative", "b", b"\r\none two", b"Content-Type: text/html\r\n\r\n<p>Two</p>")
    assert indexed(other) == {"p:one": "1", "p:two": "2,13"}


def test_bodies_come_before_other_parts_of_text() -> None:
    attached = b"Content-Type: text/csv\r\nContent-Disposition: attachment\r\n\r\nlast"
    raw = multipart("mixed", "m", attached, multipart("alternative", "b", b"\r\nfirst"))
    assert texts(raw) == ["first", "last"]


@pytest.mark.parametrize("type_", ["text/css", "text/javascript", "application/pdf", "image/png"])
def test_what_is_no_text_is_left_out(type_: str) -> None:
    part = f"Content-Type: {type_}\r\n\r\nnothing".encode()
    assert texts(multipart("mixed", "m", b"\r\nshown", part)) == ["shown"]


def test_attached_messages_are_read_to_a_depth() -> None:
    raw = b"Subject: s0\r\n\r\nt0"
    for number in range(1, DEEPEST + 3):
        raw = f"Subject: s{number}\r\nContent-Type: message/rfc822\r\n\r\n".encode() + raw
    top = DEEPEST + 2
    assert texts(raw) == [f"s{number}" for number in range(top - 1, top - 1 - DEEPEST, -1)]


def test_all_texts_together_end() -> None:
    parts = [b"\r\n" + b"word " * 100_000 for _ in range(5)]
    assert sum(map(len, body_texts(scan(multipart("mixed", "m", *parts))))) == MOST_TEXT


@pytest.mark.fuzz
@given(st.binary())
def test_any_octets_are_indexed(raw: bytes) -> None:
    indexed(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: text/html\r\n\r\n" + b'<p alt="' * 500_000,
        b"Content-Type: text/html\r\n\r\n" + b" alt=" * 800_000,
        b"Content-Type: text/html\r\n\r\n" + b"<p>x" * 1_000_000,
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "é́".encode() * 800_000,
        b"\r\n" + b" ".join(b"%x" % number for number in range(400_000)),
        b"To: " + b"a@b.c, " * 100_000 + b"\r\n\r\n",
        multipart("mixed", "m", *[b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny"] * 3_000),
    ],
    ids=["alt", "attributes", "tags", "marks", "words", "addresses", "messages"],
)
def test_time_is_bounded(raw: bytes) -> None:
    message = scan(raw)
    summary = summarise_message(message)
    begun = time.process_time()
    index(message, summary, ENGLISH)
    assert time.process_time() - begun < 3
