"""The beginnings of blobs: enough for the header fields of a message and its texts, without what is attached."""

from __future__ import annotations

from collections.abc import Mapping

from jmapcore.blobs.backends import CHUNK_SIZE, backend_of
from jmapcore.blobs.storage import LOCATE
from jmapcore.store import database
from jmapcore.store.database import Connection, read

FIRST_CHUNKS = f"""
    SELECT c.blob_id, substring(c.data from 1 for w.octets - c.n * {CHUNK_SIZE})
    FROM unnest(%b::int[], %b::int[]) AS w (blob_id, octets)
    JOIN blob_chunk AS c ON c.blob_id = w.blob_id AND c.n * {CHUNK_SIZE} < w.octets
    WHERE c.account_id = %s ORDER BY c.blob_id, c.n"""  # noqa: S608  # our own constant


def read_prefixes(connection: Connection, account_id: int, wanted: Mapping[int, int]) -> dict[int, bytes]:
    """The first octets of blobs, in one round trip: `wanted` says how many of each; blobs that do not exist are left out.

    The caller bounds the sum: all of it is in memory.
    """
    ids, octets = list(wanted), list(wanted.values())
    located, stored = read(
        connection, account_id, (LOCATE, (account_id, ids)), (FIRST_CHUNKS, (ids, octets, account_id))
    )
    pieces: dict[int, list[bytes]] = {}
    for blob_id, data in stored:
        pieces.setdefault(blob_id, []).append(data)
    prefixes: dict[int, bytes] = {}
    for blob_id, size, location in located:
        parts = pieces.get(blob_id, [])
        if location:
            end = min(size, wanted[blob_id])
            parts = list(
                backend_of(location).read(account_id, blob_id, location, 0, end, database.connection)
            )
        prefixes[blob_id] = parts[0] if len(parts) == 1 else b"".join(parts)
    return prefixes


def beginnings_sql(table: str, object_column: str, blob_column: str) -> str:
    """The statement of (blob id, its first octets) for the blobs that some objects refer to, of those that lie in rows.

    Its parameters: how many octets, the account twice, the objects. It goes with the statement that reads the objects, where the
    blobs are few and most likely small, in place of `read_prefixes` after it. The names are our own.
    """
    return f"""
        SELECT c.blob_id, substring(c.data from 1 for %s::int)
        FROM {table} AS o JOIN blob_chunk AS c ON c.account_id = %s AND c.blob_id = o.{blob_column} AND c.n = 0
        WHERE o.account_id = %s AND o.{object_column} = ANY(%b::int[])"""  # noqa: S608
