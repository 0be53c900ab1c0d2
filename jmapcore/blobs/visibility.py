"""Which blobs a caller may see (RFC 8620 §6.1): those that an object of the account refers to, and their
own uploads.

"Unreferenced blobs MUST only be accessible to the uploader, even in shared accounts."
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from accounts.access import AccountAccess
from jmapcore.blobs.references import is_referenced
from jmapcore.store.database import Connection, Row, Statement, read


class BlobInfo(NamedTuple):
    """A visible blob: its size in octets, the SHA-256 of its octets, the media type the caller uploaded it
    with ("" for none), and where its bytes are."""

    size: int
    hash: bytes
    type: str
    location: str


def visible_statement(access: AccountAccess, blob_ids: Sequence[int]) -> Statement:
    """The statement behind `visible`, for callers that put it into a segment of their own; `infos` reads
    its rows."""
    # One id is looked up by a plan that serves any; for `= ANY` PostgreSQL would plan anew each time.
    one = len(blob_ids) == 1
    sql = f"""
        SELECT b.id, b.size, b.hash, coalesce(u.type, ''), b.location
        FROM blob AS b LEFT JOIN blob_upload AS u
            ON u.account_id = %s AND u.blob_id = b.id AND u.user_id = %s
        WHERE b.account_id = %s AND b.id = {"%s" if one else "ANY(%b::int[])"}
            AND (u.user_id IS NOT NULL OR {is_referenced("b.account_id", "b.id")})"""  # noqa: S608  # checked names
    wanted = blob_ids[0] if one else list(blob_ids)
    return sql, (access.account_id, access.user_id, access.account_id, wanted)


def infos(found: Iterable[Row]) -> dict[int, BlobInfo]:
    """The rows of `visible_statement`, by blob id."""
    return {row[0]: BlobInfo(*row[1:]) for row in found}


def visible(connection: Connection, access: AccountAccess, blob_ids: Sequence[int]) -> dict[int, BlobInfo]:
    """Those of the blobs that exist in the account and that the caller may see, in one round trip.

    What it says of an unreferenced blob holds for good only inside an `account_write` (pass
    `write.connection`).
    """
    [found] = read(connection, access.account_id, visible_statement(access, blob_ids))
    return infos(found)
