"""Who wrote a message and to whom."""

from __future__ import annotations

import pytest

from mail.message.originators import Originators, originators
from mail.message.scan import header_fields


def read(head: str) -> Originators:
    """The originators of a header."""
    raw = head.replace("\n", "\r\n").encode()
    return originators(header_fields(raw, 0, len(raw)))


def is_address(text: str) -> bool:
    return "@" in text


@pytest.mark.rfc("8621", "7")
def test_recipients_of_every_instance_in_their_order() -> None:
    found = read("Bcc: a@x\nTo: B <b@x>, G: c@x, d@x;\nto: e@x\nCC: undisclosed:;\nReply-To: f@x\n")
    assert found.recipients == ["a@x", "b@x", "c@x", "d@x", "e@x"]


def test_a_list_for_each_instance_of_from_and_sender() -> None:
    found = read("From: a@x, b@x\nFROM: c@x\nSender: d@x\nResent-From: e@x\n")
    assert (found.from_, found.sender) == ([["a@x", "b@x"], ["c@x"]], [["d@x"]])
    assert found.authors() == ["a@x", "b@x", "c@x", "d@x"]


@pytest.mark.rfc("8621", "7")
@pytest.mark.parametrize(
    ("head", "problems"),
    [
        ("From: a@x\n", []),
        ("From: a@x, b@x\nSender: a@x\n", []),
        ("To: a@x\n", ["from"]),
        ("From: \n", ["from"]),
        ("From: a\n", ["from"]),
        ("From: a@x, b@x\n", ["from"]),
        ("From: a@x\nFrom: a@x\n", ["from"]),
        ("From: a@x\nSender:\n", ["sender"]),
        ("From: a@x\nSender: b\n", ["sender"]),
        ("From: a@x\nSender: b@x, c@x\n", ["sender"]),
        ("From: a@x\nSender: b@x\nSender: b@x\n", ["sender"]),
        ("From: a\nSender: b\n", ["from", "sender"]),
    ],
)
def test_what_keeps_a_message_from_being_sent(head: str, problems: list[str]) -> None:
    assert read(head).problems(is_address) == problems


def test_fields_that_are_too_long_to_be_read() -> None:
    found = read(f"From: a@x\nTo: {'b@x, ' * 60_000}\n")
    assert (found.recipients, found.problems(is_address)) == ([], ["to"])
