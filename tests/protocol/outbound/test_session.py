"""What the session says of sending (RFC 8621 §1.3.2), and what an envelope may therefore have."""

from __future__ import annotations

from typing import Any

import pytest

from mail.outbound import offers
from tests.protocol.EmailSubmission.sending import draft, envelope, submit
from tests.support.client import JMAPClient
from tests.support.relay import Sink

SUBMISSION = "urn:ietf:params:jmap:submission"


def session(client: JMAPClient) -> dict[str, Any]:
    found: dict[str, Any] = client.http.get("/.well-known/jmap").json()
    return found


@pytest.mark.rfc("8621", "1.3.2")
def test_the_extensions_are_those_of_the_relay(alice: JMAPClient, relay: Sink) -> None:
    offers.forget()
    before = session(alice)
    account = before["accounts"][alice.account_id]["accountCapabilities"][SUBMISSION]
    assert set(account["submissionExtensions"]) == {"FUTURERELEASE", "SIZE", "DSN", "8BITMIME", "SMTPUTF8"}
    offers.learn(relay.relay.name, {"size": "1000000", "8bitmime": "", "auth": "PLAIN"})
    after = session(alice)
    account = after["accounts"][alice.account_id]["accountCapabilities"][SUBMISSION]
    assert account["submissionExtensions"] == {"FUTURERELEASE": [], "SIZE": ["1000000"], "8BITMIME": []}
    assert after["state"] != before["state"]
    email = draft(alice)
    refused = submit(alice, email, envelope=envelope(alice, "bob@example.org", RET="FULL"))
    assert refused["notCreated"]["new"] == {"type": "invalidProperties", "properties": ["envelope"]}
    assert (
        submit(alice, email, envelope=envelope(alice, "bob@example.org", BODY="8BITMIME"))["notCreated"]
        is None
    )


def test_without_a_relay_they_are_all(alice: JMAPClient) -> None:
    account = session(alice)["accounts"][alice.account_id]["accountCapabilities"][SUBMISSION]
    assert set(account["submissionExtensions"]) == {"FUTURERELEASE", "SIZE", "DSN", "8BITMIME", "SMTPUTF8"}
