"""The Django application jmapcore."""

from __future__ import annotations

from django.apps import AppConfig


class JmapcoreConfig(AppConfig):
    """Configuration of the application jmapcore."""

    name = "jmapcore"

    def ready(self) -> None:
        """Learn of accounts that come and go."""
        from accounts import lifecycle
        from accounts.quotas import usage_readers
        from jmapcore.lifecycle import create_account_state, delete_account_data
        from jmapcore.quotas import account_limits_changed, administrator_changed, usage_of

        lifecycle.account_created.append(create_account_state)
        lifecycle.account_deleted.append(delete_account_data)
        lifecycle.limits_changed.append(account_limits_changed)
        lifecycle.administrator_changed.append(administrator_changed)
        usage_readers.append(usage_of)
