"""What is seeded, clones above all, is an account like any other."""

from __future__ import annotations

from jmapcore.store.database import Row, connection, read
from mail.verify import verify
from tests.unit.bench.conftest import DISTINCT, MESSAGES, Seeded


def rows(seeded: Seeded, sql: str) -> list[Row]:
    with connection() as lent:
        return read(lent, seeded.account_id, (sql, (seeded.account_id,)))[0]


def test_verify_finds_nothing(seeded: Seeded) -> None:
    with connection() as lent:
        assert verify(seeded.account_id, lent) == []


def test_the_account_has_the_messages_asked_for(seeded: Seeded) -> None:
    assert rows(seeded, "SELECT count(*) FROM email WHERE account_id = %s") == [(MESSAGES,)]


def test_clones_share_blobs(seeded: Seeded) -> None:
    assert rows(seeded, "SELECT count(*) FROM blob WHERE account_id = %s") == [(DISTINCT,)]


def test_there_are_eighteen_mailboxes(seeded: Seeded) -> None:
    assert rows(seeded, "SELECT count(*) FROM mailbox WHERE account_id = %s") == [(18,)]


def test_each_email_was_recorded_as_created(seeded: Seeded) -> None:
    created = "SELECT count(DISTINCT object) FROM change_log WHERE account_id = %s AND type = 'Email' AND operation = 'c'"
    assert rows(seeded, created) == [(MESSAGES,)]


def test_no_id_is_given_out_twice(seeded: Seeded) -> None:
    [(next_id, highest)] = rows(
        seeded,
        "SELECT next_id, (SELECT max(e.id) FROM email AS e WHERE e.account_id = s.account_id)"
        " FROM account_state AS s WHERE s.account_id = %s",
    )
    assert next_id > highest


def test_the_target_names_emails_and_roles(seeded: Seeded) -> None:
    assert len(seeded.target.emails) == MESSAGES
    assert {"inbox", "drafts", "sent", "archive", "junk", "trash"} <= seeded.target.mailboxes.keys()
