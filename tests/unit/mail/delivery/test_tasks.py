"""What is remembered of deliveries goes after a day."""

from __future__ import annotations

import psycopg
import pytest

from jmapcore.store.database import connection
from mail.delivery.tasks import forget_deliveries
from tests.support.mail_store import MailStore, make_store

ADD = "INSERT INTO delivered_message (account_id, hash, delivered_at) VALUES (%s, %s, now() - %s::text::interval)"
HASHES = "SELECT hash FROM delivered_message WHERE account_id = %s ORDER BY hash"


@pytest.fixture
def store(database: None) -> MailStore:
    return make_store()


def test_what_is_older_than_a_day_is_forgotten(store: MailStore) -> None:
    with store.write() as write:
        for age, name in (("25 hours", b"old"), ("23 hours", b"new"), ("3 days", b"older")):
            write.execute(ADD, (store.account_id, name, age))
    assert forget_deliveries() >= 2
    assert store.rows(HASHES) == [(b"new",)]


def test_nobody_can_have_more_forgotten(store: MailStore) -> None:
    with store.write() as write:
        write.execute(ADD, (store.account_id, b"new", "1 hour"))
    with connection() as lent:
        lent.execute("SELECT forget_delivered_messages(interval '0', 1000)")
    assert store.rows(HASHES) == [(b"new",)]


def test_the_rows_of_an_account_are_its_own(store: MailStore) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), make_store().write() as write:
        write.execute(ADD, (store.account_id, b"new", "1 hour"))
