"""The Django application push."""

from __future__ import annotations

from django.apps import AppConfig


class PushConfig(AppConfig):
    """Configuration of the application push."""

    name = "push"

    def ready(self) -> None:
        """Tell of what is committed; say what clients can connect to, and serve tickets."""
        import re

        from accounts import lifecycle
        from jmapcore import edge
        from jmapcore.registry import registry
        from jmapcore.store import write
        from push.capability import register_push
        from push.publishing import announce_rights, announce_states
        from push.subscriptions import notices
        from push.subscriptions.registration import register_web_push
        from push.views import ticket

        write.after_commit.append(announce_states)
        lifecycle.rights_changed.append(announce_rights)
        write.after_commit.append(notices.changed)
        lifecycle.rights_changed.append(notices.rights_changed)
        register_web_push(registry)
        register_push(registry)
        path = re.compile(r"/jmap/ticket/(websocket|eventsource)/?\Z")
        edge.ROUTES.append(edge.Route(path, {"POST": ticket}, "ticket"))
