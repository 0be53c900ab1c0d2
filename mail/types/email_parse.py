"""Email/parse (RFC 8621 §4.9): blobs shown as Emails without being imported, attached messages among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings

from jmapcore.blobs.content import batches, read_visible
from jmapcore.blobs.visibility import visible
from jmapcore.blobs.wire_ids import BlobName, parse_blob_id
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import InvalidArguments, RequestTooLarge
from jmapcore.protocol.registry import Method, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Id, ListOf, Nullable, String
from mail.fragments import STATIC_PROPERTIES, static_lines
from mail.message.summary import summarise
from mail.types.capability import MAIL
from mail.types.email import BODY_ARGUMENTS
from mail.types.email_bodies import BodyRequest
from mail.types.email_fetch import body_request
from mail.types.email_properties import PROPERTIES, accepts_property, stored_name

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

OF_AN_EMAIL = frozenset({"id", "threadId", "mailboxIds", "keywords", "receivedAt"})
"""Null here: what only an Email of the store has."""

DEFAULT_PROPERTIES = tuple(
    name
    for name, declared in PROPERTIES.items()
    if declared.in_get and name not in OF_AN_EMAIL and name not in {"blobId", "size"}
)
"""What is answered where nothing is asked for: that of Email/get, without its metadata."""

MOST_OCTETS = 200_000_000
"""Octets that one call reads and parses: for each part of a message, the whole message."""

_HEADER_START, _HEADER_END = 9, 10
"""Where these stand in a part's entry of `mail.message.structure`."""


def parse_emails(context: RequestContext, values: dict[str, Any]) -> list[Response]:
    """Parse blobs. Raises `InvalidArguments` for a property that is none, `RequestTooLarge`."""
    access = context.account(values["accountId"], MAIL)
    limit: int = settings.JMAP_LIMITS["maxObjectsInGet"]
    if len(values["blobIds"]) > limit:
        raise RequestTooLarge(f"more than {limit} ids")
    properties = _properties(values["properties"])
    request = body_request(properties, values)
    names = {given: parse_blob_id(context.resolve_id(given)) for given in values["blobIds"]}
    sizes = visible_sizes(context, access, names)
    parsed: dict[str, Any] = {}
    not_parsable: list[str] = []
    written = 0
    for batch in batches(sizes):
        checkpoint()
        contents = read_visible(context.connection, access, [str(names[given]) for given in batch])
        for given in batch:
            checkpoint()
            raw = contents.get(str(names[given]))
            if raw is None:
                del sizes[given]
                continue
            record = email_of(raw, str(names[given]), properties, request)
            if record is None:
                not_parsable.append(given)
                continue
            written += len(record)
            if written > settings.JMAP_MAX_SIZE_ANSWER:
                raise RequestTooLarge("the Emails are more than a response may hold")
            parsed[str(names[given])] = orjson.Fragment(record)
    response = {
        "accountId": values["accountId"],
        "parsed": parsed or None,
        "notParsable": not_parsable or None,
        "notFound": [given for given in names if given not in sizes] or None,
    }
    return [("Email/parse", response)]


def _properties(asked: list[str] | None) -> tuple[str, ...]:
    if asked is None:
        return DEFAULT_PROPERTIES
    for name in asked:
        if name not in PROPERTIES and not accepts_property(name):
            raise InvalidArguments(f"there is no property {name[:100]}")
    return tuple(dict.fromkeys(asked))


def visible_sizes(
    context: RequestContext, access: AccountAccess, names: Mapping[str, BlobName | None]
) -> dict[str, int]:
    """Octets to be read for each id that may be found: those of the blob around it. Raises `RequestTooLarge`."""
    numbers = list({name.blob_id for name in names.values() if name is not None})
    shown = visible(context.connection, access, numbers) if numbers else {}
    sizes = {
        given: shown[name.blob_id].size
        for given, name in names.items()
        if name is not None and name.blob_id in shown
    }
    if sum(sizes.values()) > MOST_OCTETS:
        raise RequestTooLarge(f"more than {MOST_OCTETS} octets")
    return sizes


def email_of(
    raw: bytes, blob_id: str, properties: Sequence[str], request: BodyRequest | None
) -> bytes | None:
    """The JSON text of the Email that some octets are; None for octets that are no message: they have no header field."""
    summary = summarise(raw)
    structure = summary.body_structure
    if structure[0][_HEADER_START] == structure[0][_HEADER_END]:
        return None
    lines = [orjson.dumps(blob_id).decode(), *static_lines(summary).split("\n")]
    stored = dict(zip(STATIC_PROPERTIES, lines, strict=True))
    made: dict[str, str] = {}
    if request is not None:
        message = request.message_of(0, structure)
        made = dict(zip(request.made, request.values(message, raw, blob_id), strict=True))
    record: dict[str, Any] = {}
    for name in properties:
        real = stored_name(name)
        if real in OF_AN_EMAIL:
            record[name] = None
        elif real == "size":
            record[name] = summary.size
        else:
            record[name] = orjson.Fragment(made[name] if name in made else stored[real])
    return orjson.dumps(record)


EMAIL_PARSE = Method(
    "Email/parse",
    MAIL,
    parse_emails,
    {
        "accountId": Argument(Id()),
        "blobIds": Argument(ListOf(Id(to="Blob"))),
        "properties": Argument(Nullable(ListOf(String())), None),
        **BODY_ARGUMENTS,
    },
)
