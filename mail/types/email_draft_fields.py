"""Header fields that a client gives as it creates an Email, in any form (RFC 8621 §4.1.3, §4.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jmapcore.protocol.wire import Date, ListOf, Nullable, ObjectOf, String, WireError, WireType
from mail.message.compose_fields import Field, header_field
from mail.message.compose_words import ComposeError
from mail.message.encoded_words import LONGEST_FIELD
from mail.message.headers import HeaderProperty
from mail.types.email_properties import ALIASES, header_of

_ADDRESS = ObjectOf({"name": Nullable(String()), "email": String()}, required=("email",))
_GROUP = ObjectOf({"name": Nullable(String()), "addresses": ListOf(_ADDRESS)}, required=("addresses",))

FORM_TYPES: dict[str, WireType] = {
    "asRaw": String(),
    "asText": String(),
    "asAddresses": ListOf(_ADDRESS),
    "asGroupedAddresses": ListOf(_GROUP),
    "asMessageIds": ListOf(String()),
    "asDate": Date(),
    "asURLs": ListOf(String()),
}
"""The types of the forms of a header field (RFC 8621 §4.1.2)."""

_FIELD_NAMES = {
    "messageId": "Message-ID",
    "inReplyTo": "In-Reply-To",
    "references": "References",
    "sender": "Sender",
    "from": "From",
    "to": "To",
    "cc": "Cc",
    "bcc": "Bcc",
    "replyTo": "Reply-To",
    "subject": "Subject",
    "sentAt": "Date",
}
_CONVENIENT = {
    name: HeaderProperty(_FIELD_NAMES[name], equal.rpartition(":")[2]) for equal, name in ALIASES.items()
}

GivenField = tuple[str, HeaderProperty, Any]
"""The name of a property, the header field that it stands for, and its value."""


def field_of(name: str) -> HeaderProperty | None:
    """The header field that a property of an Email stands for; None for one that stands for none."""
    return _CONVENIENT.get(name) or header_of(name)


def checked_fields(given: Iterable[GivenField]) -> tuple[list[Field], list[str]]:
    """The header fields, and the names of the properties that are invalid.

    Two for the same field are invalid, both of them (RFC 8621 §4.6).
    """
    fields: list[Field] = []
    invalid: list[str] = []
    properties: dict[str, list[str]] = {}
    for name, wanted, value in given:
        properties.setdefault(wanted.name.lower(), []).append(name)
        try:
            made = _instances(wanted, value)
        except (WireError, ComposeError):
            invalid.append(name)
            continue
        if any(len(text) > LONGEST_FIELD for _, text in made):
            invalid.append(name)  # its parsed forms would be cut
        if wanted.name.lower() != "mime-version":
            fields += made
        elif any(text.strip() != "1.0" for _, text in made):
            # There is no other version (RFC 2045 §4); the field itself is added to every message.
            invalid.append(name)
    for names in properties.values():
        if len(names) > 1:
            invalid += names
    return fields, invalid


def _instances(wanted: HeaderProperty, value: Any) -> list[Field]:
    """The instances of a field. Raises `WireError` or `ComposeError`."""
    kind = FORM_TYPES[wanted.form]
    values = ListOf(kind).check(value) if wanted.all else [kind.check(value)]
    made = (header_field(wanted.name, wanted.form, each) for each in values)
    return [field for field in made if field is not None]
