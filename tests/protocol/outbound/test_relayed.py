"""What a relay is given, and what the submission says of it (RFC 8621 §7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jmapcore.store.database import connection
from tests.protocol.EmailSubmission.sending import draft, get, submitted
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.outbound import deliver_all
from tests.support.relay import Sink, sink


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


@pytest.fixture
def relay(settings: Any) -> Iterator[Sink]:
    with sink() as found:
        settings.MAIL_RELAY = found.relay
        yield found


def account(client: JMAPClient) -> int:
    return client.person.account.pk


def queued(client: JMAPClient) -> list[tuple[object, ...]]:
    with connection() as lent:
        return lent.execute(
            "SELECT id, leased_until, attempts, taken FROM submission_queue WHERE account_id = %s ORDER BY id",
            (account(client),),
        ).fetchall()


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
