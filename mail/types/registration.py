"""What the app mail adds to the registry of the engine: its capabilities, types and methods."""

from __future__ import annotations

from jmapcore.protocol.registry import Registry
from jmapcore.standard.methods import register_type
from mail.types.capability import CAPABILITY
from mail.types.email import EMAIL
from mail.types.email_import import EMAIL_IMPORT
from mail.types.identity import CAPABILITY as SUBMISSION_CAPABILITY
from mail.types.identity import IDENTITY
from mail.types.mailbox import MAILBOX
from mail.types.thread import THREAD


def register_mail(registry: Registry) -> None:
    """Register mail."""
    registry.add_capability(CAPABILITY)
    registry.add_capability(SUBMISSION_CAPABILITY)
    for declared in (MAILBOX, THREAD, EMAIL, IDENTITY):
        register_type(registry, declared)
    registry.add_method(EMAIL_IMPORT)
