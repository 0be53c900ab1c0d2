"""The type Email (RFC 8621 §4)."""

from __future__ import annotations

from jmapcore.protocol.schema import STANDARD_METHODS, Argument, ObjectType
from jmapcore.protocol.wire import Boolean, ListOf, Nullable, String, UnsignedInt
from mail.types.capability import MAIL
from mail.types.email_copy import COPIED
from mail.types.email_properties import PROPERTIES, accepts_property
from mail.types.email_query import FILTERS, SORTS
from mail.types.email_storage import EmailStorage, checked_record

BODY_ARGUMENTS = {
    "bodyProperties": Argument(Nullable(ListOf(String())), None),
    "fetchTextBodyValues": Argument(Boolean(), False),
    "fetchHTMLBodyValues": Argument(Boolean(), False),
    "fetchAllBodyValues": Argument(Boolean(), False),
    "maxBodyValueBytes": Argument(UnsignedInt(), 0),
}

EMAIL = ObjectType(
    name="Email",
    capability=MAIL,
    letter="e",
    methods=STANDARD_METHODS,
    storage=EmailStorage(),
    properties=PROPERTIES,
    filters=FILTERS,
    sorts=SORTS,
    arguments={"get": BODY_ARGUMENTS, "query": {"collapseThreads": Argument(Boolean(), False)}},
    accepts_property=accepts_property,
    check_record=checked_record,
    copied=COPIED,
    report_created=("id", "blobId", "threadId", "size"),
)
