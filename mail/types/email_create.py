"""Emails that a client composes (RFC 8621 §4.6): checked, composed and parsed before the lock, entered under it."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jmapcore.blobs import storage
from jmapcore.blobs.backends import BlobGoneError
from jmapcore.blobs.content import Source, open_sources
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import BlobNotFound, RequestTooLarge, SetError, TooLarge
from jmapcore.store.plan import Record
from mail.message.compose import Draft, compose
from mail.message.compose_content import Octets
from mail.message.compose_parameters import TYPE
from mail.message.compose_parts import DraftPart
from mail.types.capability import MAX_SIZE_ATTACHMENTS_PER_EMAIL
from mail.types.email_draft import checked_draft
from mail.types.email_ready import Readied

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

MOST_OCTETS = 200_000_000
"""Octets of blobs that one call makes messages of."""

_UNKNOWN_TYPE = "application/octet-stream"
_DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")

_at_once = threading.Semaphore(1)
"""Large messages are composed one at a time: each is in memory as a whole while it is parsed."""


def prepare_creates(
    context: RequestContext, access: AccountAccess, creates: Mapping[str, Record]
) -> tuple[dict[str, Any], dict[str, SetError]]:
    """Compose the new messages; (ready, refused) by creation id. Raises `RequestTooLarge`."""
    drafts: dict[str, Draft] = {}
    refused: dict[str, SetError] = {}
    for key, given in creates.items():
        checkpoint()
        try:
            drafts[key] = checked_draft(given, context.resolve_id)
        except SetError as error:
            refused[key] = error
    parts = {key: [part for part in draft.root.leaves() if part.blob_id] for key, draft in drafts.items()}
    sources = _sources(context, access, [part for each in parts.values() for part in each])
    now = datetime.now(UTC)
    readied: Readied[str] = Readied(access.account_id, access.search_languages)
    for key, draft in drafts.items():
        checkpoint()
        try:
            octets = _describe(parts[key], sources)
            with _at_once if octets > storage.SMALL else nullcontext():
                blobs = {str(part.blob_id): _octets(sources[str(part.blob_id)]) for part in parts[key]}
                readied.add(key, compose(draft, blobs, now, _domain(access, creates[key])))
        except BlobGoneError:
            refused[key] = BlobNotFound(str(part.blob_id) for part in parts[key])
        except SetError as error:
            refused[key] = error
    return {**readied.ready}, refused


def _sources(context: RequestContext, access: AccountAccess, parts: Sequence[DraftPart]) -> dict[str, Source]:
    """The blobs that parts are made of, as far as the caller may see them, by their ids. Raises `RequestTooLarge`."""
    if not parts:
        return {}
    named = [str(part.blob_id) for part in parts]
    sources = open_sources(access, dict.fromkeys(named), lambda: nullcontext(context.connection))
    if sum(sources[blob_id].size for blob_id in named if blob_id in sources) > MOST_OCTETS:
        raise RequestTooLarge(f"more than {MOST_OCTETS} octets")
    return sources


def _describe(parts: Sequence[DraftPart], sources: Mapping[str, Source]) -> int:
    """Give parts that have no type that of their blobs; the octets of all of them. Raises `BlobNotFound` or `TooLarge`."""
    missing = [part.blob_id for part in parts if part.blob_id and part.blob_id not in sources]
    if missing:
        raise BlobNotFound(missing)
    octets = 0
    for part in parts:
        source = sources[str(part.blob_id)]
        part.type = part.type or _type_of(source)
        octets += source.size
    if octets > MAX_SIZE_ATTACHMENTS_PER_EMAIL:
        raise TooLarge(f"attachments of more than {MAX_SIZE_ATTACHMENTS_PER_EMAIL} octets")
    return octets


def _octets(source: Source) -> Octets:
    return Octets(source.size, lambda: source.pieces(0, source.size))


def _type_of(source: Source) -> str:
    """The type that a blob was uploaded with, where a part can have it."""
    kind = source.type.partition(";")[0].strip().lower()
    return kind if TYPE.fullmatch(kind) and not kind.startswith("multipart/") else _UNKNOWN_TYPE


def _domain(access: AccountAccess, given: Record) -> str:
    """Where the Message-ID is unique: the domain that the message is from, else the account's."""
    senders = given.get("from") or [{"email": access.name}]
    for email in (senders[0]["email"], access.name):
        domain: str = email.rpartition("@")[2]
        if _DOMAIN.fullmatch(domain):
            return domain.lower()
    return "localhost"
