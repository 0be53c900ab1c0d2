"""Blob/copy (RFC 8620 §6.3), and the copying of octets for other copies between accounts (Email/copy).

Row-level security shows one account to each segment, so the octets travel through this process, a chunk at
a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from accounts.access import AccountAccess, Caller
from jmapcore.blobs.backends import BlobGoneError, Borrow
from jmapcore.blobs.content import Source, open_source
from jmapcore.blobs.incoming import make_ready, store_for
from jmapcore.blobs.spool import NoRoomError, spooled
from jmapcore.blobs.storage import Content, Octets, chunks
from jmapcore.blobs.unreferenced import unreferenced_quota
from jmapcore.blobs.wire_ids import BlobName
from jmapcore.protocol.deadline import time_is_up
from jmapcore.protocol.errors import NotFound, OverQuota, RateLimit
from jmapcore.store import database
from jmapcore.store.database import read

logger = logging.getLogger("jmapcore.blobs")

SELECT_HASHES = "SELECT id, hash, size, location FROM blob WHERE account_id = %s AND id = ANY(%b::int[])"

NOT_FOUND, OVER_QUOTA, RATE_LIMIT = NotFound.type, OverQuota.type, RateLimit.type


def copy_blobs(
    caller: Caller,
    from_access: AccountAccess,
    to_access: AccountAccess,
    blob_ids: Sequence[str],
    borrow: Borrow = database.connection,
) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Copy blobs that the caller sees in one account into another; (`copied`, `notCopied`) of the response.

    What was copied is the caller's upload there: visible to them, for at least an hour. A part becomes a
    blob of its own. That the accounts differ, and that the target is writable, is checked by the method.
    """
    copied: dict[str, str] = {}
    not_copied: dict[str, dict[str, Any]] = {}
    # More than that would push out what this very call has copied.
    room = unreferenced_quota()
    for wire_id in dict.fromkeys(blob_ids):
        if time_is_up():
            not_copied[wire_id] = {"type": RATE_LIMIT}
            continue
        source = open_source(from_access, wire_id, borrow=borrow)
        if source is None:
            not_copied[wire_id] = {"type": NOT_FOUND}
            continue
        if source.size > room:
            not_copied[wire_id] = {"type": OVER_QUOTA}
            continue
        room -= source.size
        try:
            blob_id = _copy_source(source, caller.user_id, to_access.account_id, borrow)
        except BlobGoneError:
            not_copied[wire_id] = {"type": NOT_FOUND}
        except NoRoomError:
            logger.exception("a blob cannot be copied")
            not_copied[wire_id] = {"type": OVER_QUOTA}
        else:
            copied[wire_id] = str(BlobName(blob_id))
    return copied, not_copied


def _copy_source(source: Source, user_id: int, account_id: int, borrow: Borrow) -> int:
    if source.hash is not None:
        octets = Octets(source.hash, source.size, lambda: source.pieces(0, source.size))
        return store_for(user_id, account_id, octets, source.type, borrow)
    # A part has no hash of its own yet: its octets are decoded once, into a spool.
    with spooled(_reader(source.pieces(0, source.size)), None, source.size) as spool:
        return store_for(user_id, account_id, spool, source.type, borrow)


def _reader(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    return lambda count: next(pieces, b"")


def carry(
    from_account_id: int, to_account_id: int, blob_ids: Sequence[int], borrow: Borrow = database.connection
) -> Iterator[tuple[int, Content]]:
    """Make blobs of one account ready to be entered in another by `put_small`: (blob id there, content),
    one at a time, in the order of `blob_ids`.

    Blobs that do not exist are left out. No check of visibility: the caller has seen the objects that refer
    to them. At most SMALL octets of each are in memory; how many at a time is the caller's choice.
    `put_small` raises `ReservationLostError` where content that the account had was swept meanwhile: carry
    that one again.
    """
    with borrow() as connection:
        [found] = read(connection, from_account_id, (SELECT_HASHES, (from_account_id, list(blob_ids))))
    facts = {blob_id: rest for blob_id, *rest in found}
    for blob_id in blob_ids:
        if blob_id not in facts:
            continue
        digest, size, location = facts[blob_id]

        def pieces(blob_id: int = blob_id, size: int = size, location: str = location) -> Iterator[bytes]:
            return chunks(from_account_id, blob_id, 0, size, location=location, borrow=borrow)

        yield blob_id, make_ready(to_account_id, Octets(digest, size, pieces), borrow)
