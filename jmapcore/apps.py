"""The Django application jmapcore."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from accounts.models import Account


def create_account_state(account: Account) -> None:
    """Give a new account its state row, in the caller's transaction."""
    from jmapcore.store.database import django_connection, execute
    from jmapcore.store.write import SET_WRITING

    connection = django_connection()
    name = str(account.pk)
    execute(connection, SET_WRITING, (name, name))
    execute(
        connection,
        "INSERT INTO account_state (account_id, epoch, modseq, next_id) VALUES (%s, %s, 0, 1)",
        (account.pk, secrets.token_hex(4)),
    )
    execute(connection, SET_WRITING, (name, ""))


class JmapcoreConfig(AppConfig):
    """Configuration of the application jmapcore."""

    name = "jmapcore"

    def ready(self) -> None:
        """Learn of new accounts."""
        from accounts import lifecycle

        lifecycle.account_created.append(create_account_state)
