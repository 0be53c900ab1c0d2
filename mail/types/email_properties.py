"""The properties of Email (RFC 8621 §4.1): types, defaults, and which of them are stored ready for the wire."""

from __future__ import annotations

from functools import lru_cache

from jmapcore.protocol.schema import Property, SetBy
from jmapcore.protocol.wire import (
    Anything,
    Boolean,
    Date,
    Id,
    ListOf,
    Nullable,
    ObjectOf,
    SetOf,
    String,
    UnsignedInt,
    UTCDate,
    WireType,
)
from mail.message.headers import HeaderProperty, parse_header_property
from mail.types.wire import Keyword

ADDRESSES = Nullable(ListOf(ObjectOf({"name": Nullable(String()), "email": String()}, required=("email",))))
MESSAGE_IDS = Nullable(ListOf(String()))

KEYWORDS = SetOf(Keyword())
MAILBOX_IDS = SetOf(Id(to="Mailbox"), min_items=1)

BODY_PROPERTIES = ("bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments")

ALIASES = {
    "header:message-id:asMessageIds": "messageId",
    "header:in-reply-to:asMessageIds": "inReplyTo",
    "header:references:asMessageIds": "references",
    "header:sender:asAddresses": "sender",
    "header:from:asAddresses": "from",
    "header:to:asAddresses": "to",
    "header:cc:asAddresses": "cc",
    "header:bcc:asAddresses": "bcc",
    "header:reply-to:asAddresses": "replyTo",
    "header:subject:asText": "subject",
    "header:date:asDate": "sentAt",
}
"""The convenience properties by what they stand for (RFC 8621 §4.1.3), with the field's name in lower case."""


def _given(kind: WireType) -> Property:
    """What the message says; a client gives it on create."""
    return Property(kind, None, SetBy.CREATE)


def _server(kind: WireType, *, in_get: bool = True) -> Property:
    return Property(kind, set_by=SetBy.SERVER, in_get=in_get)


PROPERTIES = {
    "id": _server(Id()),
    "blobId": _server(Id()),
    "threadId": _server(Id()),
    "mailboxIds": Property(MAILBOX_IDS),
    "keywords": Property(KEYWORDS, dict),
    "size": _server(UnsignedInt()),
    "receivedAt": _given(Nullable(UTCDate())),
    "messageId": _given(MESSAGE_IDS),
    "inReplyTo": _given(MESSAGE_IDS),
    "references": _given(MESSAGE_IDS),
    "sender": _given(ADDRESSES),
    "from": _given(ADDRESSES),
    "to": _given(ADDRESSES),
    "cc": _given(ADDRESSES),
    "bcc": _given(ADDRESSES),
    "replyTo": _given(ADDRESSES),
    "subject": _given(Nullable(String())),
    "sentAt": _given(Nullable(Date())),
    "hasAttachment": _server(Boolean()),
    "preview": _server(String()),
    "bodyValues": _given(Anything()),
    "textBody": _given(Anything()),
    "htmlBody": _given(Anything()),
    "attachments": _given(Anything()),
    "bodyStructure": Property(Anything(), None, SetBy.CREATE, in_get=False),
    "headers": _server(Anything(), in_get=False),
}
"""In the order of the default that Email/get "MUST" use (RFC 8621 §4.2); the last two are not part of it."""


LONGEST_HEADER_PROPERTY = 256
"""Characters of a `header:…` property: what is asked for is remembered, and a field name may be as long as a request."""


def header_of(name: str) -> HeaderProperty | None:
    """What a property `header:…` asks for; None for a name that is none, or a form forbidden for the field (§4.1.3)."""
    if name[:7] != "header:" or len(name) > LONGEST_HEADER_PROPERTY:
        return None
    return _parsed(name)


@lru_cache(maxsize=1024)
def _parsed(name: str) -> HeaderProperty | None:
    try:
        return parse_header_property(name)
    except ValueError:
        return None


def accepts_property(name: str) -> bool:
    """Whether a name that is not declared may be asked for."""
    return header_of(name) is not None


def stored_name(name: str) -> str:
    """The convenience property that a `header:…` property equals, or the name itself."""
    wanted = header_of(name)
    if wanted is None or wanted.all:
        return name
    return ALIASES.get(f"header:{wanted.name.lower()}:{wanted.form}", name)
