"""The type EmailDelivery (RFC 8621 §1.5): a state that mail advances as it arrives, for push alone."""

from __future__ import annotations

from jmapcore.protocol.schema import ObjectType
from mail.arrival import EMAIL_DELIVERY
from mail.types.capability import MAIL

EMAIL_DELIVERY_TYPE = ObjectType(name=EMAIL_DELIVERY, capability=MAIL, letter="d")
