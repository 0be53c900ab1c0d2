"""Receipts that come back: known by the token that was sent, and by nothing else (RFC 8621 §7)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import provisioning
from jmapcore.blobs.sweep import sweep
from jmapcore.store.database import connection, execute, read
from jmapcore.store.write import account_write
from mail.delivery.deliver import deliver
from mail.submissions import return_address
from mail.verify import verify
from tests.protocol.EmailSubmission.sending import draft, envelope, get, submitted
from tests.support.cast import Cast, Person, make_person
from tests.support.client import JMAPClient
from tests.support.reports import DELIVERED, FAILED, delivery_report, disposition_report, report

BOB, CAROL = "bob@example.org", "carol@example.org"


def relayed(person: Person, *recipients: str, **parameters: Any) -> str:
    """A submission that a relay has taken: nothing is known of it any more."""
    client = JMAPClient(person)
    wanted = envelope(client, *recipients or (BOB,), **parameters)
    number = submitted(client, draft(client), envelope=wanted)
    status = """
        UPDATE email_submission SET blob_id = NULL, undo_status = 'final', delivery_status = (
            SELECT jsonb_object_agg(s.key, s.value || '{"delivered": "unknown", "smtpReply": "250 2.0.0 Ok"}')
            FROM jsonb_each(delivery_status) AS s) WHERE account_id = %s AND id = %s"""
    with connection() as lent, account_write(person.account.pk, lent) as write:
        key = (person.account.pk, int(number[1:]))
        write.run((status, key), ("DELETE FROM submission_queue WHERE account_id = %s AND id = %s", key))
        write.updated("EmailSubmission", key[1])
    return number


def token(person: Person, submission_id: str) -> str:
    """What was sent with a submission."""
    sql = "SELECT envelope_id FROM email_submission WHERE account_id = %s AND id = %s"
    with connection() as lent:
        [[row]] = read(lent, person.account.pk, (sql, (person.account.pk, int(submission_id[1:]))))
    return str(row[0])


def comes_back(person: Person, raw: bytes, address: str | None = None, sender: str = "") -> str:
    """Deliver a report; the blob id of the Email that it is."""
    [outcome] = deliver(raw, [address or person.address], return_path=sender)
    assert outcome.is_delivered, outcome
    [email] = JMAPClient(person).call(
        "Email/get", {"ids": [f"e{outcome.email_id}"], "properties": ["blobId"]}
    )["list"]
    blob_id: str = email["blobId"]
    return blob_id


def said(person: Person, submission_id: str) -> dict[str, Any]:
    """What is said of the receipts of a submission."""
    found = get(JMAPClient(person), submission_id)
    return {name: found[name] for name in ("deliveryStatus", "dsnBlobIds", "mdnBlobIds")}


def returned(person: Person, submission_id: str) -> str:
    """The return address of a submission."""
    found = return_address(person.address, token(person, submission_id))
    assert found is not None
    return found


@pytest.mark.rfc("8621", "7")
def test_a_dsn_is_known_by_the_envid_that_was_sent(cast: Cast) -> None:
    number = relayed(cast.alice)
    raw = delivery_report([(BOB, FAILED)], to=cast.alice.address, envelope_id=token(cast.alice, number))
    blob_id = comes_back(cast.alice, raw)
    assert said(cast.alice, number) == {
        "deliveryStatus": {
            BOB: {"smtpReply": "550 5.1.1 Nobody of that name", "delivered": "no", "displayed": "unknown"}
        },
        "dsnBlobIds": [blob_id],
        "mdnBlobIds": [],
    }


@pytest.mark.rfc("8621", "7")
def test_a_dsn_is_known_by_the_return_address_that_was_sent(cast: Cast) -> None:
    number = relayed(cast.alice)
    raw = delivery_report([(BOB, DELIVERED)], to=cast.alice.address, envelope_id="the-clients-own")
    blob_id = comes_back(cast.alice, raw, returned(cast.alice, number))
    found = said(cast.alice, number)
    assert found["dsnBlobIds"] == [blob_id]
    assert found["deliveryStatus"][BOB] == {
        "smtpReply": "250 2.0.0 Delivered",
        "delivered": "yes",
        "displayed": "unknown",
    }


@pytest.mark.rfc("8621", "7")
def test_an_mdn_is_known_by_the_address_that_was_asked_for_it(cast: Cast) -> None:
    number = relayed(cast.alice)
    raw = disposition_report(BOB.upper(), to=cast.alice.address)
    blob_id = comes_back(cast.alice, raw, returned(cast.alice, number).upper())
    assert said(cast.alice, number) == {
        "deliveryStatus": {BOB: {"smtpReply": "250 2.0.0 Ok", "delivered": "unknown", "displayed": "yes"}},
        "dsnBlobIds": [],
        "mdnBlobIds": [blob_id],
    }


@pytest.mark.parametrize("kind", ["deleted", "dispatched", "processed"])
def test_an_mdn_that_shows_nothing_is_listed_alone(cast: Cast, kind: str) -> None:
    number = relayed(cast.alice)
    blob_id = comes_back(cast.alice, disposition_report(BOB, to="x", kind=kind), returned(cast.alice, number))
    found = said(cast.alice, number)
    assert (found["mdnBlobIds"], found["deliveryStatus"][BOB]["displayed"]) == ([blob_id], "unknown")


def test_receipts_are_in_order_and_each_is_about_its_recipients(cast: Cast) -> None:
    number = relayed(cast.alice, BOB, CAROL)
    address = returned(cast.alice, number)
    first = comes_back(cast.alice, delivery_report([(BOB, DELIVERED)], to="x"), address)
    second = comes_back(cast.alice, delivery_report([(CAROL, FAILED)], to="x"), address)
    third = comes_back(cast.alice, disposition_report(CAROL, to="x"), address)
    found = said(cast.alice, number)
    assert (found["dsnBlobIds"], found["mdnBlobIds"]) == ([first, second], [third])
    assert {
        address: (each["delivered"], each["displayed"]) for address, each in found["deliveryStatus"].items()
    } == {
        BOB: ("yes", "unknown"),
        CAROL: ("no", "yes"),
    }


@pytest.mark.rfc("8621", "7")
@pytest.mark.parametrize(
    ("fields", "reply", "delivered"),
    [
        ("Action: delayed\r\nStatus: 4.4.1", "250 2.0.0 Ok", "unknown"),
        (
            "Action: delayed\r\nStatus: 4.4.1\r\nDiagnostic-Code: smtp; 451 4.4.1 Later",
            "451 4.4.1 Later",
            "unknown",
        ),
        ("Action: relayed\r\nStatus: 2.0.0", "250 2.0.0 Ok", "unknown"),
        ("Action: expanded\r\nStatus: 2.0.0", "250 2.0.0 Ok", "unknown"),
        ("Action: FAILED\r\nStatus: 5.2.2", "550 5.2.2 Delivery failed", "no"),
        ("Action: failed", "550 5.0.0 Delivery failed", "no"),
        ("Action: failed\r\nDiagnostic-Code: x400; 550 5.1.1 x", "550 5.0.0 Delivery failed", "no"),
        (
            "Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 250 ok",
            "550 5.0.0 Delivery failed",
            "no",
        ),
        (
            "Action: failed\r\nStatus: 5.7.1\r\nDiagnostic-Code: smtp; 550-5.7.1 Our system has detected that this"
            "\r\n message is\r\n 550 5.7.1 likely spam.",
            "550 5.7.1 Our system has detected that this message is likely spam.",
            "no",
        ),
        (
            "Action: delivered\r\nStatus: 2.1.5\r\nDiagnostic-Code: smtp; 250 2.1.5 Fine",
            "250 2.1.5 Fine",
            "yes",
        ),
        ("Action: <script>", "250 2.0.0 Ok", "unknown"),
    ],
)
def test_what_an_action_says(cast: Cast, fields: str, reply: str, delivered: str) -> None:
    number = relayed(cast.alice)
    comes_back(cast.alice, delivery_report([(BOB, fields)], to="x"), returned(cast.alice, number))
    assert said(cast.alice, number)["deliveryStatus"][BOB] == {
        "smtpReply": reply,
        "delivered": delivered,
        "displayed": "unknown",
    }


@pytest.mark.rfc("8621", "7")
def test_what_is_final_stays(cast: Cast) -> None:
    number = relayed(cast.alice)
    address = returned(cast.alice, number)
    comes_back(cast.alice, delivery_report([(BOB, FAILED)], to="x"), address)
    comes_back(cast.alice, delivery_report([(BOB, DELIVERED)], to="x"), address)
    found = said(cast.alice, number)
    assert (found["deliveryStatus"][BOB]["delivered"], len(found["dsnBlobIds"])) == ("no", 2)


@pytest.mark.parametrize("has_left", [False, True])
def test_nobody_ends_a_delivery_that_is_still_ours(cast: Cast, has_left: bool) -> None:
    client = JMAPClient(cast.alice)
    number = submitted(client, draft(client), envelope=envelope(client, CAROL, BOB))
    if has_left:
        with connection() as lent:
            sql = "UPDATE submission_queue SET taken = '{1}' WHERE account_id = %s"
            execute(lent, sql, (cast.alice.account.pk,))
    comes_back(
        cast.alice, delivery_report([(BOB, FAILED), (CAROL, DELIVERED)], to="x"), returned(cast.alice, number)
    )
    found = said(cast.alice, number)
    assert {address: each["delivered"] for address, each in found["deliveryStatus"].items()} == {
        BOB: "no" if has_left else "queued",
        CAROL: "queued",
    }
    assert len(found["dsnBlobIds"]) == 1


def test_forwarded_mail_is_about_the_only_recipient(cast: Cast) -> None:
    number = relayed(cast.alice)
    comes_back(
        cast.alice, delivery_report([("other@example.net", FAILED)], to="x"), returned(cast.alice, number)
    )
    assert said(cast.alice, number)["deliveryStatus"][BOB]["delivered"] == "no"


def test_of_two_recipients_neither_is_guessed(cast: Cast) -> None:
    number = relayed(cast.alice, BOB, CAROL)
    before = said(cast.alice, number)["deliveryStatus"]
    comes_back(
        cast.alice, delivery_report([("other@example.net", FAILED)], to="x"), returned(cast.alice, number)
    )
    found = said(cast.alice, number)
    assert (found["deliveryStatus"], len(found["dsnBlobIds"])) == (before, 1)


@pytest.mark.parametrize(
    "original",
    [
        "rfc822; bob@example.org",
        "rfc822;bob+40example.org",
        "utf-8; bob\\x{40}example.org",
        "RFC822; BOB@example.org",
    ],
)
def test_the_original_recipient_is_asked_first(cast: Cast, original: str) -> None:
    number = relayed(cast.alice, BOB, CAROL)
    fields = f"{FAILED}\r\nOriginal-Recipient: {original}"
    comes_back(cast.alice, delivery_report([(CAROL, fields)], to="x"), returned(cast.alice, number))
    found = said(cast.alice, number)["deliveryStatus"]
    assert (found[BOB]["delivered"], found[CAROL]["delivered"]) == ("no", "unknown")


def unchanged(person: Person, submission_id: str, raw: bytes, address: str | None = None) -> bool:
    """Whether a report says nothing of a submission."""
    client = JMAPClient(person)
    before = get(client, submission_id), client.call("EmailSubmission/get", {"ids": []})["state"]
    comes_back(person, raw, address)
    return before == (get(client, submission_id), client.call("EmailSubmission/get", {"ids": []})["state"])


def test_nothing_that_can_be_guessed_is_believed(cast: Cast) -> None:
    number = relayed(cast.alice, ENVID="my-own-envid")
    about = "Message-ID: <s1@example.org>\r\nSubject: Hello\r\n\r\nText"
    fields = "Reporting-MTA: dns; x\r\nOriginal-Envelope-Id: my-own-envid\r\n\r\n"
    raw = report(
        "delivery-status", f"{fields}Final-Recipient: rfc822; {BOB}\r\n{FAILED}\r\n", to="x", original=about
    )
    raw = b"In-Reply-To: <s1@example.org>\r\nReferences: <s1@example.org>\r\n" + raw
    assert unchanged(cast.alice, number, raw)
    receipt = disposition_report(BOB, to="x", original=about).replace(
        b"<199509192301.23456@example.org>", b"<s1@example.org>"
    )
    assert unchanged(cast.alice, number, receipt)


@pytest.mark.parametrize(
    "envelope_id", ["", "s1", "%", "*", "' OR 1=1 --", "b" * 20, "a" * 20, "e1", "x" * 5_000]
)
def test_another_envid_is_nobodys(cast: Cast, envelope_id: str) -> None:
    number = relayed(cast.alice)
    raw = delivery_report([(BOB, FAILED)], to="x", envelope_id=envelope_id)
    assert unchanged(cast.alice, number, raw)


def test_a_token_in_another_place_is_not_looked_for(cast: Cast) -> None:
    number = relayed(cast.alice)
    secret = token(cast.alice, number)
    to = returned(cast.alice, number)
    raw = delivery_report([(BOB, f"{FAILED}\r\nX-Envelope-Id: {secret}")], to=to)
    raw = (
        f"Message-ID: <{secret}@example.org>\r\nX-Original-To: {to}\r\nIn-Reply-To: <{secret}@x>\r\n".encode()
        + raw
    )
    assert unchanged(cast.alice, number, raw)


@pytest.mark.rfc("8621", "9.5")
def test_a_token_of_another_account_is_nobodys_here(cast: Cast) -> None:
    number = relayed(cast.alice)
    secret = token(cast.alice, number)
    before = said(cast.alice, number)
    raw = delivery_report([(BOB, FAILED)], to="x", envelope_id=secret)
    comes_back(cast.charlie, raw)
    comes_back(cast.charlie, disposition_report(BOB, to="x"), return_address(cast.charlie.address, secret))
    assert said(cast.alice, number) == before
    assert JMAPClient(cast.charlie).call("EmailSubmission/get", {"ids": None})["list"] == []


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: Undelivered\r\n\r\nYour message to bob@example.org failed.\r\n",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n--b--",
        delivery_report([(BOB, FAILED)], to="x").replace(b"multipart/report", b"multipart/mixed"),
        b"Content-Type: multipart/report\r\n\r\n" + b"\xff\x00" * 5_000,
    ],
)
def test_what_is_no_report_says_nothing_even_with_a_token(cast: Cast, raw: bytes) -> None:
    number = relayed(cast.alice)
    assert unchanged(cast.alice, number, raw, returned(cast.alice, number))


def test_a_report_of_ten_thousand_recipients_is_about_those_that_there_are(cast: Cast) -> None:
    number = relayed(cast.alice, BOB, CAROL)
    many = [(f"u{each}@example.net", FAILED) for each in range(10_000)]
    raw = delivery_report([(CAROL, FAILED), *many, (BOB, FAILED)], to="x")
    comes_back(cast.alice, raw, returned(cast.alice, number))
    found = said(cast.alice, number)["deliveryStatus"]
    assert {address: each["delivered"] for address, each in found.items()} == {BOB: "unknown", CAROL: "no"}


def test_hostile_fields_stay_in_one_short_line(cast: Cast) -> None:
    number = relayed(cast.alice)
    fields = "Action: failed\r\nDiagnostic-Code: smtp; 550 5.1.1 a\r\n\tb\x00\x1b[2J" + "x" * 100_000
    comes_back(cast.alice, delivery_report([(BOB, fields)], to="x"), returned(cast.alice, number))
    reply = said(cast.alice, number)["deliveryStatus"][BOB]["smtpReply"]
    assert reply.startswith("550 5.1.1 a b[2Jxxx")
    assert len(reply) == 1_000


def test_a_receipt_stays_as_long_as_a_submission_names_it(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    number = relayed(cast.alice)
    blob_id = comes_back(cast.alice, disposition_report(BOB, to="x"), returned(cast.alice, number))
    [email] = client.call("Email/query", {"filter": {"text": "mailer-daemon"}})["ids"]
    client.call("Email/set", {"destroy": [email]})
    due = "UPDATE blob_sweep SET due_at = now() - interval '1 hour' WHERE account_id = %s"
    with connection() as lent, account_write(cast.alice.account.pk, lent) as write:
        assert write.execute(due, (cast.alice.account.pk,)).rowcount > 0
    sweep()
    assert client.download(blob_id).status_code == 200
    client.call("EmailSubmission/set", {"destroy": [number]})
    assert client.download(blob_id).status_code == 404


def test_a_destroyed_submission_takes_no_receipts(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    number = submitted(client, draft(client))
    address = returned(cast.alice, number)
    client.call("EmailSubmission/set", {"destroy": [number]})
    comes_back(cast.alice, delivery_report([(BOB, FAILED)], to="x"), address)
    assert client.call("EmailSubmission/get", {"ids": [number]})["notFound"] == [number]


def test_what_is_wrong_with_receipts_is_found_and_set_right(cast: Cast) -> None:
    number = relayed(cast.alice)
    blob_id = comes_back(cast.alice, disposition_report(BOB, to="x"), returned(cast.alice, number))
    account_id = cast.alice.account.pk
    with connection() as lent, account_write(account_id, lent) as write:
        write.execute("DELETE FROM submission_report WHERE account_id = %s", (account_id,))
    with connection() as lent:
        found = verify(account_id, lent, repair=True)
        assert found == [f"submission_report: missing: submission_id={number[1:]}, blob_id={blob_id[1:]}"]
        assert verify(account_id, lent) == []


def test_an_account_is_deleted_with_its_receipts(cast: Cast) -> None:
    erin = make_person(cast.north_domain, "Erin")
    number = relayed(erin)
    comes_back(erin, disposition_report(BOB, to="x"), returned(erin, number))
    provisioning.delete_user(erin.user)
    sql = "SELECT count(*) FROM submission_report WHERE account_id = %s"
    with connection() as lent:
        assert read(lent, erin.account.pk, (sql, (erin.account.pk,))) == [[(0,)]]
