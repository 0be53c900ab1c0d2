"""The Django application of the toys; only the tests' settings have it."""

from __future__ import annotations

from django.apps import AppConfig
from django.db import transaction


class ToysConfig(AppConfig):
    """Registers the toys, and gives each new account an oven."""

    name = "tests.toys"
    label = "toys"

    def ready(self) -> None:
        """Register the toys."""
        from accounts import lifecycle
        from accounts.models import Account
        from jmapcore.registry import registry
        from jmapcore.store.database import django_connection
        from jmapcore.store.write import account_write
        from tests.toys.types import register

        def install_oven(account: Account) -> None:
            with transaction.atomic(), account_write(account.pk, django_connection()) as write:
                write.execute(
                    "INSERT INTO toy_oven (account_id, id, degrees) VALUES (%s, 0, 20)", (account.pk,)
                )

        register(registry)
        lifecycle.account_created.append(install_oven)
