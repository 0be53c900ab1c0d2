"""What a new account gets, what follows its addresses and its owner's name, and what goes with it.

Hooks of `accounts.lifecycle`, in the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from jmapcore.store.database import django_connection
from jmapcore.store.write import AccountWrite, account_write
from mail.identities import rename_identities, settle_identities
from mail.mailboxes import MailboxRow, create_mailboxes

if TYPE_CHECKING:
    from accounts.models import Account, User

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
    "submission_report",
    "email_submission",
    "identity",
    "vacation_response",
    "vacation_sender",
    "delivered_message",
    "delivery_preference",
)
"""Every table of this module's under a policy, in the order in which an account's rows go."""

QUEUE = "submission_queue"
"""Without a policy, since it is read across accounts; its rows go first."""

ADD_VACATION_RESPONSE = """
    INSERT INTO vacation_response (account_id, id, is_enabled) VALUES (%s, 0, false) ON CONFLICT DO NOTHING"""


def furnish(account: Account) -> None:
    """Give a new account its mailboxes, the identity of its address, and the vacation response that it always has."""
    with account_write(account.pk, django_connection()) as write:
        _create_default_mailboxes(write, account.owner_id)
        settle_identities(write)
        write.defer((ADD_VACATION_RESPONSE, (account.pk,)))


def _create_default_mailboxes(write: AccountWrite, owner_id: int) -> None:
    """In the order of the setting, the owner subscribed to each."""
    wanted = settings.MAIL_DEFAULT_MAILBOXES
    rows = {
        mailbox_id: MailboxRow(name, role=role or None, sort_order=10 * place)
        for place, (mailbox_id, (name, role)) in enumerate(
            zip(write.new_ids(len(wanted)), wanted, strict=True), start=1
        )
    }
    create_mailboxes(write, rows, subscriber=owner_id)


def follow_addresses(account: Account) -> None:
    """Let the identities be what the addresses of the account are now."""
    with account_write(account.pk, django_connection()) as write:
        settle_identities(write)


def follow_name(user: User, former: str) -> None:
    """Let the identities that have the former name of the owner have the new one."""
    if user.tenant_id is not None and user.name != former:
        with account_write(user.account.pk, django_connection()) as write:
            rename_identities(write, user.name, former)


def delete_mail(account: Account) -> None:
    """Delete all mail of an account that is being deleted; its blobs are the engine's to give up."""
    with account_write(account.pk, django_connection()) as write:
        write.run(
            *((f"DELETE FROM {table} WHERE account_id = %s", (account.pk,)) for table in (QUEUE, *TABLES))  # noqa: S608
        )
