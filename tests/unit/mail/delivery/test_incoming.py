"""A message as it comes in: what of its header matters, and by what two copies are known as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.delivery.incoming import MOST_FIELDS, take_apart
from mail.delivery.junk import JunkRule, junk_rules

MESSAGE = b"From: a@example\r\nSubject: one\r\n\r\nHello\r\n"

ADDED_ON_THE_WAY = [
    b"Return-Path: <b@example>\r\n",
    b"Received: from a\r\n\tby b; Mon, 1 Jan 2001 00:00:00 +0000\r\n",
    b"Delivered-To: c@example\r\n",
    b"X-Original-To: c@example\r\n",
    b"Received-SPF: pass\r\n",
    b"Authentication-Results: mx.example; spf=pass\r\n",
    b"ARC-Seal: i=1\r\n",
    b"ARC-Message-Signature: i=1\r\n",
    b"ARC-Authentication-Results: i=1\r\n",
    b"X-Spam-Flag: YES\r\n",
    b"x-spam-status: Yes,\r\n score=10\r\n",
    b"X-Spamd-Result: default\r\n",
    b"X-Rspamd-Queue-Id: 1\r\n",
]


@pytest.mark.parametrize("field", ADDED_ON_THE_WAY)
def test_what_is_added_on_the_way_makes_no_other_message(field: bytes) -> None:
    hashes = {
        take_apart(raw).hash
        for raw in (MESSAGE, field + MESSAGE, MESSAGE.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n", 1))
    }
    assert len(hashes) == 1


@pytest.mark.parametrize(
    "other",
    [
        MESSAGE + b"x",
        MESSAGE.replace(b"one", b"two"),
        MESSAGE.replace(b"Hello", b"Received: from a\r\nHello"),
        b"DKIM-Signature: v=1\r\n" + MESSAGE,
        b"X-Spa: 1\r\n" + MESSAGE,
        b"\r\n" + MESSAGE,
        b"",
    ],
)
def test_everything_else_does(other: bytes) -> None:
    assert take_apart(other).hash != take_apart(MESSAGE).hash


@given(st.binary(max_size=300))
def test_no_octets_are_lost_and_none_make_it_fail(raw: bytes) -> None:
    found = take_apart(raw)
    if b"return-path" not in raw.lower():
        assert found.raw == raw
    assert take_apart(found.raw).raw == found.raw
    assert take_apart(found.raw).hash == found.hash


def test_every_return_path_of_the_header_goes_and_none_of_the_body() -> None:
    raw = b"Return-Path: <a@example>\r\nFrom: a\r\nRETURN-PATH:\r\n <b@example>\r\nTo: b\r\n\r\nReturn-Path: c\r\n"
    assert take_apart(raw).raw == b"From: a\r\nTo: b\r\n\r\nReturn-Path: c\r\n"


def test_fields_and_their_values() -> None:
    found = take_apart(
        b"Received: 1\r\nX-A: b\r\n c\r\nReceived : 2\r\nDelivered-To:  <A@Example.ORG> \r\n\r\nReceived: 3\r\n"
    )
    assert found.fields == [
        ("received", b" 1"), ("x-a", b" b\r\n c"), ("received", b" 2"), ("delivered-to", b"  <A@Example.ORG> "),
    ]  # fmt: skip
    assert found.received == 2
    assert found.delivered_to == {"a@example.org"}
    assert found.values("x-a") == [b" b\r\n c"]


@pytest.mark.parametrize("value", [b"", b"nobody", b"\xff@example", b"a@b@c", b"a b@example.org"])
def test_a_delivered_to_that_is_no_address_means_nobody(value: bytes) -> None:
    assert take_apart(b"Delivered-To: " + value + b"\r\n\r\n").delivered_to == frozenset()


def test_a_header_without_end_is_looked_at_in_bounds() -> None:
    assert len(take_apart(b"X: y\r\n" * (MOST_FIELDS + 5)).fields) == MOST_FIELDS


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ()),
        ("X-Spam-Flag: YES; X-Spam: Yes", (JunkRule("x-spam-flag", "yes"), JunkRule("x-spam", "yes"))),
        ("X-Spam-Status: Yes*;", (JunkRule("x-spam-status", "yes*"),)),
        ("X: a: b", (JunkRule("x", "a: b"),)),
    ],
)
def test_rules_of_a_setting(text: str, rules: tuple[JunkRule, ...]) -> None:
    assert junk_rules(text) == rules


@pytest.mark.parametrize("text", ["X-Spam", ": yes", "X-Spam:", "X-Spam: Yes; nonsense"])
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="is not a header field with its value"):
        junk_rules(text)


@pytest.mark.parametrize(
    ("field", "is_junk"),
    [
        (b"X-Spam-Status: Yes, score=10", True),
        (b"X-Spam-Status: No, score=1", False),
        (b"X-Spam: YES", True),
        (b"X-Spam:\r\n yes", True),
        (b"X-Spam: yes, really", False),
        (b"X-Spam: \xff", False),
        (b"Subject: X-Spam: yes", False),
    ],
)
def test_what_a_rule_makes_junk(field: bytes, is_junk: bool) -> None:
    rules = junk_rules("X-Spam-Status: Yes*; X-Spam: yes")
    assert take_apart(field + b"\r\n" + MESSAGE).is_junk(rules) is is_junk


def test_one_field_among_several_is_enough() -> None:
    raw = b"X-Spam: no\r\nX-Spam: yes\r\n" + MESSAGE
    assert take_apart(raw).is_junk(junk_rules("X-Spam: yes"))
