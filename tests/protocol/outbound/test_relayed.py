"""What a relay is given, and what the submission says of it (RFC 8621 §7)."""

from __future__ import annotations

from typing import Any

import dkim
import pytest

from mail.outbound.keys import create_key, dns_record, retire_key
from mail.outbound.relay_address import Relay
from tests.protocol.EmailSubmission.sending import draft, envelope, get, letter, submit, submitted
from tests.protocol.outbound.looks import account, queued, status, token
from tests.protocol.post import add, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.outbound import deliver_all
from tests.support.relay import DROP, Sink

REFUSED = "550 5.1.1 Nobody of this name"
LATER = "451 4.2.0 Come back later"


@pytest.mark.rfc("8621", "7")
def test_a_message_is_given_to_the_relay(alice: JMAPClient, relay: Sink) -> None:
    number = submitted(alice, draft(alice))
    deliver_all(account(alice))
    [taken] = relay.taken
    assert (taken.sender, taken.recipients) == (alice.person.address, ("bob@example.org",))
    assert taken.message["Subject"] == "Hello"
    found = get(alice, number)
    assert found["undoStatus"] == "final"
    assert found["deliveryStatus"] == {
        "bob@example.org": {"smtpReply": "250 OK", "delivered": "unknown", "displayed": "unknown"}
    }
    assert queued(alice) == []


@pytest.mark.rfc("8621", "7")
def test_the_end_is_a_change_of_the_submission(alice: JMAPClient, relay: Sink) -> None:
    number = submitted(alice, draft(alice))
    state = alice.call("EmailSubmission/get", {"ids": []})["state"]
    deliver_all(account(alice))
    changes = alice.call("EmailSubmission/changes", {"sinceState": state})
    assert (changes["created"], changes["updated"], changes["destroyed"]) == ([], [number], [])


@pytest.mark.rfc("8621", "7.5")
def test_bcc_leaves_with_nobody(alice: JMAPClient, relay: Sink) -> None:
    number = submitted(
        alice, draft(alice, fields="Bcc: carol@example.net\r\nBCC : dan@example.net,\r\n eve@example.net\r\n")
    )
    deliver_all(account(alice))
    [taken] = relay.taken
    assert set(taken.recipients) == {
        "bob@example.org",
        "carol@example.net",
        "dan@example.net",
        "eve@example.net",
    }
    assert b"carol" not in taken.content
    assert b"eve" not in taken.content
    assert len(status(alice, number)) == 4


def test_a_missing_date_and_message_id_are_added(alice: JMAPClient, relay: Sink) -> None:
    sender = alice.person.address
    raw = f"From: {sender}\r\nTo: bob@example.org\r\nSubject: Bare\r\n\r\nText".encode()
    number = submitted(alice, add(alice, raw))
    relay.replies["end"] = [LATER]
    deliver_all(account(alice))
    deliver_all(account(alice), now=True)
    [taken] = relay.taken
    domain = sender.partition("@")[2]
    assert taken.message["Message-ID"].endswith(f"@{domain}>")
    assert token(alice, number) not in taken.message["Message-ID"]
    assert taken.message["Date"] is not None
    assert taken.content.endswith(b"\r\n\r\nText\r\n")


@pytest.mark.rfc("8621", "7")
def test_each_recipient_has_a_progress_of_his_own(alice: JMAPClient, relay: Sink) -> None:
    relay.replies |= {"no@example.org": REFUSED, "later@example.org": LATER}
    email = draft(alice)
    number = submitted(
        alice, email, envelope=envelope(alice, "yes@example.org", "no@example.org", "later@example.org")
    )
    deliver_all(account(alice))
    assert [each.recipients for each in relay.taken] == [("yes@example.org",)]
    assert get(alice, number)["undoStatus"] == "final"
    assert status(alice, number) == {
        "yes@example.org": ("250 OK", "unknown"),
        "no@example.org": (REFUSED, "no"),
        "later@example.org": (LATER, "queued"),
    }
    assert [row[1:] for row in queued(alice)] == [(None, 1, [0])]
    del relay.replies["later@example.org"]
    deliver_all(account(alice), now=True)
    assert [each.recipients for each in relay.taken] == [("yes@example.org",), ("later@example.org",)]
    assert status(alice, number)["later@example.org"] == ("250 OK", "unknown")
    assert queued(alice) == []


@pytest.mark.parametrize("question", ["MAIL", "DATA", "end"])
def test_what_is_put_off_as_a_whole_is_tried_again(alice: JMAPClient, relay: Sink, question: str) -> None:
    relay.replies[question] = [LATER]
    number = submitted(alice, draft(alice))
    deliver_all(account(alice))
    assert status(alice, number) == {"bob@example.org": (LATER, "queued")}
    assert get(alice, number)["undoStatus"] == "pending"
    deliver_all(account(alice), now=True)
    assert len(relay.taken) == 1
    assert get(alice, number)["undoStatus"] == "final"


@pytest.mark.parametrize("question", ["MAIL", "DATA", "end"])
def test_what_is_refused_as_a_whole_is_over(alice: JMAPClient, relay: Sink, question: str) -> None:
    relay.replies[question] = "554-5.7.1 This looks\r\n554 5.7.1 like spam"
    number = submitted(alice, draft(alice))
    deliver_all(account(alice))
    assert status(alice, number) == {"bob@example.org": ("554 5.7.1 This looks like spam", "no")}
    assert (relay.taken, queued(alice)) == ([], [])


@pytest.mark.parametrize("question", ["MAIL", "bob@example.org", "DATA", "end"])
def test_a_connection_that_ends_is_no_refusal(alice: JMAPClient, relay: Sink, question: str) -> None:
    relay.replies[question] = [DROP]
    number = submitted(alice, draft(alice))
    pause = deliver_all(account(alice))
    assert pause.is_on_trial
    [(reply, delivered)] = status(alice, number).values()
    assert (reply[:9], delivered) == ("451 4.4.2", "queued")
    deliver_all(account(alice), now=True)
    assert len(relay.taken) == 1


def test_a_relay_that_is_away_is_waited_for(alice: JMAPClient, relay: Sink, settings: Any) -> None:
    settings.MAIL_RELAY = Relay("127.0.0.1", 1)
    number = submitted(alice, draft(alice))
    pause = deliver_all(account(alice))
    assert pause.seconds > 0
    [(reply, delivered)] = status(alice, number).values()
    assert (reply[:9], delivered) == ("451 4.4.1", "queued")
    settings.MAIL_RELAY = relay.relay
    deliver_all(account(alice), now=True)
    assert len(relay.taken) == 1


def test_a_relay_that_says_goodbye_is_left_alone_for_a_while(alice: JMAPClient, relay: Sink) -> None:
    relay.replies["MAIL"] = "421 4.3.2 Shutting down"
    number = submitted(alice, draft(alice))
    pause = deliver_all(account(alice))
    assert pause.seconds > 0
    assert status(alice, number) == {"bob@example.org": ("421 4.3.2 Shutting down", "queued")}


def test_one_connection_takes_many_messages(alice: JMAPClient, relay: Sink) -> None:
    for number in range(5):
        submitted(alice, draft(alice, number=number))
    deliver_all(account(alice))
    assert (len(relay.taken), relay.connections) == (5, 2)  # aiosmtpd's controller asks once itself


def test_more_recipients_than_the_relay_takes_at_once_follow(alice: JMAPClient, relay: Sink) -> None:
    relay.most_recipients = 3
    names = [f"r{number}@example.org" for number in range(8)]
    submitted(alice, draft(alice), envelope=envelope(alice, *names))
    deliver_all(account(alice))
    assert [each.recipients for each in relay.taken] == [
        tuple(names[:3]),
        tuple(names[3:6]),
        tuple(names[6:]),
    ]
    assert queued(alice) == []


def test_an_identifier_that_nobody_can_guess_goes_along(alice: JMAPClient, relay: Sink) -> None:
    number = submitted(alice, draft(alice))
    deliver_all(account(alice))
    [taken] = relay.taken
    assert taken.dsn == {"ENVID": token(alice, number), "ORCPT bob@example.org": "rfc822;bob@example.org"}


def test_a_relay_without_dsn_gets_a_return_address(alice: JMAPClient, relay: Sink) -> None:
    relay.knows_dsn = False
    number = submitted(alice, draft(alice))
    deliver_all(account(alice))
    local_part, domain = alice.person.address.split("@")
    [taken] = relay.taken
    assert taken.sender == f"{local_part}+re-{token(alice, number)}@{domain}"


@pytest.mark.rfc("8621", "7")
def test_what_the_client_wants_of_dsn_is_passed_on(alice: JMAPClient, relay: Sink) -> None:
    wanted = envelope(alice, "bob@example.org", RET="HDRS", ENVID="my own=1")
    wanted["rcptTo"][0]["parameters"] = {"notify": "success,FAILURE", "ORCPT": "rfc822;bob+x@example.org"}
    number = submitted(alice, draft(alice), envelope=wanted)
    deliver_all(account(alice))
    [taken] = relay.taken
    assert taken.dsn == {
        "RET": "HDRS",
        "ENVID": "my+20own+3D1",
        "NOTIFY bob@example.org": "SUCCESS,FAILURE",
        "ORCPT bob@example.org": "rfc822;bob+2Bx@example.org",
    }
    assert token(alice, number) in taken.sender


def test_who_is_asked_for_a_receipt_answers_to_the_return_address(alice: JMAPClient, relay: Sink) -> None:
    fields = f"Disposition-Notification-To: Alice <{alice.person.address}>\r\n"
    number = submitted(alice, draft(alice, fields=fields))
    deliver_all(account(alice))
    [taken] = relay.taken
    assert token(alice, number) in taken.sender
    assert taken.message["Disposition-Notification-To"] == f"Alice <{taken.sender}>"


def test_a_receipt_to_somebody_else_is_left_as_it_is(alice: JMAPClient, relay: Sink) -> None:
    submitted(alice, draft(alice, fields="Disposition-Notification-To: <boss@example.net>\r\n"))
    deliver_all(account(alice))
    [taken] = relay.taken
    assert taken.message["Disposition-Notification-To"] == "<boss@example.net>"
    assert taken.sender == alice.person.address


def test_the_null_sender_stays_null(alice: JMAPClient, relay: Sink) -> None:
    relay.knows_dsn = False
    relay.replies["bob@example.org"] = REFUSED
    wanted = envelope(alice, "bob@example.org")
    wanted["mailFrom"]["email"] = ""
    number = submitted(alice, draft(alice), envelope=wanted)
    deliver_all(account(alice))
    assert any(command.startswith("MAIL FROM:<>") for command in relay.commands)
    assert status(alice, number) == {"bob@example.org": (REFUSED, "no")}


def test_lines_are_ended_and_periods_doubled(alice: JMAPClient, relay: Sink) -> None:
    raw = letter(alice.person.address) + b"one\n.\nMAIL FROM:<evil@example.org>\r.\r\n..two\r\n"
    submitted(alice, add(alice, raw, mailboxes=[roles(alice)["drafts"]]))
    deliver_all(account(alice))
    [taken] = relay.taken
    assert taken.content.endswith(b"one\r\n.\r\nMAIL FROM:<evil@example.org>\r\n.\r\n..two\r\n")


def test_other_letters_than_those_of_ascii_need_smtputf8(alice: JMAPClient, relay: Sink) -> None:
    number = submitted(alice, draft(alice), envelope=envelope(alice, "jürgen@bücher.example"))
    deliver_all(account(alice))
    [taken] = relay.taken
    assert "SMTPUTF8" in taken.mail_options
    assert taken.recipients == ("jürgen@xn--bcher-kva.example",)
    relay.knows_smtputf8 = False
    assert list(status(alice, number)) == ["jürgen@bücher.example"]


def test_an_international_domain_alone_needs_none(alice: JMAPClient, relay: Sink) -> None:
    submitted(alice, draft(alice), envelope=envelope(alice, "bob@bücher.example"))
    deliver_all(account(alice))
    [taken] = relay.taken
    assert "SMTPUTF8" not in taken.mail_options
    assert taken.recipients == ("bob@xn--bcher-kva.example",)


def test_a_message_is_signed_with_the_key_of_its_domain(cast: Cast, alice: JMAPClient, relay: Sink) -> None:
    key = create_key(cast.north_domain)
    name, record = dns_record(key)
    submitted(alice, draft(alice))
    deliver_all(account(alice))
    [taken] = relay.taken
    records = {name.encode(): record.encode()}
    assert taken.message["DKIM-Signature"] is not None
    assert dkim.verify(taken.content, dnsfunc=lambda asked, timeout=5: records.get(asked))
    changed = taken.content.replace(b"Subject: Hello", b"Subject: Hallo")
    assert not dkim.verify(changed, dnsfunc=lambda asked, timeout=5: records.get(asked))


def test_the_next_key_signs_once_the_first_is_retired(cast: Cast, alice: JMAPClient, relay: Sink) -> None:
    first, second = create_key(cast.north_domain), create_key(cast.north_domain, "later")
    submitted(alice, draft(alice, number=1))
    deliver_all(account(alice))
    retire_key(cast.north_domain.name, first.selector)
    submitted(alice, draft(alice, number=2))
    deliver_all(account(alice))
    signatures = [each.message["DKIM-Signature"] for each in relay.taken]
    assert [
        f"s={key.selector};" in signature for key, signature in zip((first, second), signatures, strict=True)
    ] == [
        True,
        True,
    ]


def test_a_destroyed_submission_goes_all_the_same_and_is_gone_then(alice: JMAPClient, relay: Sink) -> None:
    email = draft(alice)
    number = submitted(alice, email)
    alice.call("EmailSubmission/set", {"destroy": [number]})
    alice.call("Email/set", {"destroy": [email]})
    deliver_all(account(alice))
    assert len(relay.taken) == 1
    assert queued(alice) == []
    assert alice.call("EmailSubmission/get", {"ids": [number]})["notFound"] == [number]


def test_what_is_not_due_waits(alice: JMAPClient, relay: Sink) -> None:
    submitted(alice, draft(alice), envelope=envelope(alice, "bob@example.org", HOLDFOR="3600"))
    deliver_all(account(alice))
    assert relay.taken == []
    deliver_all(account(alice), now=True)
    assert len(relay.taken) == 1
    assert not any("HOLDFOR" in command for command in relay.commands)


@pytest.mark.rfc("8621", "7.5")
def test_what_was_tried_in_vain_can_be_undone(alice: JMAPClient, relay: Sink) -> None:
    relay.replies |= {"no@example.org": REFUSED, "bob@example.org": LATER}
    number = submitted(alice, draft(alice), envelope=envelope(alice, "bob@example.org", "no@example.org"))
    deliver_all(account(alice))
    answer = alice.call("EmailSubmission/set", {"update": {number: {"undoStatus": "canceled"}}})
    assert answer["notUpdated"] is None
    assert status(alice, number) == {
        "bob@example.org": ("554 5.7.1 Canceled by the sender", "no"),
        "no@example.org": (REFUSED, "no"),
    }
    assert queued(alice) == []


@pytest.mark.rfc("8621", "7.5")
def test_what_has_left_for_one_cannot(alice: JMAPClient, relay: Sink) -> None:
    relay.replies["later@example.org"] = LATER
    number = submitted(alice, draft(alice), envelope=envelope(alice, "bob@example.org", "later@example.org"))
    deliver_all(account(alice))
    answer = alice.call("EmailSubmission/set", {"update": {number: {"undoStatus": "canceled"}}})
    assert answer["notUpdated"] == {number: {"type": "cannotUnsend"}}


def test_a_line_break_in_an_address_is_no_command(alice: JMAPClient, relay: Sink) -> None:
    for bad in ("x@example.org>\r\nDATA", "x@example.org\nRCPT TO:<y@example.org", "x\t@example.org"):
        answer = submit(alice, draft(alice), envelope=envelope(alice, bad))
        assert answer["notCreated"]["new"]["type"] == "invalidRecipients"
    wanted = envelope(alice, "bob@example.org")
    wanted["mailFrom"]["email"] += ">\r\nRSET"
    assert submit(alice, draft(alice), envelope=wanted)["notCreated"]["new"]["type"] == "forbiddenMailFrom"
    answer = submit(alice, draft(alice), envelope=envelope(alice, "bob@example.org", ENVID="x\r\nRSET"))
    assert answer["notCreated"]["new"]["type"] == "invalidProperties"
