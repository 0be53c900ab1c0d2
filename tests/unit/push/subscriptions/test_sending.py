"""What the answer of a push service means, and when to come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from push.subscriptions.sending import LONGEST_RETRY_AFTER_SECONDS, Answer, _answer, _retry_after


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, Answer.TAKEN),
        (201, Answer.TAKEN),
        (202, Answer.TAKEN),
        (204, Answer.TAKEN),
        (301, Answer.REFUSED),
        (307, Answer.REFUSED),
        (400, Answer.REFUSED),
        (401, Answer.REFUSED),
        (403, Answer.REFUSED),
        (404, Answer.GONE),
        (408, Answer.FAILED),
        (410, Answer.GONE),
        (413, Answer.TOO_LARGE),
        (425, Answer.FAILED),
        (429, Answer.TOO_MANY),
        (500, Answer.FAILED),
        (502, Answer.FAILED),
        (503, Answer.FAILED),
        (599, Answer.FAILED),
    ],
)
def test_each_status_means_something(status: int, answer: Answer) -> None:
    assert _answer(status) is answer


def test_seconds_and_dates_say_when_to_come_back() -> None:
    assert _retry_after(None) is None
    assert _retry_after("120") == 120.0
    assert _retry_after(" 7 ") == 7.0
    assert _retry_after("999999999") == LONGEST_RETRY_AFTER_SECONDS
    assert _retry_after("soon") is None
    assert _retry_after("-5") is None
    later = _retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True))
    assert later is not None
    assert 95 < later <= 100
    assert _retry_after("Sun, 06 Nov 1994 08:49:37 GMT") == 0.0
    assert _retry_after("Sun, 06 Nov 1994 08:49:37 -0000") == 0.0
