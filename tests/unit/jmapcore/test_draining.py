"""What is left of a body that is refused."""

from __future__ import annotations

import io

import pytest

from jmapcore.draining import drain


@pytest.mark.parametrize(
    ("announced", "taken"), [(100_001, 100_001), (200_000, 200_000), (200_001, 0), (None, 200_000)]
)
def test_as_much_as_somebody_may_have_sent_by_mistake(announced: int | None, taken: int) -> None:
    body = io.BytesIO(bytes(300_000))
    drain({}, body.read, announced, 100_000)
    assert body.tell() == taken


def test_a_body_that_ends_early_is_over() -> None:
    body = io.BytesIO(bytes(100))
    drain({}, body.read, 150_000, 100_000)
    assert body.tell() == 100


def test_a_connection_that_is_lost_says_nothing_more() -> None:
    def read(size: int) -> bytes:
        raise ConnectionResetError

    drain({}, read, 150_000, 100_000)


def test_who_waits_for_leave_to_send_is_not_made_to() -> None:
    body = io.BytesIO(bytes(150_000))
    drain({"HTTP_EXPECT": "100-continue"}, body.read, 150_000, 100_000)
    assert body.tell() == 0
