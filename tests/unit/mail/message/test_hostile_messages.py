"""Whatever comes in: no exception, JSON-able values, and time that grows with the size alone."""

import json
import time

import pytest
from hypothesis import strategies as st

from mail.message.headers import FORMS
from mail.message.render import DEFAULT_BODY_PROPERTIES, body_values, parse_body_properties, render_structure
from mail.message.scan import decoded_body, scan
from mail.message.structure import compact_structure, load_parts
from mail.message.summary import summarise_message
from tests.support.examples import play
from tests.support.hostile import MESSAGES

EVERYTHING = parse_body_properties([*DEFAULT_BODY_PROPERTIES, "headers", "header:Subject:asText:all"])

PIECES = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\xff", b"\xc3\xbc", b"--", b"--b", b"--b--", b"--c", b";", b":",
        b"=", b"(", b")", b"<", b">", b'"', b"\\", b",", b"@", b"x", b"1", b"=?utf-8?q?", b"=?utf-8?b?w7w=?=", b"?=",
        b"From ", b"From: ", b"To: ", b"Subject: ", b"Date: Mon, 2 Sep 2002 12:00:00 +0100", b"References: <a@b>",
        b"Content-Type: ", b"text/html", b"multipart/mixed; boundary=b", b"multipart/alternative; boundary=c",
        b"multipart/digest; boundary=", b"; charset=", b"utf-7", b"utf-16", b"iso-2022-jp", b"gb18030", b"&#0;",
        b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable", b"filename*0*=",
        b"Content-Disposition: attachment; ", b"Received: x; ", b"<style>", b"<!--", b"<p title='", b"\x1b$B", b"\xed\xa0\x80",
    ]
)  # fmt: skip


@pytest.mark.fuzz
def test_any_octets_give_json_able_values() -> None:
    play(check_values, st.lists(PIECES, max_size=60).map(b"".join) | MESSAGES)


def check_values(raw: bytes) -> None:
    """Whatever the octets are, what is made of them is JSON, and parts lie inside of them."""
    message = scan(raw)
    parts = message.all_parts()
    assert [part.number for part in parts] == list(range(len(parts)))
    for part in parts:
        assert 0 <= part.header_start <= part.header_end <= part.body_start <= part.body_end <= len(raw)
        assert part.is_multipart == part.type.startswith("multipart/")
        assert part.is_multipart or part.size == len(decoded_body(raw, part))
    values = [FORMS[form](value) for part in parts for _, value in part.headers for form in FORMS]
    rendered = render_structure(message.root, "b1", EVERYTHING, raw)
    assert rendered == render_structure(load_parts(compact_structure(message))[0], "b1", EVERYTHING, raw)
    summary = summarise_message(message)
    assert len(summary.preview.encode("utf_16_le")) <= 512
    text = json.dumps([values, rendered, body_values(raw, parts), summary.body_structure, summary.from_])
    text.encode("utf_8")
    json.dumps([summary.subject, summary.preview], ensure_ascii=False).encode("utf_8")


MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"
HEAVY = {
    "parts": MIXED + b"--b\n" * 500_000,
    "lines with dashes": MIXED + b"--\n" * 500_000,
    "fields": b"X: y\n" * 400_000,
    "a folded field": b"Subject: " + b"x\n " * 700_000,
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 150_000,
    "half encoded words": b"Subject: " + b"=?" * 1_000_000,
    "combining marks": b"Subject: " + "\u0301\u0323".encode() * 500_000,
    "addresses": b"To: " + b"a@b," * 500_000,
    "angles": b"To: " + b"<" * 100_000,
    "open quotes": b"To: " + b'"\\' * 50_000,
    "open comments": b"To: " + b"(" * 100_000,
    "references": b"References: " + b"(<a@b>" * 300_000,
    "parameters": b"Content-Type: text/plain" + b"; a=b" * 400_000,
    "comments of quoted pairs": MIXED
    + (b"--b\nContent-Type: " + b"(\\" * 4_000 + b"\nContent-Language: " + b"(\\" * 4_000 + b"\n\n") * 200,
    "space between parameters": b"Content-Type: text/plain;" + b" " * 2_000_000,
    "open tags": b"Content-Type: text/html\n\n" + b"<a" * 1_000_000,
    "open comments in html": b"Content-Type: text/html\n\n" + b"<!--" * 500_000,
    "long references in html": b"Content-Type: text/html\n\n&#" + b"9" * 2_000_000,
    "padding": b"Content-Transfer-Encoding: base64\n\n" + b"=" * 2_000_000,
    "spaces in quoted-printable": b"Content-Transfer-Encoding: quoted-printable\n\n" + b" " * 2_000_000,
    "soft breaks": b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\r" * 1_000_000,
    "quotes": b"\n" + b">\n" * 1_000_000,
    "mbox lines": b"From x\n" * 300_000,
}


@pytest.mark.parametrize("raw", HEAVY.values(), ids=HEAVY)
def test_hostile_fields_and_bodies_take_less_than_two_seconds(raw: bytes) -> None:
    started = time.process_time()
    message = scan(raw)
    summarise_message(message)
    body_values(raw, message.all_parts()[:3], 10_000)
    assert time.process_time() - started < 2
