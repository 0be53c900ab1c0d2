"""The type VacationResponse (RFC 8621 §8): one in each account; the answers themselves are delivery's."""

from __future__ import annotations

from jmapcore.protocol.schema import GET, SET, ObjectType, Property, SetBy
from jmapcore.protocol.wire import Boolean, Id, Nullable, String, UTCDate
from jmapcore.store.model_storage import ModelStorage
from mail.models import VacationResponse
from mail.types.capability import VACATION_RESPONSE
from mail.types.wire import Line

MAX_SIZE_BODY = 1_000_000
"""Octets of a text that would be sent again and again."""

VACATION_RESPONSE_TYPE = ObjectType(
    name="VacationResponse",
    capability=VACATION_RESPONSE,
    letter="v",
    methods=frozenset({GET, SET}),
    storage=ModelStorage(VacationResponse),
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
