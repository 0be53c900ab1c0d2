"""How long one request may be at work."""

from __future__ import annotations

import pytest

from jmapcore.protocol.deadline import at_most, checkpoint, time_is_up
from jmapcore.protocol.errors import ServerUnavailable


def test_without_a_deadline_time_is_never_up() -> None:
    checkpoint()
    assert not time_is_up()


def test_what_takes_too_long_ends_at_a_checkpoint() -> None:
    with at_most(-1):
        assert time_is_up()
        with pytest.raises(ServerUnavailable):
            checkpoint()
    checkpoint()


def test_a_block_inside_gives_no_more_time() -> None:
    with at_most(-1), at_most(60), pytest.raises(ServerUnavailable):
        checkpoint()
