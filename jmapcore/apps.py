"""The Django application jmapcore."""

from __future__ import annotations

from django.apps import AppConfig


class JmapcoreConfig(AppConfig):
    """Configuration of the application jmapcore."""

    name = "jmapcore"

    def ready(self) -> None:
        """Learn of accounts that come and go."""
        from accounts import lifecycle
        from jmapcore.lifecycle import create_account_state, delete_account_data

        lifecycle.account_created.append(create_account_state)
        lifecycle.account_deleted.append(delete_account_data)
