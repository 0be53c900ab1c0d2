"""The Django application push."""

from __future__ import annotations

from django.apps import AppConfig


class PushConfig(AppConfig):
    """Configuration of the application push."""

    name = "push"

    def ready(self) -> None:
        """Tell of what is committed."""
        from jmapcore.store import write
        from push.publishing import announce_states

        write.after_commit.append(announce_states)
