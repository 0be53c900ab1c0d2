"""What a new account gets, and what goes with one: `accounts.lifecycle` hooks, in the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from jmapcore.store.database import django_connection
from jmapcore.store.write import account_write
from mail.mailboxes import MailboxRow, create_mailboxes

if TYPE_CHECKING:
    from accounts.models import Account

TABLES = (
    "email_keyword",
    "email_mailbox",
    "thread_mailbox",
    "thread_ref",
    "email_search",
    "email_static",
    "email",
    "thread",
    "mailbox_user",
    "mailbox",
)
"""Every table of this module's, in the order in which an account's rows go."""


def create_default_mailboxes(account: Account) -> None:
    """Give a new account its mailboxes, in the order of the setting, its owner subscribed to each."""
    wanted = settings.MAIL_DEFAULT_MAILBOXES
    with account_write(account.pk, django_connection()) as write:
        ids = write.new_ids(len(wanted))
        rows = {
            mailbox_id: MailboxRow(name, role=role or None, sort_order=10 * place)
            for place, (mailbox_id, (name, role)) in enumerate(zip(ids, wanted, strict=True), start=1)
        }
        create_mailboxes(write, rows, subscriber=account.owner_id)


def delete_mail(account: Account) -> None:
    """Delete all mail of an account that is being deleted; its blobs are the engine's to give up."""
    with account_write(account.pk, django_connection()) as write:
        write.run(
            *((f"DELETE FROM {table} WHERE account_id = %s", (account.pk,)) for table in TABLES)  # noqa: S608
        )
