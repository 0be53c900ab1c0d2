"""Who counts as the same sender."""

from __future__ import annotations

import pytest

from mail.submissions import new_token, return_address
from mail.vacation.responding import remembered_as


@pytest.mark.parametrize(
    ("sender", "person"),
    [
        ("Zoe@Example.ORG", "zoe@example.org"),
        ("zoe+lists@example.org", "zoe@example.org"),
        ("+zoe@example.org", "+zoe@example.org"),
        ("prvs=0123456789=zoe@example.org", "zoe@example.org"),
        ("SRS0=aB+c=XY=example.org=zoe@forwarder.example", "example.org=zoe@forwarder.example"),
        (
            "SRS1=HHH=other.example==HHH=TT=example.org=zoe@forwarder.example",
            "example.org=zoe@forwarder.example",
        ),
        ('"zoe zoe"@example.org', '"zoe zoe"@example.org'),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
    ],
)
def test_what_changes_from_message_to_message_is_no_part_of_it(sender: str, person: str) -> None:
    assert remembered_as(sender) == person


def test_nor_is_a_token_of_ours() -> None:
    tokens = [return_address("charlie@example.com", new_token()) or "" for _ in range(2)]
    assert [remembered_as(each) for each in tokens] == ["charlie@example.com"] * 2
