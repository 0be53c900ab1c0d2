"""MDN/send (RFC 9007 §2.1)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import provisioning, quotas
from mail.delivery.deliver import deliver
from mail.message.scan import decoded_body, scan
from mail.receipts.reports import DispositionReport, read_report
from tests.protocol.MDN.asking import (
    ASKS,
    DISPOSITION,
    SENDER,
    arguments,
    asks,
    identity,
    keywords,
    marking,
    mdn,
    refusal,
    send,
)
from tests.protocol.post import add, message
from tests.support.cast import Cast
from tests.support.client import CORE, MAIL, JMAPClient
from tests.support.sent import sent_by

MDN = "urn:ietf:params:jmap:mdn"


def reported(raw: bytes) -> DispositionReport:
    found = read_report(scan(raw))
    assert isinstance(found, DispositionReport)
    return found


@pytest.mark.rfc("9007", "2.1")
def test_the_example_of_the_rfc(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    given = {
        "k1546": {
            "forEmailId": email_id,
            "subject": "Read receipt for: World domination",
            "textBody": "This receipt shows that the email has been displayed on your recipient's computer. There is no"
            " guaranty it has been read or understood.",
            "reportingUA": "joes-pc.cs.example.com; Foomail 97.1",
            "disposition": DISPOSITION,
            "extensionFields": {"EXTENSION-EXAMPLE": "example.com"},
        }
    }
    before = client.call("Email/get", {"ids": []})["state"]
    responses = client.responses("MDN/send", arguments(client, given))
    after = client.call("Email/get", {"ids": []})["state"]
    assert responses == [
        [
            "MDN/send",
            {
                "accountId": client.account_id,
                "sent": {
                    "k1546": {
                        "includeOriginalMessage": False,
                        "mdnGateway": None,
                        "originalRecipient": None,
                        "finalRecipient": f"rfc822; {cast.alice.address}",
                        "originalMessageId": "<m1@example.org>",
                        "error": None,
                    }
                },
                "notSent": None,
            },
            "c",
        ],
        [
            "Email/set",
            {
                "accountId": client.account_id,
                "oldState": before,
                "newState": after,
                "created": None,
                "updated": {email_id: None},
                "destroyed": None,
                "notCreated": None,
                "notUpdated": None,
                "notDestroyed": None,
            },
            "c",
        ],
    ]
    assert before != after
    assert keywords(client, email_id) == {"$mdnsent": True}


@pytest.mark.rfc("8098", "3")
@pytest.mark.rfc("9007", "2.1")
def test_what_is_sent_is_a_report_from_nobody_to_who_asked(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(
        client,
        fields=f"{ASKS}Original-Recipient: rfc822;alias@example.com\r\nReferences: <m0@example.org>\r\n",
    )
    send(client, email_id, reportingUA="Foomail 97.1", extensionFields={"X-Mood": "heiter, schön"})
    [sent] = sent_by(cast.alice)
    shown = sent.message
    assert (sent.sender, sent.recipients) == ("", [SENDER])
    assert {name: str(shown[name]) for name in ("From", "To", "Subject", "In-Reply-To", "References")} == {
        "From": f"Alice <{cast.alice.address}>",
        "To": f"Ann <{SENDER}>",
        "Subject": "Read: World domination",
        "In-Reply-To": "<m1@example.org>",
        "References": "<m0@example.org> <m1@example.org>",
    }
    assert shown["Auto-Submitted"] == "auto-replied"
    assert shown["Disposition-Notification-To"] is None
    assert (shown.get_content_type(), shown.get_param("report-type")) == (
        "multipart/report",
        "disposition-notification",
    )
    assert reported(sent.raw) == DispositionReport(
        action_mode="manual-action",
        sending_mode="mdn-sent-manually",
        type="displayed",
        reporting_ua="Foomail 97.1",
        original_recipient="rfc822;alias@example.com",
        final_recipient=f"rfc822; {cast.alice.address}",
        original_message_id="<m1@example.org>",
        extensions={"X-Mood": "heiter, schön"},
    )
    root = scan(sent.raw).root
    assert [part.type for part in root.parts] == ["text/plain", "message/disposition-notification"]
    assert [part.encoding for part in root.parts] == ["7bit", "7bit"]


@pytest.mark.rfc("9007", "2")
def test_the_message_is_enclosed_where_that_is_asked_for(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    answer = send(client, email_id, includeOriginalMessage=True)
    assert "includeOriginalMessage" not in answer["sent"]["k"]
    [sent] = sent_by(cast.alice)
    message_ = scan(sent.raw)
    assert reported(sent.raw).has_original
    enclosed = decoded_body(sent.raw, message_.root.parts[2])
    assert enclosed == message(1, subject="World domination", fields=ASKS)


@pytest.mark.rfc("9007", "2")
@pytest.mark.parametrize("kind", ["deleted", "dispatched", "displayed", "processed"])
@pytest.mark.parametrize("sending", ["mdn-sent-manually", "mdn-sent-automatically"])
@pytest.mark.parametrize("action", ["manual-action", "automatic-action"])
def test_each_disposition_is_written_and_read(cast: Cast, action: str, sending: str, kind: str) -> None:
    client = JMAPClient(cast.alice)
    disposition = {"actionMode": action, "sendingMode": sending, "type": kind}
    assert send(client, asks(client), disposition=disposition)["notSent"] is None
    [sent] = sent_by(cast.alice)
    found = reported(sent.raw)
    assert (found.action_mode, found.sending_mode, found.type) == (action, sending, kind)


@pytest.mark.rfc("9007", "2.1")
def test_nobody_is_told_twice(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    send(client, email_id)
    responses = client.responses("MDN/send", arguments(client, {"k": mdn(email_id)}))
    assert [(name, answer.get("notSent")) for name, answer, _ in responses] == [
        ("MDN/send", {"k": {"type": "mdnAlreadySent"}})
    ]
    assert len(sent_by(cast.alice)) == 1


@pytest.mark.rfc("9007", "2.1")
def test_nor_where_the_keyword_came_in_another_way(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client, keywords={"$MDNSent": True})
    assert refusal(client, email_id) == {"type": "mdnAlreadySent"}


@pytest.mark.rfc("9007", "2.1")
def test_nor_within_one_call(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    answer = client.call("MDN/send", arguments(client, {"a": mdn(email_id), "b": mdn(email_id)}))
    assert (list(answer["sent"]), answer["notSent"]) == (["a"], {"b": {"type": "mdnAlreadySent"}})
    assert len(sent_by(cast.alice)) == 1


@pytest.mark.rfc("9007", "2.1")
@pytest.mark.parametrize(
    "fields",
    [
        "",
        "Disposition-Notification-To: \r\n",
        "Disposition-Notification-To: Ann\r\n",
        "Disposition-Notification-To: ann@[192.0.2.1]\r\n",
        "Disposition-Notification-To: <>\r\n",
        f"{ASKS}{ASKS}",
        f"Disposition-Notification-To: {', '.join(f'u{n}@example.org' for n in range(11))}\r\n",
        f"Disposition-Notification-To: {SENDER}, @\r\n",
        "X-Disposition-Notification-To: ann@example.org\r\n",
    ],
)
def test_a_message_that_does_not_ask_is_not_found(cast: Cast, fields: str) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client, fields=fields)
    assert refusal(client, email_id) == {"type": "notFound"}
    assert (keywords(client, email_id), sent_by(cast.alice)) == ({}, [])


@pytest.mark.rfc("9007", "2.1")
@pytest.mark.parametrize("email_id", ["e999999", "x1", "m1"])
def test_an_email_that_is_not_there_is_not_found(cast: Cast, email_id: str) -> None:
    assert refusal(JMAPClient(cast.alice), email_id) == {"type": "notFound"}


@pytest.mark.rfc("9007", "2.1")
def test_an_email_of_another_account_is_not_found(cast: Cast) -> None:
    charlie = JMAPClient(cast.charlie)
    email_id = asks(JMAPClient(cast.alice))
    assert refusal(charlie, email_id) == {"type": "notFound"}
    assert (sent_by(cast.alice), sent_by(cast.charlie)) == ([], [])


@pytest.mark.rfc("9007", "2.1")
@pytest.mark.parametrize("identity_id", ["i999999", "x1", "#nobody"])
def test_an_identity_that_is_not_there_is_invalid(cast: Cast, identity_id: str) -> None:
    client = JMAPClient(cast.alice)
    given = arguments(client, {"k": mdn(asks(client))}, identityId=identity_id)
    assert client.error("MDN/send", given) == {"type": "invalidArguments"}


@pytest.mark.rfc("9007", "2.1")
def test_an_account_that_is_not_there_is_invalid(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    for account_id in (cast.charlie.account_id, "a0", "x"):
        given = {**arguments(client, {}), "accountId": account_id}
        assert client.error("MDN/send", given) == {"type": "invalidArguments"}


@pytest.mark.rfc("9007", "2.1")
@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"keywords/$seen": True},
        {"keywords/$mdnsent": None},
        {"keywords/$mdnsent": "true"},
        {"keywords/$MDNSent": True},
        {"keywords": {"$seen": True}},
        {"keywords": True},
    ],
)
def test_a_call_that_does_not_set_the_keyword_is_rejected(cast: Cast, patch: dict[str, Any]) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    for update in (None, {}, {email_id: patch}, {"#k": patch}, marking("#other")):
        given = arguments(client, {"k": mdn(email_id)}, onSuccessUpdateEmail=update)
        assert client.error("MDN/send", given) == {"type": "invalidArguments"}
    assert (keywords(client, email_id), sent_by(cast.alice)) == ({}, [])


@pytest.mark.rfc("9007", "2.1")
@pytest.mark.parametrize("by_email", [True, False])
@pytest.mark.parametrize(
    "patch",
    [{"keywords/$mdnsent": True, "keywords/$seen": True}, {"keywords": {"$mdnsent": True, "$seen": True}}],
)
def test_what_else_the_patch_says_is_done_too(cast: Cast, patch: dict[str, Any], by_email: bool) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    update = {email_id if by_email else "#k": patch}
    responses = client.responses(
        "MDN/send", arguments(client, {"k": mdn(email_id)}, onSuccessUpdateEmail=update)
    )
    assert [(name, answer.get("updated")) for name, answer, _ in responses] == [
        ("MDN/send", None),
        ("Email/set", {email_id: None}),
    ]
    assert keywords(client, email_id) == {"$mdnsent": True, "$seen": True}


@pytest.mark.rfc("9007", "2.1")
def test_the_keyword_holds_where_the_rest_of_the_patch_fails(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    update = {"#k": {"keywords/$mdnsent": True, "mailboxIds": {"m999999": True}}}
    responses = client.responses(
        "MDN/send", arguments(client, {"k": mdn(email_id)}, onSuccessUpdateEmail=update)
    )
    assert responses[1][1]["notUpdated"] == {
        email_id: {"type": "invalidProperties", "properties": ["mailboxIds"]}
    }
    assert keywords(client, email_id) == {"$mdnsent": True}
    assert len(sent_by(cast.alice)) == 1


@pytest.mark.rfc("9007", "2.1")
@pytest.mark.parametrize(
    ("properties", "invalid"),
    [
        ({"forEmailId": None}, ["forEmailId"]),
        ({"forEmailId": 5}, ["forEmailId"]),
        ({"disposition": None}, ["disposition"]),
        ({"disposition": {**DISPOSITION, "type": "denied"}}, ["disposition"]),
        ({"disposition": {**DISPOSITION, "sendingMode": "MDN-sent-manually"}}, ["disposition"]),
        ({"disposition": {**DISPOSITION, "modifier": "error"}}, ["disposition"]),
        ({"subject": "Read\r\nBcc: everybody@example.org"}, ["subject"]),
        ({"reportingUA": "a\nb"}, ["reportingUA"]),
        ({"textBody": 5, "subject": []}, ["subject", "textBody"]),
        ({"includeOriginalMessage": None}, ["includeOriginalMessage"]),
        ({"mdnGateway": "dns; x"}, ["mdnGateway"]),
        ({"originalRecipient": "rfc822; x@example.org"}, ["originalRecipient"]),
        ({"originalMessageId": "<x@y>"}, ["originalMessageId"]),
        ({"error": ["x"]}, ["error"]),
        ({"extensionFields": {"A\r\nB": "x"}}, ["extensionFields"]),
        ({"extensionFields": {"A": "x\r\ny"}}, ["extensionFields"]),
        ({"extensionFields": {"disposition": "x"}}, ["extensionFields"]),
        ({"extensionFields": {"A": "x", "a": "y"}}, ["extensionFields"]),
        ({"extensionFields": {f"A{n}": "x" for n in range(51)}}, ["extensionFields"]),
        ({"finalRecipient": "rfc822; nobody"}, ["finalRecipient"]),
        ({"finalRecipient": "rfc822; a@example.org\r\nX: y"}, ["finalRecipient"]),
        ({"finalRecipient": ""}, ["finalRecipient"]),
        ({"extension": {"A": "x"}}, ["extension"]),
    ],
)
def test_what_cannot_be_names_its_properties(
    cast: Cast, properties: dict[str, Any], invalid: list[str]
) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    given = arguments(
        client, {"k": {**mdn(email_id), **properties}}, onSuccessUpdateEmail=marking("#k", email_id)
    )
    answer = client.call("MDN/send", given)
    assert answer["notSent"] == {"k": {"type": "invalidProperties", "properties": invalid}}
    assert (keywords(client, email_id), sent_by(cast.alice)) == ({}, [])


@pytest.mark.rfc("9007", "5")
def test_an_address_of_the_user_may_be_the_final_recipient(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    alias = f"sales@{cast.alice.address.partition('@')[2]}"
    provisioning.add_alias(alias, cast.alice.account)
    answers = [
        send(client, asks(client, number), finalRecipient=given)
        for number, given in enumerate([alias, f"rfc822; {alias}", cast.alice.address.replace("@", "+x@")])
    ]
    assert [each["sent"]["k"].get("finalRecipient") for each in answers] == [
        f"rfc822; {alias}",
        None,
        f"rfc822; {cast.alice.address.replace('@', '+x@')}",
    ]
    assert [reported(sent.raw).final_recipient for sent in sent_by(cast.alice)][:2] == [
        f"rfc822; {alias}"
    ] * 2


@pytest.mark.rfc("9007", "5")
def test_an_address_of_somebody_else_may_not(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    for address in (
        cast.bob.address,
        cast.charlie.address,
        "somebody@example.org",
        f"x400; {cast.bob.address}",
    ):
        assert refusal(client, email_id, finalRecipient=address) == {"type": "forbiddenFrom"}
    assert (keywords(client, email_id), sent_by(cast.alice)) == ({}, [])


@pytest.mark.rfc("9007", "2.1")
def test_an_identity_of_a_domain_speaks_for_the_address_that_was_written_to(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    domain = cast.north_domain
    provisioning.set_catch_all(domain, cast.alice.account)
    [whole] = [
        each["id"]
        for each in client.call("Identity/get", {"ids": None})["list"]
        if each["email"].startswith("*")
    ]
    there = add(client, f"To: Sales@{domain.name}\r\n{ASKS}\r\nx".encode())
    elsewhere = add(client, f"To: sales@example.org\r\n{ASKS}\r\ny".encode())
    given = arguments(client, {"a": mdn(there), "b": mdn(elsewhere)}, identityId=whole)
    answer = client.call("MDN/send", given)
    assert answer["sent"]["a"]["finalRecipient"] == f"rfc822; sales@{domain.name}"
    assert answer["notSent"] == {"b": {"type": "forbiddenFrom"}}


@pytest.mark.rfc("9007", "2.1")
def test_only_who_may_send_from_the_account_may_notify(cast: Cast) -> None:
    email_id = asks(JMAPClient(cast.alice))
    bob = JMAPClient(cast.bob)
    given = {
        **arguments(JMAPClient(cast.alice), {"k": mdn(email_id)}),
        "accountId": cast.alice.account_id,
    }
    assert bob.call("MDN/send", given)["notSent"] == {"k": {"type": "forbidden"}}
    assert sent_by(cast.alice) == []
    provisioning.grant_access(cast.alice.account, cast.bob.user, may_send_as=True)
    assert bob.call("MDN/send", given)["notSent"] is None
    assert len(sent_by(cast.alice)) == 1


def test_who_may_only_read_may_not_notify(cast: Cast) -> None:
    email_id = asks(JMAPClient(cast.alice))
    given = {**arguments(JMAPClient(cast.alice), {"k": mdn(email_id)}), "accountId": cast.alice.account_id}
    assert JMAPClient(cast.dora).error("MDN/send", given) == {"type": "accountReadOnly"}


@pytest.mark.rfc("8098", "2.1")
@pytest.mark.rfc("9007", "2.1")
def test_a_notification_is_not_notified_of(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    report = f"{ASKS}Content-Type: multipart/report; boundary=b\r\n"
    assert refusal(client, asks(client, fields=report)) == {"type": "forbidden"}


@pytest.mark.rfc("8098", "2.2")
def test_what_a_sender_requires_and_nobody_knows_is_respected(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    options = "Disposition-Notification-Options: signed-receipt-protocol={},pkcs7-signature\r\n"
    email_id = asks(client, fields=ASKS + options.format(" Required"))
    assert refusal(client, email_id) == {"type": "forbidden"}
    other = asks(client, 2, fields=ASKS + options.format("optional"))
    assert send(client, other)["notSent"] is None


@pytest.mark.rfc("9007", "2.1")
def test_what_is_too_large_is_refused(cast: Cast, settings: Any) -> None:
    settings.MAIL_MAX_SIZE_SUBMISSION = 2_000
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1, fields=ASKS, body="x" * 1_500))
    expected = {"type": "tooLarge", "maxSize": 2_000}
    assert refusal(client, email_id, textBody="x" * 2_001) == expected
    assert refusal(client, email_id, includeOriginalMessage=True) == expected
    assert send(client, email_id)["notSent"] is None


@pytest.mark.rfc("9007", "2.1")
def test_what_is_too_much_for_an_hour_is_refused(cast: Cast, settings: Any) -> None:
    settings.MAIL_RECIPIENTS_PER_HOUR = 2
    client = JMAPClient(cast.alice)
    emails = [asks(client, number) for number in range(3)]
    answer = client.call(
        "MDN/send", arguments(client, {f"k{number}": mdn(email) for number, email in enumerate(emails)})
    )
    assert (sorted(answer["sent"]), answer["notSent"]) == (["k0", "k1"], {"k2": {"type": "rateLimit"}})
    assert [keywords(client, email) for email in emails] == [{"$mdnsent": True}, {"$mdnsent": True}, {}]


@pytest.mark.rfc("9007", "2.1")
def test_what_an_account_has_no_room_for_is_refused(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client)
    quotas.set_limits(cast.alice.account, quotas.MESSAGES, quotas.Limits(hard=1))
    assert refusal(client, email_id) == {"type": "overQuota"}
    assert (keywords(client, email_id), sent_by(cast.alice)) == ({}, [])


def test_an_email_with_all_the_keywords_that_fit_is_not_notified_of(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = asks(client, keywords={f"k{number}": True for number in range(100)})
    assert refusal(client, email_id) == {"type": "tooManyKeywords"}
    assert sent_by(cast.alice) == []


@pytest.mark.rfc("9007", "2.1")
def test_an_email_of_the_same_request_may_be_named(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    blob_id = client.upload(message(7, fields=ASKS))["blobId"]
    boxes = {
        box["id"]: True for box in client.call("Mailbox/get", {"ids": None})["list"] if box["role"] == "inbox"
    }
    imports = {"emails": {"new": {"blobId": blob_id, "mailboxIds": boxes}}, "accountId": client.account_id}
    given = {**arguments(client, {"k": mdn("#new")}), "accountId": client.account_id}
    _, answer, update = client.request(["Email/import", imports, "0"], ["MDN/send", given, "1"])[
        "methodResponses"
    ]
    assert answer[1]["sent"]["k"]["forEmailId"][:1] == "e"
    assert list(update[1]["updated"]) == [answer[1]["sent"]["k"]["forEmailId"]]


@pytest.mark.rfc("9007", "2.1")
@pytest.mark.parametrize(
    ("using", "known"), [([CORE, MDN], False), ([CORE, MAIL], False), ([CORE, MDN, MAIL], True)]
)
def test_both_capabilities_open_it(cast: Cast, using: list[str], known: bool) -> None:
    client = JMAPClient(cast.alice)
    given = {**arguments(client, {}), "accountId": client.account_id}
    [answer] = client.request(["MDN/send", given, "c"], using=using)["methodResponses"]
    assert answer[0] == ("MDN/send" if known else "error")


@pytest.mark.rfc("9007", "1.3")
def test_the_session_promises_it_for_every_account(cast: Cast) -> None:
    session = JMAPClient(cast.bob).session()
    assert session["capabilities"][MDN] == {}
    assert [each["accountCapabilities"][MDN] for each in session["accounts"].values()] == [{}, {}]


def test_hostile_messages_are_answered_in_sound_ones(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    hostile = [
        f"Disposition-Notification-To: =?utf-8?q?x=0D=0ABcc=3A_y=40z?= <{SENDER}>\r\n",
        f"{ASKS}Original-Recipient: rfc822;{'x' * 5_000}\r\nReferences: {'<a@b> ' * 5_000}\r\n",
        f"{ASKS}Original-Recipient: rfc822;a@b\x00\r\n\tBcc: x\r\nMessage-ID: <{'y' * 3_000}>\r\n",
        "Disposition-Notification-To: <jörg@bücher.example>\r\nMessage-ID: <ö@x>\r\n",
    ]
    for number, fields in enumerate(hostile):
        assert send(client, asks(client, number, fields=fields))["notSent"] is None
    found = sent_by(cast.alice)
    assert len(found) == len(hostile)
    for sent in found:
        root = scan(sent.raw).root
        names = [name for name, _ in root.headers]
        assert len(names) == len(set(names))
        assert "Bcc" not in names
        assert max(map(len, sent.raw.split(b"\r\n"))) <= 998
        assert reported(sent.raw).type == "displayed"


def test_what_was_delivered_is_notified_of(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    [outcome] = deliver(message(1, fields=ASKS), [cast.alice.address], return_path=SENDER)
    assert send(client, f"e{outcome.email_id}")["notSent"] is None


def test_a_user_who_has_no_address_left_sends_nothing(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    alias = f"gone@{cast.alice.address.partition('@')[2]}"
    made = provisioning.add_alias(alias, cast.alice.account)
    former = next(
        each["id"] for each in client.call("Identity/get", {"ids": None})["list"] if each["email"] == alias
    )
    provisioning.remove_alias(made)
    given = arguments(client, {"k": mdn(asks(client))}, identityId=former)
    assert client.error("MDN/send", given) == {"type": "invalidArguments"}
    assert identity(client) != former
