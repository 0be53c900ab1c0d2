"""MDN/parse (RFC 9007 §2.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.EmailSubmission.sending import get
from tests.protocol.EmailSubmission.test_receipts import BOB, comes_back, relayed, returned
from tests.protocol.MDN.asking import asks, send
from tests.protocol.post import add, message
from tests.support.cast import Cast
from tests.support.client import CORE, JMAPClient
from tests.support.reports import FAILED, delivery_report, disposition_report
from tests.support.sent import sent_by

MDN = "urn:ietf:params:jmap:mdn"


def uploaded(client: JMAPClient, raw: bytes) -> str:
    blob_id: str = client.upload(raw)["blobId"]
    return blob_id


def parsed(client: JMAPClient, blob_id: str) -> dict[str, Any]:
    answer = client.call("MDN/parse", {"blobIds": [blob_id]})
    assert (answer["notParsable"], answer["notFound"]) == (None, None)
    found: dict[str, Any] = answer["parsed"][blob_id]
    return found


@pytest.mark.rfc("9007", "2.2")
@pytest.mark.rfc("9007", "2")
def test_the_example_of_the_rfc(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    raw = disposition_report("john@example.com", to="x").replace(
        b"Subject: Report", b"Subject: Read receipt for: World domination"
    )
    assert parsed(client, uploaded(client, raw)) == {
        "forEmailId": None,
        "subject": "Read receipt for: World domination",
        "textBody": "See below.",
        "includeOriginalMessage": False,
        "reportingUA": "joes-pc.cs.example.com; Foomail 97.1",
        "disposition": {
            "actionMode": "manual-action",
            "sendingMode": "mdn-sent-manually",
            "type": "displayed",
        },
        "mdnGateway": None,
        "originalRecipient": None,
        "finalRecipient": "rfc822; john@example.com",
        "originalMessageId": "<199509192301.23456@example.org>",
        "error": None,
        "extensionFields": None,
    }


@pytest.mark.rfc("9007", "2.2")
def test_everything_in_it_is_shown(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    fields = (
        "MDN-Gateway: dns; gate.example\r\nOriginal-Recipient: rfc822;johnny@example.com\r\nError: one\r\nError: two\r\n"
        "EXTENSION-EXAMPLE: example.com\r\n"
    )
    raw = disposition_report(
        "john@example.com", to="x", kind="Processed/error", fields=fields, original="A: b\r\n\r\nc"
    )
    found = parsed(client, uploaded(client, raw))
    assert {
        name: found[name] for name in ("mdnGateway", "originalRecipient", "error", "extensionFields")
    } == {
        "mdnGateway": "dns; gate.example",
        "originalRecipient": "rfc822;johnny@example.com",
        "error": ["one", "two"],
        "extensionFields": {"EXTENSION-EXAMPLE": "example.com"},
    }
    assert (found["disposition"]["type"], found["includeOriginalMessage"]) == ("processed", True)


@pytest.mark.rfc("9007", "2.2")
def test_a_receipt_that_was_matched_names_the_email_that_was_sent(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    number = relayed(cast.alice)
    blob_id = comes_back(cast.alice, disposition_report(BOB, to="x"), returned(cast.alice, number))
    email_id = get(client, number)["emailId"]
    assert parsed(client, blob_id)["forEmailId"] == email_id
    client.call("Email/set", {"destroy": [email_id]})
    assert parsed(client, blob_id)["forEmailId"] is None


@pytest.mark.rfc("9007", "2.2")
def test_what_cannot_be_parsed_or_found_is_said_so(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    raw = disposition_report(BOB, to="x")
    odd = {
        "message": uploaded(client, message()),
        "bounce": uploaded(client, delivery_report([(BOB, FAILED)], to="x")),
        "nothing": uploaded(client, b""),
        "denied": uploaded(client, raw.replace(b"displayed", b"denied")),
    }
    good = uploaded(client, raw)
    missing = ["b999999", "x", f"{good}-9"]
    answer = client.call("MDN/parse", {"blobIds": [*odd.values(), good, *missing]})
    assert list(answer["parsed"]) == [good]
    assert (answer["notParsable"], answer["notFound"]) == (list(odd.values()), missing)


@pytest.mark.rfc("9007", "2.2")
def test_a_notification_within_a_message_is_parsed_too(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    raw = disposition_report(BOB, to="x")
    outer = b"Subject: Fwd\r\nContent-Type: message/rfc822\r\n\r\n" + raw
    blob_id = uploaded(client, outer)
    assert parsed(client, f"{blob_id}-0")["finalRecipient"] == f"rfc822; {BOB}"


@pytest.mark.rfc("9007", "2.2")
def test_too_many_ids_are_too_large(cast: Cast, settings: Any) -> None:
    settings.JMAP_LIMITS = {**settings.JMAP_LIMITS, "maxObjectsInGet": 2}
    given = {"blobIds": ["b1", "b2", "b3"]}
    assert JMAPClient(cast.alice).error("MDN/parse", given) == {"type": "requestTooLarge"}


@pytest.mark.rfc("9007", "2.2")
def test_an_account_that_is_not_there_is_invalid(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = {"accountId": cast.charlie.account_id, "blobIds": []}
    assert client.error("MDN/parse", given) == {"type": "invalidArguments"}


def test_who_may_read_may_parse(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, disposition_report(BOB, to="x"))
    [email] = client.call("Email/get", {"ids": [email_id], "properties": ["blobId"]})["list"]
    given = {"accountId": cast.alice.account_id, "blobIds": [email["blobId"]]}
    assert list(JMAPClient(cast.dora).call("MDN/parse", given)["parsed"]) == [email["blobId"]]


@pytest.mark.rfc("9007", "1.3")
def test_its_own_capability_is_enough(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = {"accountId": client.account_id, "blobIds": []}
    [answer] = client.request(["MDN/parse", given, "c"], using=[CORE, MDN])["methodResponses"]
    assert answer[1] == {
        "accountId": client.account_id, "parsed": None, "notParsable": None, "notFound": None
    }  # fmt: skip


@pytest.mark.rfc("9007", "2")
def test_what_is_sent_here_is_parsed_there(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    given = {
        "subject": "Gelesen: schön",
        "textBody": "Ja.\nWirklich.",
        "includeOriginalMessage": True,
        "reportingUA": "ua.example; Zoë's 1",
        "extensionFields": {"X-One": "eins", "X-Long": "wort " * 50 + "ende"},
    }
    answer = send(alice, asks(alice), **given)["sent"]["k"]
    [sent] = sent_by(cast.alice)
    found = parsed(charlie, uploaded(charlie, sent.raw))
    assert {name: found[name] for name in given} == given
    assert {name: found[name] for name in answer} == answer
