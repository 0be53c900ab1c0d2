"""The type VacationResponse (RFC 8621 §8): one in each account; the answers themselves are in `mail.vacation`."""

from __future__ import annotations

from jmapcore.protocol.schema import GET, SET, ObjectType, Property, SetBy
from jmapcore.protocol.wire import Boolean, Id, Nullable, String, UTCDate
from mail.types.capability import VACATION_RESPONSE
from mail.types.wire import Line
from mail.vacation.senders import VacationResponseStorage

MAX_SIZE_BODY = 1_000_000
"""Octets of a text that would be sent again and again."""

VACATION_RESPONSE_TYPE = ObjectType(
    name="VacationResponse",
    capability=VACATION_RESPONSE,
    letter="v",
    methods=frozenset({GET, SET}),
    storage=VacationResponseStorage(),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "isEnabled": Property(Boolean(), False),
        "fromDate": Property(Nullable(UTCDate()), None),
        "toDate": Property(Nullable(UTCDate()), None),
        "subject": Property(Nullable(Line()), None),
        "textBody": Property(Nullable(String(MAX_SIZE_BODY)), None),
        "htmlBody": Property(Nullable(String(MAX_SIZE_BODY)), None),
    },
    singleton=True,
)
