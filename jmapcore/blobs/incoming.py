"""Octets on their way into an account as a blob that nothing refers to yet: uploaded, or copied from
another account."""

from __future__ import annotations

from jmapcore.blobs.backends import Borrow
from jmapcore.blobs.storage import (
    SMALL,
    Content,
    Octets,
    ReservationLostError,
    find,
    find_statement,
    prepare,
    put_small_statements,
    write_ahead,
)
from jmapcore.blobs.unreferenced import delete_bytes, register_upload, usage_statement
from jmapcore.store import database
from jmapcore.store.write import account_write

ATTEMPTS = 3


def store_for(
    user_id: int,
    account_id: int,
    octets: Octets,
    media_type: str,
    borrow: Borrow = database.connection,
) -> int:
    """Make octets a blob of the account that the user sees for at least an hour; its blob id.

    Content that the account has already is not stored again. The account is locked while rows are written,
    never while octets are waited for; `octets.pieces` may be asked twice.
    """
    for _ in range(ATTEMPTS):
        content = make_ready(account_id, octets, borrow)
        try:
            look = [find_statement(account_id, [content.hash]), usage_statement(account_id, user_id)]
            with borrow() as connection, account_write(account_id, connection, look) as write:
                known, usage = write.prelude
                [blob_id], statements = put_small_statements(write, [content], known)
                write.defer(*statements)
                doomed = register_upload(write, user_id, blob_id, media_type, octets.size, usage)
        except ReservationLostError:
            # It was there a moment ago, and swept before the lock was ours: now the octets have to be
            # written.
            continue
        delete_bytes(account_id, doomed, borrow)
        return blob_id
    raise ReservationLostError(f"a blob for account {account_id}")


def make_ready(account_id: int, octets: Octets, borrow: Borrow = database.connection) -> Content:
    """Octets ready for `put_small`: in memory where they are few, in the account already, or written
    ahead."""
    if octets.size <= SMALL:
        return prepare(account_id, [(octets.hash, b"".join(octets.pieces()))], borrow)[0]
    with borrow() as connection:
        known = find(connection, account_id, [octets.hash])
    if known:
        return Content(octets.hash, octets.size, None)
    return write_ahead(account_id, octets.hash, octets.size, octets.pieces(), borrow)
