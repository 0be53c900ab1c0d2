"""Receipts and answers that are asked for at the same time, and what is left where something fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from jmapcore.store.write import AccountWrite
from mail.delivery import hooks
from mail.delivery.deliver import deliver
from mail.delivery.hooks import Arrived
from tests.protocol.MDN.asking import arguments, asks, keywords, mdn
from tests.protocol.test_at_once import Quiet, together
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.sent import sent_by


@pytest.mark.rfc("9007", "2.1")
def test_nobody_is_told_twice_by_several_at_once(cast: Cast) -> None:
    alice = Quiet(cast.alice)
    email_id = asks(alice)
    given = arguments(alice, {"k": mdn(email_id)})
    answers = together(*[lambda: alice.call("MDN/send", given)] * 6)
    assert sorted(str(each["notSent"]) for each in answers) == [
        *["None"] * 1,
        *["{'k': {'type': 'mdnAlreadySent'}}"] * 5,
    ]
    assert len(sent_by(cast.alice)) == 1
    assert keywords(alice, email_id) == {"$mdnsent": True}


def test_messages_of_one_sender_that_come_at_once_are_answered_once(cast: Cast) -> None:
    JMAPClient(cast.alice).call("VacationResponse/set", {"update": {"singleton": {"isEnabled": True}}})

    def come(number: int) -> bool:
        raw = f"To: {cast.alice.address}\r\nSubject: {number}\r\n\r\nx".encode()
        return deliver(raw, [cast.alice.address], return_path="zoe@example.org")[0].is_delivered

    assert together(*[lambda number=number: come(number) for number in range(6)]) == [True] * 6
    assert len(sent_by(cast.alice)) == 1


@pytest.fixture
def failing() -> Iterator[None]:
    """Something else fails in the write of each delivery, after the answer was queued."""

    def fail(write: AccountWrite, arrived: Arrived) -> None:
        write.run()
        raise ValueError("as if by chance")

    hooks.in_write.append(fail)
    yield
    hooks.in_write.remove(fail)


@pytest.mark.usefixtures("failing")
def test_an_answer_is_queued_with_its_message_or_not_at_all(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    JMAPClient(cast.alice).call("VacationResponse/set", {"update": {"singleton": {"isEnabled": True}}})
    raw = f"To: {cast.alice.address}\r\nSubject: Hello\r\n\r\nx".encode()
    with caplog.at_level(logging.CRITICAL):
        [outcome] = deliver(raw, [cast.alice.address], return_path="zoe@example.org")
    assert outcome.is_delivered
    assert sent_by(cast.alice) == []
