"""What the app mail adds to the registry of the engine: its capability, types and methods."""

from __future__ import annotations

from jmapcore.protocol.registry import Registry
from jmapcore.standard.methods import register_type
from mail.types.capability import CAPABILITY
from mail.types.email import EMAIL
from mail.types.email_import import EMAIL_IMPORT
from mail.types.mailbox import MAILBOX
from mail.types.thread import THREAD


def register_mail(registry: Registry) -> None:
    """Register mail."""
    registry.add_capability(CAPABILITY)
    for declared in (MAILBOX, THREAD, EMAIL):
        register_type(registry, declared)
    registry.add_method(EMAIL_IMPORT)
