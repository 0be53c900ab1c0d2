"""What a message says for itself: whether a machine may answer it (RFC 3834 §2)."""

from __future__ import annotations

import time

import pytest

from mail.vacation.judgement import is_machine, reason_for_silence


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Subject", b"Auto-Submitted: yes", None),
        ("List-ID", b"<x>", "list"),
        ("list-Anything", b"", "list"),
        ("Listing", b"x", None),
        ("X-BeenThere", b"x", "list"),
        ("precedence", b" Bulk", "bulk"),
        ("Precedence", b"first-class", None),
        ("AUTO-SUBMITTED", b" auto-notified; x=y", "automatic"),
        ("Auto-Submitted", b"", "automatic"),
        ("Auto-Submitted", b" (a (comment) no", "automatic"),
        ("Auto-Submitted", b"\r\n no\r\n (by hand)", None),
        ("X-Auto-Response-Suppress", b"None", None),
        ("X-Auto-Response-Suppress", b"All", "automatic"),
        ("X-Loop", b"x", "automatic"),
        ("Content-Type", b"text/plain; x=multipart/report", None),
        ("Content-Type", b"Message/Delivery-Status", "report"),
    ],
)
def test_one_field_is_enough(name: str, value: bytes, reason: str | None) -> None:
    fields = [("From", b"x@example.org"), (name, value), ("To", b"y@example.org")]
    assert reason_for_silence(fields, "zoe@example.org") == reason


@pytest.mark.parametrize(
    "sender", ["zoe@example.org", "bo@example.org", "listen@example.org", "ownership@example.org"]
)
def test_people_are_no_machines(sender: str) -> None:
    assert not is_machine(sender)


def test_nothing_hostile_takes_long() -> None:
    fields = [
        ("Auto-Submitted", b"no" + b"(" * 1_000_000),
        ("Precedence", b"(" * 1_000_000),
        ("Content-Type", b'x;"' * 100_000),
    ]
    began = time.process_time()
    reason_for_silence(fields[1:], "-" * 100_000 + "@example.org")
    reason_for_silence(fields, "zoe@example.org")
    assert time.process_time() - began < 0.5
