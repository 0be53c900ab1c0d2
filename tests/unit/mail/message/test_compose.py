"""Whole messages, as they are written and as they are read again."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.compose import Draft, compose, random_token
from mail.message.compose_content import Octets
from mail.message.compose_parts import DraftPart
from mail.message.scan import Message, Part, body_text, decoded_body, scan

NOW = datetime(2020, 11, 20, 10, 0, tzinfo=timezone(timedelta(hours=1)))


def octets(raw: bytes) -> Octets:
    return Octets(len(raw), lambda: [raw[:7], raw[7:]])


def composed(root: DraftPart, fields: Any = (), **blobs: bytes) -> bytes:
    tokens = iter(f"{number:04d}" for number in range(100))
    contents = {blob_id: octets(raw) for blob_id, raw in blobs.items()}
    return compose(Draft(list(fields), root), contents, NOW, "example.org", lambda: next(tokens))


def text(value: str = "Text", **values: Any) -> DraftPart:
    return DraftPart("text/plain", text=value, **values)


def header(raw: bytes) -> list[str]:
    return raw.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ").split("\r\n")


def leaves(message: Message) -> Iterator[Part]:
    return (part for part in message.all_parts() if not part.is_multipart)


@pytest.mark.rfc("8621", "4.6")
def test_the_least_message() -> None:
    assert composed(text("Hello\n"), [("Subject", " Hi")]).decode().split("\r\n") == [
        "Subject: Hi",
        "Date: Fri, 20 Nov 2020 10:00:00 +0100",
        "Message-ID: <0000@example.org>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "Hello",
        "",
    ]


@pytest.mark.rfc("8621", "4.6")
def test_date_and_message_id_that_are_given_stay() -> None:
    raw = composed(text(fields=[("message-id", " <a@b>")]), [("DATE", " Thu, 19 Nov 2020 10:00:00 +0100")])
    names = [line.partition(":")[0] for line in header(raw)]
    assert names == ["DATE", "MIME-Version", "Content-Type", "message-id", "Content-Transfer-Encoding"]


def test_a_multipart() -> None:
    root = DraftPart("multipart/related", parts=[DraftPart("text/html", text="<p>"), text("b", cid="c@d")])
    raw = composed(root)
    assert header(raw)[-1] == 'Content-Type: multipart/related; type="text/html"; boundary="=_0001"'
    assert raw.partition(b"\r\n\r\n")[2].decode().split("\r\n") == [
        "--=_0001",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "<p>",
        "--=_0001",
        "Content-Type: text/plain; charset=utf-8",
        "Content-ID: <c@d>",
        "Content-Transfer-Encoding: 7bit",
        "",
        "b",
        "--=_0001--",
        "",
    ]


def test_a_type_that_related_has_already_stays() -> None:
    root = DraftPart("multipart/related", type_parameters=[("type", "text/plain")], parts=[text()])
    assert (
        header(composed(root))[-1] == 'Content-Type: multipart/related; type="text/plain"; boundary="=_0001"'
    )


@pytest.mark.rfc("8621", "4.6")
def test_eight_bits_inside_are_announced_around() -> None:
    message = "Subject: Grüße\r\n\r\nÄ".encode()
    inner = DraftPart("multipart/mixed", parts=[DraftPart("message/rfc822", blob_id="b1")])
    raw = composed(DraftPart("multipart/mixed", parts=[text(), inner]), b1=message)
    parts = scan(raw).all_parts()
    assert [(part.type, part.encoding) for part in parts] == [
        ("multipart/mixed", "8bit"),
        ("text/plain", "7bit"),
        ("multipart/mixed", "8bit"),
        ("message/rfc822", "8bit"),
    ]
    assert decoded_body(raw, parts[3]) == message


def test_what_describes_a_part() -> None:
    part = text(
        name="ä.txt",
        disposition="attachment",
        disposition_parameters=[("size", "4")],
        type_parameters=[("format", "fixed")],
        fields=[("Content-Language", " de")],
    )
    assert header(composed(part))[-4:] == [
        'Content-Type: text/plain; charset=utf-8; format=fixed; name="=?utf-8?q?=C3=A4=2Etxt?="',
        "Content-Language: de",
        "Content-Disposition: attachment; filename*=utf-8''%C3%A4.txt; size=4",
        "Content-Transfer-Encoding: 7bit",
    ]


def test_a_disposition_without_a_name() -> None:
    assert "Content-Disposition: inline" in header(composed(text(disposition="inline")))


def test_a_body_value_of_another_type() -> None:
    raw = composed(DraftPart("application/json", text='{"a": "ä"}'))
    root = scan(raw).root
    assert (root.type, root.charset, decoded_body(raw, root)) == (
        "application/json",
        None,
        '{"a": "ä"}'.encode(),
    )


def test_a_boundary_is_in_no_content() -> None:
    nasty = "--=_0001\nand\n--=_0002--\n"
    raw = composed(DraftPart("multipart/mixed", parts=[text(nasty), text()]))
    message = scan(raw)
    assert [body_text(raw, part)[0] for part in leaves(message)] == [nasty, "Text"]
    assert b'boundary="=_0003"' in raw


def test_what_only_looks_like_a_boundary_is_no_hindrance() -> None:
    raw = composed(DraftPart("multipart/mixed", parts=[text("--=_00000\n--=_x\n")]))
    assert b'boundary="=_0001"' in raw


def test_tokens_are_random() -> None:
    assert len({random_token() for _ in range(100)}) == 100
    assert {len(random_token()) for _ in range(10)} == {32}


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
LEAVES = st.one_of(
    st.builds(lambda value: DraftPart("text/plain", text=value), VALUES),
    st.builds(lambda value: DraftPart("text/html", text=value), VALUES),
)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.builds(
        lambda kind, inner: DraftPart(f"multipart/{kind}", parts=inner),
        st.sampled_from(["mixed", "alternative", "related", "digest"]),
        st.lists(parts, min_size=1, max_size=4),
    ),
    max_leaves=8,
)


def shape(part: DraftPart) -> Any:
    return part.type if part.parts is None else (part.type, [shape(each) for each in part.parts])


def scanned_shape(part: Part) -> Any:
    return (part.type, [scanned_shape(each) for each in part.parts]) if part.is_multipart else part.type


@pytest.mark.rfc("8621", "4.6")
@given(TREES)
def test_every_tree_is_read_again(root: DraftPart) -> None:
    raw = compose(Draft([], root), {}, NOW.astimezone(UTC), "example.org")
    message = scan(raw)
    assert scanned_shape(message.root) == shape(root)
    values = [(leaf.text or "").replace("\r\n", "\n") for leaf in root.leaves()]
    assert [body_text(raw, part) for part in leaves(message)] == [(value, False) for value in values]


@given(TREES)
def test_the_standard_library_reads_the_same(root: DraftPart) -> None:
    raw = compose(Draft([], root), {}, NOW, "example.org")
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert parsed.defects == []
    assert [part.get_content_type() for part in parsed.walk()] == [
        part.type for part in scan(raw).all_parts()
    ]


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4))
def test_blobs_keep_their_octets(blobs: list[bytes]) -> None:
    kinds = ["image/png", "text/csv", "application/pdf", "text/html"]
    parts = [DraftPart(kinds[number], blob_id=f"b{number}") for number in range(len(blobs))]
    raw = composed(
        DraftPart("multipart/mixed", parts=parts), **{f"b{number}": blob for number, blob in enumerate(blobs)}
    )
    assert [decoded_body(raw, part) for part in leaves(scan(raw))] == blobs
