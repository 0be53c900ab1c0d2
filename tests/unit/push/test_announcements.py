"""What goes through Redis, and what comes out of it."""

from __future__ import annotations

import pytest

from push.announcements import COMPARE, RIGHTS, StateMoved, decode, encode


def test_an_announcement_comes_out_as_it_went_in() -> None:
    moved = StateMoved(7, {"Email": 12, "EmailDelivery": 11})
    assert decode(encode(moved)) == moved


@pytest.mark.parametrize(
    "payload",
    [COMPARE, RIGHTS, b"", b"{", b"7", b"[7]", b'["7",{}]', b'[7,{"Email":"12"}]', b'[7,{"Email":1.5}]'],
)
def test_whatever_else_is_in_the_channel_moves_no_state(payload: bytes) -> None:
    assert decode(payload) is None
