"""The database itself keeps accounts apart, and refuses writes outside the write path."""

from __future__ import annotations

import psycopg
import pytest

from jmapcore.store.database import connection, execute, read
from mail.membership import EmailChange, UnknownEmailError, change_emails
from mail.models import Email, Mailbox
from mail.provisioning import TABLES
from tests.support.mail_store import MailStore, make_store, message

PROTECTED = [table for table in TABLES if table != "email_search"]
"""Tables that may be read for one account alone. An index of words works under no such policy: its lexemes name the account."""


@pytest.mark.parametrize("table", PROTECTED)
def test_nothing_is_read_where_no_account_is_set(store: MailStore, table: str) -> None:
    store.add(message("a"))
    with connection() as lent, pytest.raises((psycopg.errors.UndefinedObject, psycopg.DataError)):
        execute(lent, f"SELECT * FROM {table}").fetchall()  # noqa: S608  # a table of ours


@pytest.mark.parametrize("table", PROTECTED)
def test_another_account_sees_nothing(store: MailStore, table: str) -> None:
    store.add(message("a"))
    other = make_store()
    assert other.rows(f"SELECT account_id FROM {table} WHERE account_id <> %s") == []  # noqa: S608  # ours


@pytest.mark.parametrize("table", TABLES)
def test_a_write_of_one_account_changes_nothing_of_another(store: MailStore, table: str) -> None:
    store.add(message("a"))
    other = make_store()
    with other.write() as write:
        deleted = write.execute(f"DELETE FROM {table} WHERE account_id = %s", (store.account_id,))  # noqa: S608
        assert deleted.rowcount == 0
    assert store.verify() == []


def test_a_row_for_another_account_is_refused_inside_a_write(store: MailStore) -> None:
    other = make_store()
    sql = "INSERT INTO thread (account_id, id, email_ids_json) VALUES (%s, 9999, '[]')"
    with pytest.raises(psycopg.errors.InsufficientPrivilege), other.write() as write:
        write.execute(sql, (store.account_id,))


def test_a_row_cannot_be_moved_into_another_account(store: MailStore) -> None:
    other = make_store()
    other.add(message("a"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), other.write() as write:
        write.execute(
            "UPDATE email SET account_id = %s WHERE account_id = %s", (store.account_id, other.account_id)
        )


def test_a_write_outside_the_write_path_is_refused(store: MailStore) -> None:
    with connection() as lent, pytest.raises((psycopg.errors.UndefinedObject, psycopg.DataError)):
        read(
            lent,
            store.account_id,
            ("UPDATE mailbox SET name = 'x' WHERE account_id = %s", (store.account_id,)),
        )


def test_the_models_refuse_to_be_saved_outside_the_write_path(store: MailStore) -> None:
    with pytest.raises(RuntimeError, match="account_write"):
        Mailbox(account_id=store.account_id, id=9999, name="x").save(force_insert=True)
    with pytest.raises(RuntimeError, match="account_write"):
        Email.objects.filter(pk=(store.account_id, 1)).update(size=1)


def test_an_id_of_another_account_is_not_found(store: MailStore) -> None:
    other = make_store()
    for _ in range(30):
        store.add(message(""))
    theirs = max(store.emails())
    with pytest.raises(UnknownEmailError), other.write() as write:
        change_emails(write, [EmailChange(theirs, frozenset({"$seen"}))])
