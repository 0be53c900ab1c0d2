"""Email/copy (RFC 8621 §4.7): messages are carried from one account to another before the lock is taken.

One account is locked, the one that is written to: what is read from the other "may change in between" (RFC 8620 §5.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jmapcore.blobs import storage
from jmapcore.blobs.backends import BlobGoneError
from jmapcore.blobs.copy import carry
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import InvalidProperties, NotFound, RequestTooLarge, SetError
from jmapcore.protocol.wire import WireError
from jmapcore.store.database import read
from jmapcore.store.plan import Record
from mail.types.email_properties import PROPERTIES
from mail.types.email_ready import Readied, ReadyEmail

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

COPIED = ("mailboxIds", "keywords", "receivedAt")
"""What "may be set during the copy" (RFC 8621 §4.7)."""

MOST_OCTETS = 200_000_000
"""Octets of messages that one call copies."""

BLOBS = """
    SELECT s.id, s.blob_id, e.size FROM email_static AS s JOIN email AS e ON e.account_id = %s AND e.id = s.id
    WHERE s.account_id = %s AND s.id = ANY(%b::int[])"""


def prepare_copies(
    context: RequestContext,
    source: AccountAccess,
    access: AccountAccess,
    creates: Mapping[str, Record],
    originals: Mapping[str, int],
) -> tuple[dict[str, Any], dict[str, SetError]]:
    """Carry the messages of Emails over; (ready, refused) by creation id. Raises `RequestTooLarge`.

    `originals` are the numbers of the Emails in the account `source`.
    """
    refused: dict[str, SetError] = {}
    for key, given in creates.items():
        if invalid := [name for name in COPIED if not _fits(name, given[name])]:
            refused[key] = InvalidProperties(invalid)
    wanted = {key: originals[key] for key in creates if key not in refused}
    (rows,) = read(
        context.connection,
        source.account_id,
        (BLOBS, (source.account_id, source.account_id, list({*wanted.values()}))),
    )
    if sum(row[2] for row in rows) > MOST_OCTETS:
        raise RequestTooLarge(f"more than {MOST_OCTETS} octets")
    blobs = {row[0]: row[1] for row in rows}
    carried = _carried(context, source, access, list({*blobs.values()}))
    ready: dict[str, Any] = {}
    for key, number in wanted.items():
        if blobs.get(number) in carried:
            ready[key] = carried[blobs[number]]
        else:
            refused[key] = NotFound()  # destroyed since it was read
    return ready, refused


def _fits(name: str, value: Any) -> bool:
    try:
        PROPERTIES[name].type.check(value)
    except WireError:
        return False
    return True


def _carried(
    context: RequestContext, source: AccountAccess, access: AccountAccess, blob_ids: list[int]
) -> dict[int, ReadyEmail]:
    """The messages in these blobs of the one account, ready for the other."""
    readied: Readied[int] = Readied(access.account_id, access.search_languages)
    for blob_id in blob_ids:
        checkpoint()
        with suppress(BlobGoneError):  # the Emails that it belonged to are gone too
            for _, content in carry(source.account_id, access.account_id, [blob_id]):
                raw = content.data
                if raw is None:
                    raw = storage.read_blob(context.connection, source.account_id, blob_id)
                if raw is not None:
                    readied.add(blob_id, raw, content)
    return readied.ready
