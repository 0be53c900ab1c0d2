"""`mail.delivery.deliver`: what an account has of a message, and what is said of each recipient."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.provisioning import (
    add_alias,
    delete_user,
    set_catch_all,
    set_search_languages,
    set_tenant_suspended,
    set_user_suspended,
)
from jmapcore.store.write import AccountWrite
from mail.delivery import hooks
from mail.delivery.deliver import deliver
from mail.delivery.hooks import Arrived
from mail.delivery.outcome import Outcome
from mail.delivery.recipients import Recipient
from tests.support.cast import Cast, make_person
from tests.support.client import JMAPClient
from tests.support.mail_store import MailStore, message
from tests.support.received_mail import only, received

SENDER = "zoe@example.org"


@pytest.fixture
def arrivals() -> Iterator[list[Arrived]]:
    """What the hooks after a delivery are told."""
    seen: list[Arrived] = []
    hooks.after_delivery.append(seen.append)
    yield seen
    hooks.after_delivery.remove(seen.append)


def deliver_one(raw: bytes, address: str, return_path: str = SENDER) -> Outcome:
    """What became of the only recipient."""
    [outcome] = deliver(raw, [address], return_path=return_path)
    return outcome


def test_a_message_is_in_the_inbox_behind_the_fields_of_its_delivery(cast: Cast) -> None:
    raw = message("one", subject="Lunch")
    outcome = deliver_one(raw, cast.alice.address)
    found = only(cast.alice)
    assert str(outcome.reply) == "250 2.1.5 Delivered"
    assert (outcome.account_id, f"e{outcome.email_id}") == (cast.alice.account.pk, found.email["id"])
    assert found.mailboxes == ["Inbox"]
    assert found.keywords == {}
    pattern = (
        rb"Return-Path: <zoe@example\.org>\r\nDelivered-To: %s\r\nReceived: by \S+ \(jmapsite\) id [0-9a-f]{12}\r\n"
        rb"\tfor <%s>;\r\n\t\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\n"
    ) % ((re.escape(cast.alice.address).encode(),) * 2)
    head = re.match(pattern, found.raw)
    assert head is not None, found.raw
    assert found.raw[head.end() :] == raw


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize("german_first", [True, False])
def test_each_account_finds_it_by_its_own_languages(cast: Cast, german_first: bool) -> None:
    set_search_languages(cast.alice.account, ["german"])
    people = [cast.alice, cast.bob] if german_first else [cast.bob, cast.alice]
    raw = message("one", body="Alte Flies\r\n")
    deliver(raw, [each.address for each in people], return_path=SENDER)
    hits = {
        person.address: [
            len(JMAPClient(person).call("Email/query", {"filter": {"body": word}})["ids"])
            for word in ("alter", "fly")
        ]
        for person in people
    }
    assert hits == {cast.alice.address: [1, 0], cast.bob.address: [0, 1]}


@pytest.mark.rfc("5321", "4.4")
def test_return_path_fields_that_were_there_are_removed(cast: Cast) -> None:
    raw = b"Return-Path: <forged@example.org>\r\n" + message(
        "one", headers="return-path:\r\n <other@example.org>\r\n"
    )
    deliver_one(raw, cast.alice.address)
    assert only(cast.alice).header("Return-Path") == ["<zoe@example.org>"]


@pytest.mark.rfc("5321", "4.5.5")
def test_the_null_sender_is_kept(cast: Cast) -> None:
    deliver_one(message("one"), cast.alice.address, "")
    assert only(cast.alice).header("Return-Path") == ["<>"]


def test_an_address_with_line_ends_is_refused_before_anything_is_done(cast: Cast) -> None:
    with pytest.raises(ValueError, match="control characters"):
        deliver(message("one"), [cast.alice.address], return_path="a@example.org>\r\nBcc: <b@example.org")
    assert received(cast.alice) == []


def test_a_message_that_begins_with_a_space_does_not_go_on_with_our_fields(cast: Cast) -> None:
    deliver_one(b" (forged)\r\nSubject: no field\r\n\r\nHello\r\n", cast.alice.address)
    found = only(cast.alice)
    assert found.email["subject"] is None
    assert "forged" not in found.header("Received")[0]


@pytest.mark.parametrize("spelling", ["ALICE@{}", "Alice+shop@{}", '"alice"@{}'])
def test_spellings_of_an_address_lead_to_the_account(cast: Cast, spelling: str) -> None:
    outcome = deliver_one(message("one"), spelling.format(cast.north_domain.name.upper()))
    assert outcome.is_delivered
    assert only(cast.alice).mailboxes == ["Inbox"]


def test_mail_to_an_alias(cast: Cast) -> None:
    alias = add_alias(f"info@{cast.north_domain.name}", cast.alice.account)
    assert deliver_one(message("one"), alias.address).is_delivered
    assert only(cast.alice).header("Delivered-To") == [alias.address]


def test_mail_to_an_alias_with_detail(cast: Cast) -> None:
    domain = cast.north_domain.name
    add_alias(f"info@{domain}", cast.alice.account)
    assert deliver_one(message("one"), f"info+lists@{domain}").is_delivered
    assert only(cast.alice).header("Delivered-To") == [f"info+lists@{domain}"]


def test_the_catch_all_takes_what_nobody_has(cast: Cast) -> None:
    set_catch_all(cast.north_domain, cast.alice.account)
    assert deliver_one(message("one"), f"nobody@{cast.north_domain.name}").is_delivered
    assert deliver_one(message("two"), cast.bob.address).is_delivered
    assert len(received(cast.alice)) == 1


@pytest.mark.parametrize(
    "address",
    ["nobody@{}", "nobody@elsewhere.example", "", "no address", "alice@", "@{}", "alice\r\n@{}", "+@{}"],
)
def test_an_address_that_nobody_has_is_unknown(cast: Cast, address: str) -> None:
    outcome = deliver_one(message("one"), address.format(cast.north_domain.name))
    assert str(outcome.reply) == "550 5.1.1 Nobody has this address"


def test_a_suspended_user_takes_no_mail(cast: Cast) -> None:
    set_user_suspended(cast.alice.user, True)
    assert str(deliver_one(message("one"), cast.alice.address).reply)[:9] == "550 5.2.1"
    set_user_suspended(cast.alice.user, False)
    assert received(cast.alice) == []


def test_nobody_of_a_suspended_tenant_takes_mail(cast: Cast) -> None:
    set_tenant_suspended(cast.north, True)
    assert str(deliver_one(message("one"), cast.alice.address).reply)[:9] == "550 5.2.1"
    set_tenant_suspended(cast.north, False)
    assert deliver_one(message("one"), cast.alice.address).is_delivered


def test_mail_of_a_suspended_user_does_not_go_to_the_catch_all(cast: Cast) -> None:
    set_catch_all(cast.north_domain, cast.bob.account)
    set_user_suspended(cast.alice.user, True)
    assert not deliver_one(message("one"), cast.alice.address).is_delivered
    set_user_suspended(cast.alice.user, False)
    assert received(cast.bob) == []


def test_an_account_that_went_while_the_message_came_in(cast: Cast) -> None:
    leaving = make_person(cast.north_domain, "Leaving")
    recipient = Recipient(leaving.address, leaving.account.pk, leaving.user.pk)
    delete_user(leaving.user)
    [outcome] = deliver(message("one"), [recipient], return_path=SENDER)
    assert outcome.reply.status == "5.1.1"


def test_each_recipient_has_an_outcome_and_a_copy_of_its_own(cast: Cast) -> None:
    addresses = [cast.alice.address, "nobody@elsewhere.example", cast.bob.address, cast.charlie.address]
    outcomes = deliver(message("one"), addresses, return_path=SENDER)
    assert [(outcome.recipient, outcome.reply.status) for outcome in outcomes] == [
        (cast.alice.address, "2.1.5"),
        ("nobody@elsewhere.example", "5.1.1"),
        (cast.bob.address, "2.1.5"),
        (cast.charlie.address, "2.1.5"),
    ]
    for person in (cast.alice, cast.bob, cast.charlie):
        found = only(person)
        assert found.header("Delivered-To") == [person.address]
        # Who else got it is nobody's business.
        assert "for <" not in found.header("Received")[0]


def test_parts_are_where_they_are_for_every_recipient(cast: Cast) -> None:
    raw = (
        b"From: Zoe <zoe@example.org>\r\nSubject: parts\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nHello\r\n'
        b"--x\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nPDF\r\n--x--\r\n"
    )
    longer = make_person(cast.north_domain, "Somebody-With-A-Long-Name")
    deliver(raw, [cast.bob.address, longer.address, cast.alice.address], return_path=SENDER)
    for person in (cast.bob, longer, cast.alice):
        client = JMAPClient(person)
        [email] = client.call("Email/get", {"ids": None, "properties": ["attachments", "textBody"]})["list"]
        assert b"".join(client.download(email["textBody"][0]["blobId"])) == b"Hello"
        assert b"".join(client.download(email["attachments"][0]["blobId"])) == b"PDF"


@pytest.mark.rfc("8621", "1.5")
def test_a_delivery_advances_the_state_of_email_delivery(cast: Cast) -> None:
    store = MailStore(cast.alice.account.pk, cast.alice.user.pk, {})
    before = store.modseq()
    deliver_one(message("one"), cast.alice.address)
    log = store.log(before)
    [email_id] = [number for name, number, operation in log if (name, operation) == ("Email", "c")]
    assert ("EmailDelivery", email_id, "u") in log


def test_the_moment_of_delivery_is_when_a_message_was_received(cast: Cast) -> None:
    stamp = "Received: from a by b; Mon, 1 Jan 2001 00:00:00 +0000\r\n"
    deliver_one(message("one", headers=stamp), cast.alice.address)
    assert only(cast.alice).email["receivedAt"] > "2020"


@pytest.mark.parametrize("field", ["X-Spam-Flag: YES", "x-spam-flag:yes ", "X-Spam: Yes"])
def test_what_a_filter_calls_junk_goes_there(cast: Cast, field: str) -> None:
    deliver_one(message("one", headers=f"{field}\r\n"), cast.alice.address)
    found = only(cast.alice)
    assert found.mailboxes == ["Junk"]
    assert found.keywords == {"$junk": True}


@pytest.mark.parametrize(
    "field", ["X-Spam-Flag: NO", "X-Spam: Yes, very", "X-Spam-Status: Yes", "Subject: X-Spam: Yes"]
)
def test_what_no_filter_calls_junk_does_not(cast: Cast, field: str) -> None:
    deliver_one(message("one", headers=f"{field}\r\n"), cast.alice.address)
    assert only(cast.alice).mailboxes == ["Inbox"]


def test_a_missing_junk_mailbox_is_made(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    [junk] = [each["id"] for each in client.call("Mailbox/get")["list"] if each["role"] == "junk"]
    client.call("Mailbox/set", {"destroy": [junk]})
    deliver_one(message("one", headers="X-Spam: Yes\r\n"), cast.alice.address)
    assert only(cast.alice).mailboxes == ["Junk"]
    made = [each for each in client.call("Mailbox/get")["list"] if each["role"] == "junk"]
    assert [each["isSubscribed"] for each in made] == [True]


def test_a_missing_inbox_is_made(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    [inbox] = [each["id"] for each in client.call("Mailbox/get")["list"] if each["role"] == "inbox"]
    client.call("Mailbox/set", {"update": {inbox: {"role": None, "name": "Old"}}})
    deliver_one(message("one"), cast.alice.address)
    assert only(cast.alice).mailboxes == ["Inbox"]


def test_the_same_message_is_stored_once(cast: Cast) -> None:
    alias = add_alias(f"info@{cast.north_domain.name}", cast.alice.account)
    first = message("one")
    again = b"Received: from a by b; Mon, 1 Jan 2001 00:00:00 +0000\r\nX-Spam-Score: 1\r\n" + first
    outcomes = [deliver_one(first, cast.alice.address), deliver_one(again, alias.address)]
    assert [str(outcome.reply) for outcome in outcomes] == [
        "250 2.1.5 Delivered",
        "250 2.1.5 Delivered before",
    ]
    assert len(received(cast.alice)) == 1


def test_the_same_message_to_two_addresses_of_an_account_is_stored_once(cast: Cast) -> None:
    alias = add_alias(f"info@{cast.north_domain.name}", cast.alice.account)
    outcomes = deliver(message("one"), [cast.alice.address, alias.address], return_path=SENDER)
    assert [outcome.is_delivered for outcome in outcomes] == [True, True]
    assert len(received(cast.alice)) == 1


def test_messages_that_differ_below_the_trace_are_two(cast: Cast) -> None:
    for body in ("Hello", "Hello."):
        deliver_one(message("one", body=body), cast.alice.address)
    assert len(received(cast.alice)) == 2


def test_the_same_message_to_another_account_is_another(cast: Cast) -> None:
    for person in (cast.alice, cast.bob):
        deliver_one(message("one"), person.address)
    assert len(received(cast.bob)) == 1


@pytest.mark.rfc("5321", "6.3")
def test_a_message_that_went_through_more_than_fifty_hosts_loops(cast: Cast) -> None:
    hop = "Received: from a by b; Mon, 1 Jan 2001 00:00:00 +0000\r\n"
    assert str(deliver_one(message("one", headers=51 * hop), cast.alice.address).reply)[:9] == "554 5.4.6"
    assert deliver_one(message("one", headers=50 * hop), cast.alice.address).is_delivered


def test_a_message_that_was_delivered_to_the_recipient_loops(cast: Cast) -> None:
    raw = message("one", headers=f"Delivered-To: {cast.alice.address.upper()}\r\n")
    outcomes = deliver(raw, [cast.alice.address, cast.bob.address], return_path=SENDER)
    assert [outcome.reply.status for outcome in outcomes] == ["5.4.6", "2.1.5"]


def test_hooks_are_told_in_the_write_and_after_it(cast: Cast, arrivals: list[Arrived]) -> None:
    within: list[tuple[AccountWrite, Arrived]] = []
    hook = lambda write, arrived: within.append((write, arrived))  # noqa: E731
    hooks.in_write.append(hook)
    try:
        deliver_one(message("one", headers="X-Mark: here\r\n"), f"alice+x@{cast.north_domain.name}")
    finally:
        hooks.in_write.remove(hook)
    [(write, arrived)] = within
    found = only(cast.alice).email
    assert arrivals == [arrived]
    assert write.account_id == arrived.account_id == cast.alice.account.pk
    assert (f"e{arrived.email_id}", f"b{arrived.blob_id}") == (found["id"], found["blobId"])
    assert (arrived.owner_id, arrived.return_path, arrived.is_junk) == (cast.alice.user.pk, SENDER, False)
    assert arrived.recipient == f"alice+x@{cast.north_domain.name}"
    assert arrived.incoming.values("x-mark") == [b" here"]
    assert arrived.prepared.summary.subject == "Lunch"


def test_a_duplicate_is_no_arrival(cast: Cast, arrivals: list[Arrived]) -> None:
    for _ in range(2):
        deliver_one(message("one"), cast.alice.address)
    assert len(arrivals) == 1


def test_a_hook_that_fails_stops_no_mail(
    cast: Cast, arrivals: list[Arrived], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(write: AccountWrite, arrived: Arrived) -> None:
        write.created("Email", 999)
        raise KeyError("a mistake")

    hooks.in_write.append(fail)
    try:
        with caplog.at_level(logging.CRITICAL, "mail.delivery"):
            assert deliver_one(message("one"), cast.alice.address).is_delivered
    finally:
        hooks.in_write.remove(fail)
    assert only(cast.alice).subject == "Lunch"
    assert len(arrivals) == 1


def test_recipients_that_are_left_when_the_service_stops_are_told_to_wait(cast: Cast) -> None:
    stops = iter([False, True])
    outcomes = deliver(
        message("one"),
        [cast.alice.address, cast.bob.address],
        return_path=SENDER,
        is_stopping=lambda: next(stops),
    )
    assert [str(outcome.reply)[:9] for outcome in outcomes] == ["250 2.1.5", "451 4.3.2"]
    assert received(cast.bob) == []


@pytest.mark.parametrize("storage", ["rows", "files"])
def test_a_large_message_is_delivered_too(cast: Cast, storage: str, settings: Any) -> None:
    settings.JMAP_BLOB_STORAGE = storage
    raw = message("one", body="A line of text.\r\n" * 100_000)
    outcomes = deliver(raw, [cast.alice.address, cast.bob.address], return_path=SENDER)
    assert [outcome.is_delivered for outcome in outcomes] == [True, True]
    assert deliver_one(raw, cast.alice.address).reply.text == "Delivered before"
    for person in (cast.alice, cast.bob):
        found = only(person)
        assert found.raw.endswith(raw)
        assert found.email["size"] == len(found.raw)
