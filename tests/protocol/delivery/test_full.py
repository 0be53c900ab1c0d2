"""Accounts that may not hold more."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.quotas import MESSAGES, Limits, set_limits
from mail.delivery.deliver import deliver
from tests.support.cast import Cast
from tests.support.mail_store import message
from tests.support.received_mail import received


def deliver_to(cast: Cast, name: str) -> str:
    """The reply to a message for Alice."""
    [outcome] = deliver(message(name, subject=name), [cast.alice.address], return_path="zoe@example.org")
    return str(outcome.reply)


@pytest.mark.parametrize(("setting", "reply"), [("452", "452 4.2.2"), ("552", "552 5.2.2")])
def test_a_full_account_takes_nothing_more(cast: Cast, settings: Any, setting: str, reply: str) -> None:
    settings.MAIL_OVER_QUOTA = setting
    set_limits(cast.alice.account, MESSAGES, Limits(1))
    assert deliver_to(cast, "one")[:9] == "250 2.1.5"
    assert deliver_to(cast, "two")[:9] == reply
    # What is there already takes no room.
    assert deliver_to(cast, "one")[:9] == "250 2.1.5"
    assert [found.subject for found in received(cast.alice)] == ["one"]


def test_what_was_refused_is_taken_once_there_is_room(cast: Cast) -> None:
    set_limits(cast.alice.account, MESSAGES, Limits(0))
    assert deliver_to(cast, "one")[:9] == "452 4.2.2"
    set_limits(cast.alice.account, MESSAGES, Limits(5))
    assert deliver_to(cast, "one") == "250 2.1.5 Delivered"


def test_a_soft_limit_stops_no_mail(cast: Cast) -> None:
    set_limits(cast.alice.account, MESSAGES, Limits(5, soft=0))
    assert deliver_to(cast, "one")[:9] == "250 2.1.5"


def test_a_full_account_holds_up_nobody_else(cast: Cast) -> None:
    set_limits(cast.alice.account, MESSAGES, Limits(0))
    outcomes = deliver(message("one"), [cast.alice.address, cast.bob.address], return_path="zoe@example.org")
    assert [outcome.reply.status for outcome in outcomes] == ["4.2.2", "2.1.5"]
