"""What is sent comes back: bounces, receipts and answers on their whole way from account to account."""

from __future__ import annotations

from typing import Any

import pytest

from mail.delivery.deliver import deliver
from mail.message.scan import scan
from mail.receipts.reports import DeliveryReport, read_report
from mail.submissions import return_address
from tests.protocol.EmailSubmission.sending import draft, envelope, get, submitted
from tests.protocol.MDN.asking import keywords, send
from tests.protocol.outbound.looks import account, inbox, queued, raw, token
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.outbound import deliver_all
from tests.support.relay import Sink


@pytest.fixture
def charlie(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.charlie)


def bounced(client: JMAPClient) -> tuple[DeliveryReport, str]:
    """The only bounce in the inbox, read, and its blob."""
    [email] = inbox(client)
    report = read_report(scan(raw(client, email)))
    assert isinstance(report, DeliveryReport)
    return report, email["blobId"]


@pytest.mark.rfc("8621", "7")
@pytest.mark.parametrize("parameters", [{}, {"ENVID": "mine"}, {"RET": "HDRS"}, {"RET": "FULL"}])
def test_our_own_bounce_is_listed_with_its_submission(alice: JMAPClient, parameters: dict[str, Any]) -> None:
    wanted = envelope(alice, "bob@elsewhere.example", **parameters)
    wanted["rcptTo"][0]["parameters"] = {"ORCPT": "rfc822;robert@elsewhere.example"}
    number = submitted(alice, draft(alice), envelope=wanted)
    deliver_all(account(alice))
    report, blob_id = bounced(alice)
    [recipient] = report.recipients
    assert report.envelope_id == parameters.get("ENVID", token(alice, number))
    assert (recipient.original, recipient.final, recipient.action, recipient.status) == (
        "robert@elsewhere.example",
        "bob@elsewhere.example",
        "failed",
        "5.7.1",
    )
    found = get(alice, number)
    assert found["dsnBlobIds"] == [blob_id]
    assert found["deliveryStatus"]["bob@elsewhere.example"] == {
        "smtpReply": recipient.diagnostic,
        "delivered": "no",
        "displayed": "unknown",
    }
    assert queued(alice) == []


def test_a_bounce_of_addresses_beyond_ascii_is_read(alice: JMAPClient, relay: Sink) -> None:
    relay.replies["jörg@bücher.example"] = "550 5.1.1 Kenn ich nicht"
    relay.replies["jörg@xn--bcher-kva.example"] = "550 5.1.1 Kenn ich nicht"
    number = submitted(alice, draft(alice), envelope=envelope(alice, "jörg@bücher.example"))
    deliver_all(account(alice))
    report, blob_id = bounced(alice)
    assert [each.action for each in report.recipients] == ["failed"]
    assert get(alice, number)["dsnBlobIds"] == [blob_id]


@pytest.mark.rfc("8621", "7")
@pytest.mark.rfc("9007", "3.2")
def test_a_receipt_goes_the_whole_way(alice: JMAPClient, charlie: JMAPClient, cast: Cast) -> None:
    asking = f"Disposition-Notification-To: {cast.charlie.address}\r\n"
    email_id = draft(charlie, cast.alice.address, fields=asking)
    number = submitted(charlie, email_id)
    deliver_all(account(charlie))
    [arrived] = alice.call("Email/query")["ids"]
    [asked] = alice.call(
        "Email/get",
        {
            "ids": [arrived],
            "properties": ["header:Disposition-Notification-To:asAddresses", "header:Return-Path"],
        },
    )["list"]
    address = return_address(cast.charlie.address, token(charlie, number))
    assert asked["header:Disposition-Notification-To:asAddresses"] == [{"name": None, "email": address}]
    # "the address in the Disposition-Notification-To header differs from the … Return-Path" would need a person (RFC 8098 §2.1).
    assert asked["header:Return-Path"].strip() == f"<{address}>"
    assert send(alice, arrived)["notSent"] is None
    assert keywords(alice, arrived) == {"$mdnsent": True}
    deliver_all(account(alice), now=True)
    [receipt] = inbox(charlie)
    found = get(charlie, number)
    assert found["mdnBlobIds"] == [receipt["blobId"]]
    assert found["deliveryStatus"][cast.alice.address]["displayed"] == "yes"
    parsed = charlie.call("MDN/parse", {"blobIds": [receipt["blobId"]]})["parsed"][receipt["blobId"]]
    assert (parsed["forEmailId"], parsed["finalRecipient"], parsed["originalMessageId"]) == (
        email_id,
        f"rfc822; {cast.alice.address}",
        "<s1@example.org>",
    )
    assert (queued(alice), queued(charlie)) == ([], [])


@pytest.mark.rfc("8621", "8")
def test_two_who_are_away_tell_each_other_once(alice: JMAPClient, charlie: JMAPClient, cast: Cast) -> None:
    for client in (alice, charlie):
        client.call("VacationResponse/set", {"update": {"singleton": {"isEnabled": True}}})
    # Each message that asks for a receipt has a return path of its own.
    asking = f"Disposition-Notification-To: {cast.charlie.address}\r\n"
    for number in range(2):
        submitted(charlie, draft(charlie, cast.alice.address, number=number, fields=asking))
        deliver_all(account(charlie))
    for client in (alice, charlie, alice):
        deliver_all(account(client), now=True)
    assert [each["subject"] for each in inbox(charlie)] == ["Auto: Hello"]
    assert [each["subject"] for each in inbox(alice)] == ["Hello", "Hello"]
    assert inbox(charlie)[0]["header:Return-Path:asRaw"].strip() == "<>"
    assert (queued(alice), queued(charlie)) == ([], [])


@pytest.mark.rfc("8621", "8")
def test_an_answer_leaves_by_the_relay_from_nobody(alice: JMAPClient, relay: Sink, cast: Cast) -> None:
    alice.call("VacationResponse/set", {"update": {"singleton": {"isEnabled": True}}})
    deliver(
        f"To: {cast.alice.address}\r\nSubject: Hi\r\n\r\nx".encode(),
        [cast.alice.address],
        return_path="zoe@example.org",
    )
    deliver_all(account(alice))
    [taken] = relay.taken
    assert (taken.sender, taken.recipients) == ("<>", ("zoe@example.org",))
    assert b"Auto-Submitted: auto-replied\r\n" in taken.content
    assert queued(alice) == []
