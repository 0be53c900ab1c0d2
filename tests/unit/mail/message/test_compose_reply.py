"""In-Reply-To and References of an answer."""

from __future__ import annotations

from mail.message.compose_reply import MOST_REFERENCES, reply_fields


def test_the_references_go_on() -> None:
    assert reply_fields(["c@x"], ["a@x", "b@x", "c@x"]) == [
        ("In-Reply-To", " <c@x>"),
        ("References", " <a@x> <b@x> <c@x>"),
    ]


def test_what_has_no_id_cannot_be_named() -> None:
    assert reply_fields([], ["a@x"]) == []


def test_of_many_the_last_are_named() -> None:
    _, (_, value) = reply_fields(["z@x"], [f"{number}@x" for number in range(1_000)])
    assert value.split() == [*(f"<{number}@x>" for number in range(1_000 - MOST_REFERENCES, 1_000)), "<z@x>"]


def test_what_fits_into_no_field_is_left_out() -> None:
    assert reply_fields(["z@x"], ["a b@x", "x" * 2_000, "a\r\nb@x"]) == [
        ("In-Reply-To", " <z@x>"),
        ("References", " <z@x>"),
    ]
