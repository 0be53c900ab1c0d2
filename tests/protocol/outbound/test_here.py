"""Without a relay: into accounts of this service, and nowhere else."""

from __future__ import annotations

import pytest

from tests.protocol.EmailSubmission.sending import draft, envelope, get, submitted
from tests.protocol.outbound.looks import account, inbox, queued, raw, status, token
from tests.support.client import JMAPClient
from tests.support.outbound import deliver_all

NO_RELAY = "550 5.7.1 This service sends no mail to other hosts: it has no relay"


def test_one_user_writes_to_another(alice: JMAPClient, bob: JMAPClient) -> None:
    number = submitted(alice, draft(alice, bob.person.address, fields="Bcc: nobody@example.org\r\n"))
    deliver_all(account(alice))
    [found] = inbox(bob)
    assert found["subject"] == "Hello"
    assert found["header:Return-Path:asRaw"] == f" <{alice.person.address}>"
    assert b"nobody@" not in raw(bob, found)
    assert status(alice, number) == {
        bob.person.address: ("250 2.1.5 Delivered", "yes"),
        "nobody@example.org": (NO_RELAY, "no"),
    }
    assert get(alice, number)["undoStatus"] == "final"
    assert queued(alice) == []


def test_two_attempts_make_one_message(alice: JMAPClient, bob: JMAPClient) -> None:
    submitted(alice, draft(alice, bob.person.address))
    submitted(alice, draft(alice, bob.person.address, fields=""))
    deliver_all(account(alice))
    assert len(inbox(bob)) == 1


@pytest.mark.rfc("3464", "2")
def test_the_bounce_of_what_goes_elsewhere_is_in_the_inbox(alice: JMAPClient) -> None:
    number = submitted(alice, draft(alice, "Bob <bob@elsewhere.example>"))
    deliver_all(account(alice))
    assert status(alice, number) == {"bob@elsewhere.example": (NO_RELAY, "no")}
    [bounce] = inbox(alice)
    assert get(alice, number)["dsnBlobIds"] == [bounce["blobId"]]
    assert bounce["subject"] == "Your message could not be delivered"
    assert bounce["header:Return-Path:asRaw"] == " <>"
    text = raw(alice, bounce).decode()
    assert "Final-Recipient: rfc822; bob@elsewhere.example\r\nAction: failed\r\nStatus: 5.7.1\r\n" in text
    assert f"Original-Envelope-Id: {token(alice, number)}\r\n" in text
    assert "Subject: Hello\r\n" in text
    types = [part["type"] for part in bounce["bodyStructure"]["subParts"]]
    assert (bounce["bodyStructure"]["type"], types) == (
        "multipart/report",
        ["text/plain", "message/delivery-status", "message/rfc822"],
    )
    assert queued(alice) == []


def test_an_address_that_nobody_has_is_told_of_too(alice: JMAPClient) -> None:
    unknown = alice.person.address.replace("alice@", "nobody@")
    number = submitted(alice, draft(alice, unknown))
    deliver_all(account(alice))
    assert status(alice, number) == {unknown: ("550 5.1.1 Nobody has this address", "no")}
    assert len(inbox(alice)) == 1


@pytest.mark.rfc("3461", "4.1")
@pytest.mark.parametrize(
    ("notify", "subjects"),
    [
        (None, []),
        ("NEVER", []),
        ("FAILURE,DELAY", []),
        ("success", ["Your message was delivered"]),
    ],
)
def test_of_a_delivery_is_told_whoever_asks(
    alice: JMAPClient, bob: JMAPClient, notify: str | None, subjects: list[str]
) -> None:
    wanted = envelope(alice, bob.person.address)
    wanted["rcptTo"][0]["parameters"] = None if notify is None else {"NOTIFY": notify}
    submitted(alice, draft(alice, bob.person.address), envelope=wanted)
    deliver_all(account(alice))
    assert [each["subject"] for each in inbox(alice)] == subjects


@pytest.mark.parametrize("notify", ["NEVER", "SUCCESS", "DELAY"])
def test_of_a_failure_is_told_nobody_who_does_not_want_it(alice: JMAPClient, notify: str) -> None:
    wanted = envelope(alice, "bob@elsewhere.example")
    wanted["rcptTo"][0]["parameters"] = {"NOTIFY": notify}
    submitted(alice, draft(alice), envelope=wanted)
    deliver_all(account(alice))
    assert inbox(alice) == []


def test_the_null_sender_is_told_nothing(alice: JMAPClient) -> None:
    wanted = envelope(alice, "bob@elsewhere.example")
    wanted["mailFrom"]["email"] = ""
    number = submitted(alice, draft(alice), envelope=wanted)
    deliver_all(account(alice))
    assert status(alice, number) == {"bob@elsewhere.example": (NO_RELAY, "no")}
    assert (inbox(alice), queued(alice)) == ([], [])


def test_a_user_may_write_to_himself(alice: JMAPClient) -> None:
    submitted(alice, draft(alice, alice.person.address))
    deliver_all(account(alice))
    assert [each["subject"] for each in inbox(alice)] == ["Hello"]


def test_the_own_envelope_id_of_a_client_comes_back(alice: JMAPClient) -> None:
    submitted(
        alice, draft(alice), envelope=envelope(alice, "x@elsewhere.example", ENVID="mine-1", RET="HDRS")
    )
    deliver_all(account(alice))
    [bounce] = inbox(alice)
    assert "Original-Envelope-Id: mine-1\r\n" in raw(alice, bounce).decode()
    assert bounce["bodyStructure"]["subParts"][2]["type"] == "text/rfc822-headers"
