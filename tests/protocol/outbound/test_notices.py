"""What senders are told of mail that a relay has, refuses, or is not there for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from accounts.provisioning import add_alias, remove_alias
from jmapcore.store.database import connection, execute
from jmapcore.store.write import account_write
from mail.outbound.attempt import load, message_of
from mail.outbound.replies import Answer
from mail.outbound.reporting import make_reports
from mail.outbound.reports import noted
from mail.outbound.settling import NO, Outcome, settle
from tests.protocol.EmailSubmission.sending import draft, envelope, get, submitted
from tests.protocol.outbound.looks import account, inbox, queued, raw, status
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.outbound import claimed, deliver_all
from tests.support.relay import Sink

LATER = "451 4.2.0 Come back later"


def give_up(client: JMAPClient) -> None:
    """Let the time for what the account submitted be over."""
    with connection() as lent:
        execute(
            lent, "UPDATE submission_queue SET give_up_at = now() WHERE account_id = %s", (account(client),)
        )


def age(client: JMAPClient, hours: int) -> None:
    """Let what the account submitted be older."""
    with connection() as lent, account_write(account(client), lent) as write:
        write.execute(
            "UPDATE email_submission SET send_at = send_at - make_interval(hours => %s::int) WHERE account_id = %s",
            (hours, account(client)),
        )


def test_a_refusal_of_the_relay_bounces(alice: JMAPClient, relay: Sink) -> None:
    relay.replies["no@example.org"] = "550-5.1.1 Nobody\r\n550 5.1.1 of this name"
    number = submitted(alice, draft(alice), envelope=envelope(alice, "no@example.org", "yes@example.org"))
    deliver_all(account(alice))
    assert status(alice, number)["no@example.org"] == ("550 5.1.1 Nobody of this name", "no")
    [bounce] = inbox(alice)
    text = raw(alice, bounce).decode()
    assert "Remote-MTA: dns; 127.0.0.1\r\nDiagnostic-Code: smtp; 550 5.1.1 Nobody of this name\r\n" in text
    assert "yes@example.org" not in text.partition("Content-Type: message/rfc822")[0]


def test_a_sender_who_has_gone_elsewhere_is_told_by_the_relay(
    cast: Cast, alice: JMAPClient, relay: Sink
) -> None:
    sender = f"sales@{cast.north_domain.name}"
    alias = add_alias(sender, cast.alice.account)
    wanted = envelope(alice, "no@example.org")
    wanted["mailFrom"]["email"] = sender
    submitted(alice, draft(alice), envelope=wanted)
    remove_alias(alias)
    relay.replies["no@example.org"] = "550 5.1.1 No"
    deliver_all(account(alice))
    assert (inbox(alice), relay.taken, len(queued(alice))) == ([], [], 1)
    deliver_all(account(alice))
    [taken] = relay.taken
    assert (taken.sender, taken.recipients) == ("<>", (sender,))
    assert taken.dsn[f"NOTIFY {sender}"] == "NEVER"
    assert taken.message["Subject"] == "Your message could not be delivered"
    assert queued(alice) == []


@pytest.mark.rfc("5321", "4.5.4.1")
def test_after_days_it_is_given_up(alice: JMAPClient, relay: Sink) -> None:
    relay.replies["bob@example.org"] = LATER
    number = submitted(alice, draft(alice))
    deliver_all(account(alice))
    give_up(alice)
    deliver_all(account(alice), now=True)
    assert status(alice, number) == {
        "bob@example.org": (f"554 5.4.7 Given up after days; the last answer was: {LATER}", "no")
    }
    assert [each["subject"] for each in inbox(alice)] == ["Your message could not be delivered"]
    assert queued(alice) == []


@pytest.mark.rfc("3461", "4.1")
@pytest.mark.parametrize(("notify", "count"), [("DELAY", 1), ("FAILURE", 0), ("NEVER", 0), (None, 0)])
def test_of_a_delay_is_told_once_whoever_asks(
    alice: JMAPClient, relay: Sink, notify: str | None, count: int
) -> None:
    relay.replies["bob@example.org"] = LATER
    wanted = envelope(alice, "bob@example.org")
    wanted["rcptTo"][0]["parameters"] = None if notify is None else {"NOTIFY": notify}
    submitted(alice, draft(alice), envelope=wanted)
    deliver_all(account(alice))
    assert inbox(alice) == []
    age(alice, 5)
    deliver_all(account(alice), now=True)
    deliver_all(account(alice), now=True)
    assert [each["subject"] for each in inbox(alice)] == ["Your message is delayed"] * count
    assert len(queued(alice)) == 1
    if count:
        assert "Action: delayed\r\nStatus: 4.2.0\r\n" in raw(alice, inbox(alice)[0]).decode()


@pytest.mark.rfc("3461", "5.2.2")
@pytest.mark.parametrize(("knows_dsn", "subjects"), [(True, []), (False, ["Your message was passed on"])])
def test_of_the_passing_on_is_told_where_the_relay_will_not_tell_more(
    alice: JMAPClient, relay: Sink, knows_dsn: bool, subjects: list[str]
) -> None:
    wanted = envelope(alice, "bob@example.org")
    wanted["rcptTo"][0]["parameters"] = {"NOTIFY": "SUCCESS"}
    submitted(alice, draft(alice), envelope=wanted)
    relay.knows_dsn = knows_dsn
    deliver_all(account(alice))
    assert [each["subject"] for each in inbox(alice)] == subjects


@pytest.mark.parametrize("made_before", [False, True])
def test_a_bounce_that_was_being_made_is_made_once(alice: JMAPClient, relay: Sink, made_before: bool) -> None:
    """As after a kill between the outcome and its notification, or between the notification and the end."""
    number = submitted(alice, draft(alice))
    [claim] = claimed(account(alice))
    outcome = {0: Outcome(Answer(550, "5.1.1 No"), NO)}
    with connection() as lent:
        settled = settle(lent, claim, outcome, next_at=datetime.now(UTC))
        loaded = load(lent, claim)
    assert (settled.is_over, len(settled.reports), loaded is None) == (False, 1, False)
    assert status(alice, number) == {"bob@example.org": ("550 5.1.1 No", "no")}
    if made_before:
        assert loaded is not None
        message = message_of(claim, loaded, threading.Event())
        assert make_reports(claim, loaded, settled.reports, message, relay.relay, threading.Event()) == list(
            settled.reports
        )
    deliver_all(account(alice), now=True)
    assert relay.commands == []
    assert len(inbox(alice)) == 1
    assert queued(alice) == []


def test_what_has_left_is_not_sent_again(alice: JMAPClient, relay: Sink) -> None:
    """As after a kill between the note that it has left and the record."""
    number = submitted(alice, draft(alice))
    [claim] = claimed(account(alice))
    with connection() as lent:
        execute(
            lent,
            "UPDATE submission_queue SET taken = '{0}' WHERE account_id = %s AND id = %s",
            (claim.account_id, claim.id),
        )
    deliver_all(account(alice), now=True)
    assert relay.commands == []
    assert status(alice, number) == {
        "bob@example.org": ("250 2.0.0 Taken; what was said with it is lost", "unknown")
    }
    assert get(alice, number)["undoStatus"] == "final"


def test_a_lease_that_is_lost_ends_the_transfer(alice: JMAPClient, relay: Sink) -> None:
    number = submitted(alice, draft(alice))
    deliver_all(account(alice), holds=lambda claim: False)
    assert relay.taken == []
    assert status(alice, number) == {
        "bob@example.org": ("451 4.3.0 Not possible now, it is tried again", "queued")
    }


def test_what_is_noted_keeps_what_it_tells() -> None:
    stored = noted(datetime(2026, 1, 1, tzinfo=UTC), {0: ("failed", Answer(550, "5.1.1 No"))})
    assert stored == {"moment": "2026-01-01T00:00:00+00:00", "actions": [[0, "failed", 550, "5.1.1 No"]]}
