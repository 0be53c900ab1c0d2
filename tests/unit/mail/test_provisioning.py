"""What a new account gets, and what goes with one."""

from __future__ import annotations

import pytest
from django.db import transaction

from accounts.models import Account
from mail.provisioning import TABLES, delete_mail
from tests.support.mail_store import MailStore, make_store, message


def test_a_new_account_has_the_default_mailboxes_with_their_roles(store: MailStore) -> None:
    rows = store.rows("SELECT name, role, sort_order FROM mailbox WHERE account_id = %s ORDER BY sort_order")
    assert rows == [
        ("Inbox", "inbox", 10),
        ("Drafts", "drafts", 20),
        ("Sent", "sent", 30),
        ("Archive", "archive", 40),
        ("Junk", "junk", 50),
        ("Trash", "trash", 60),
    ]


@pytest.mark.rfc("8621", "2")
def test_the_owner_is_subscribed_to_each(store: MailStore) -> None:
    rows = store.rows("SELECT mailbox_id, user_id, is_subscribed FROM mailbox_user WHERE account_id = %s")
    assert sorted(rows) == sorted(
        (mailbox_id, store.owner_id, True) for mailbox_id in store.mailboxes.values()
    )


def test_which_mailboxes_is_a_setting(database: None, settings: object) -> None:
    settings.MAIL_DEFAULT_MAILBOXES = [("Eingang", "inbox"), ("Rechnungen", "")]  # type: ignore[attr-defined]
    rows = make_store().rows("SELECT name, role FROM mailbox WHERE account_id = %s ORDER BY id")
    assert rows == [("Eingang", "inbox"), ("Rechnungen", None)]


def test_a_deleted_account_leaves_nothing_behind(store: MailStore) -> None:
    store.add(message("a"), keywords=["$flagged"])
    with transaction.atomic():
        delete_mail(Account.objects.get(pk=store.account_id))
    left = {table: store.rows(f"SELECT account_id FROM {table} WHERE account_id = %s") for table in TABLES}  # noqa: S608  # ours
    assert left == {table: [] for table in TABLES}
