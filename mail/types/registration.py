"""What the app mail adds to the registry of the engine: its capabilities, types and methods."""

from __future__ import annotations

from jmapcore.protocol.registry import Arrivals, Registry
from jmapcore.standard.methods import register_type
from mail.arrival import EMAIL_DELIVERY
from mail.types.capability import (
    CAPABILITY,
    QUOTA_CAPABILITY,
    SUBMISSION_CAPABILITY,
    VACATION_RESPONSE_CAPABILITY,
)
from mail.types.email import EMAIL
from mail.types.email_delivery import EMAIL_DELIVERY_TYPE
from mail.types.email_import import EMAIL_IMPORT
from mail.types.email_parse import EMAIL_PARSE
from mail.types.identity import IDENTITY
from mail.types.mailbox import MAILBOX
from mail.types.mdn import MDN_CAPABILITY
from mail.types.mdn_parse import MDN_PARSE
from mail.types.mdn_send import MDN_SEND
from mail.types.quota import QUOTA_TYPE
from mail.types.search_snippet import SEARCH_SNIPPET_GET
from mail.types.submission import EMAIL_SUBMISSION
from mail.types.thread import THREAD
from mail.types.vacation_response import VACATION_RESPONSE_TYPE


def register_mail(registry: Registry) -> None:
    """Register mail."""
    registry.add_capability(CAPABILITY)
    registry.add_capability(SUBMISSION_CAPABILITY)
    registry.add_capability(VACATION_RESPONSE_CAPABILITY)
    registry.add_capability(QUOTA_CAPABILITY)
    registry.add_capability(MDN_CAPABILITY)
    for declared in (
        MAILBOX,
        THREAD,
        EMAIL,
        EMAIL_DELIVERY_TYPE,
        IDENTITY,
        EMAIL_SUBMISSION,
        VACATION_RESPONSE_TYPE,
        QUOTA_TYPE,
    ):
        register_type(registry, declared)
    registry.arrivals.append(Arrivals("Email", EMAIL_DELIVERY))
    registry.add_method(EMAIL_IMPORT)
    registry.add_method(EMAIL_PARSE)
    registry.add_method(SEARCH_SNIPPET_GET)
    registry.add_method(MDN_SEND)
    registry.add_method(MDN_PARSE)
