"""The state of EmailDelivery (RFC 8621 §1.5)."""

from __future__ import annotations

import pytest

from jmapcore.registry import registry
from jmapcore.store.database import Row
from mail.arrival import EMAIL_DELIVERY, mail_arrived
from tests.support.mail_store import MailStore, message


def state(store: MailStore) -> list[Row]:
    """Where the type stands."""
    return store.rows("SELECT modseq FROM type_state WHERE account_id = %s AND type = %s", EMAIL_DELIVERY)


@pytest.mark.rfc("8621", "1.5")
def test_only_the_arrival_of_mail_advances_it(store: MailStore) -> None:
    added = store.add(message("a"))
    assert state(store) == []
    with store.write() as write:
        mail_arrived(write)
    first = state(store)
    with store.write() as write:
        write.updated("Email", added.id)
    assert (len(first), state(store)) == (1, first)


@pytest.mark.rfc("8621", "1.5")
def test_it_has_a_state_and_no_methods() -> None:
    assert registry.types[EMAIL_DELIVERY].has_state
    assert [name for name in registry.methods if name.startswith(EMAIL_DELIVERY)] == []
