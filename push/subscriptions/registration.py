"""What web push adds to the registry of the engine: its capabilities and PushSubscription."""

from __future__ import annotations

from accounts.access import MAIL_SCOPE
from jmapcore.protocol.registry import Capability, Registry
from jmapcore.standard.methods import register_type
from push.subscriptions.types.email_push import EMAIL_PUSH, is_available
from push.subscriptions.types.push_subscription import PUSH_SUBSCRIPTION
from push.subscriptions.vapid_keys import CAPABILITY, public_key


def register_web_push(registry: Registry) -> None:
    """Register web push."""
    registry.add_capability(
        Capability(CAPABILITY, lambda: {"applicationServerKey": public_key()}, revision=public_key)
    )
    registry.add_capability(
        Capability(EMAIL_PUSH, account_value=lambda access: {}, scope=MAIL_SCOPE, available=is_available)
    )
    register_type(registry, PUSH_SUBSCRIPTION)
