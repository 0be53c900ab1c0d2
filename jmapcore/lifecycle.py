"""What the engine keeps of an account from its birth to its end; hooks of `accounts.lifecycle`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from jmapcore.blobs.sweep import forget_account
from jmapcore.quotas import COLUMNS, account_defaults
from jmapcore.store.database import Connection, django_connection, run
from jmapcore.store.prepared import Statement
from jmapcore.store.write import SET_WRITING, account_write

if TYPE_CHECKING:
    from accounts.models import Account

CREATE_STATE = f"""
    INSERT INTO account_state (account_id, epoch, modseq, next_id, {COLUMNS})
    SELECT a.account_id, %s, 0, 1, {COLUMNS} FROM account_limits(%s::bigint, %s::bigint, %s::int) AS a
    WHERE a.account_id = %s"""  # noqa: S608  # our own names
RENEW_EPOCH = "UPDATE account_state SET epoch = %s WHERE account_id = %s"
SKIPPED_IDS = 1_000_000
"""More than an account gives out between a backup and its restore; two thousand restores use up the ids."""
OWN_TABLES = ("shared_quota", "account_held", "change_log", "type_state", "account_state")
"""In the order in which an account's rows are deleted; its blobs have their own end."""


def create_account_state(account: Account) -> None:
    """Give a new account its state row, in the caller's transaction."""
    _write(account, (CREATE_STATE, (_epoch(), *account_defaults(), account.pk)))


def renew_epoch(account_id: int, connection: Connection) -> None:
    """Make an account that was restored from a backup take none of the states, and give none of the ids, that came after it.

    Clients hold states and objects of the time between, whose numbers would be given out again for something else.
    Raises `jmapcore.store.write.UnknownAccountError`.
    """
    with account_write(account_id, connection) as write:
        write.new_ids(SKIPPED_IDS)
        write.run((RENEW_EPOCH, (_epoch(), account_id)))


def _epoch() -> str:
    return secrets.token_hex(4)


def delete_account_data(account: Account) -> None:
    """Delete everything that the engine keeps of an account, in the caller's transaction.

    Its blobs are gone at once; their bytes, which may lie outside the database, go with the next sweep.
    """
    forget_account(account.pk, django_connection())
    _write(
        account,
        *((f"DELETE FROM {table} WHERE account_id = %s", (account.pk,)) for table in OWN_TABLES),  # noqa: S608  # our own tables
    )


def _write(account: Account, *statements: Statement) -> None:
    name = str(account.pk)
    run(django_connection(), (SET_WRITING, (name, name)), *statements, (SET_WRITING, (name, "")))
