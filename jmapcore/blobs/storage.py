"""The bytes of blobs: finding them by hash, storing them once per account, reading them in bounded memory.

Small content (mail as it comes in) is entered together with what refers to it, in the caller's
`account_write`. Large content is written ahead, without the lock: an id is reserved and noted in
`blob_sweep` first, the bytes follow in short transactions of their own, and the row in `blob` that makes
them visible comes last. Whatever a crash leaves is found by that note.

A blob that nothing refers to is looked at by the sweep only if it is noted there: who enters one without a
reference to it calls `jmapcore.blobs.unreferenced.schedule` in the same write (uploads do).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from jmapcore.blobs.backends import CHUNK_SIZE, ROWS, Borrow, backend_for_new, backend_of
from jmapcore.blobs.unreferenced import schedule
from jmapcore.store import database
from jmapcore.store.database import Connection, Row, Statement, read
from jmapcore.store.rows import Insertion
from jmapcore.store.write import AccountWrite, account_write

SMALL = 1024 * 1024
"""Octets up to which content may be held in memory, and stored inside the caller's write."""

# Arrays are bound as %b: psycopg writes lists as text by default, which doubles bytes, and types integers
# by the first list.
FIND = "SELECT hash, id FROM blob WHERE account_id = %s AND hash = ANY(%b::bytea[])"
FIND_ONE = "SELECT hash, id FROM blob WHERE account_id = %s AND hash = %s"
LOCATE = "SELECT id, size, location FROM blob WHERE account_id = %s AND id = ANY(%b::int[])"
ALL_CHUNKS = """
    SELECT blob_id, data FROM blob_chunk WHERE account_id = %s AND blob_id = ANY(%b::int[])
    ORDER BY blob_id, n"""
INSERT_BLOBS = Insertion("blob", {"id": "int", "hash": "bytea", "size": "bigint", "location": "text"})
INSERT_CHUNKS = Insertion("blob_chunk", {"blob_id": "int", "n": "int", "data": "bytea"})
RESERVE = """
    INSERT INTO blob_sweep (account_id, blob_id, due_at, location)
    VALUES (%s, %s, now() + interval '1 hour', %s)"""
RESERVED = "SELECT blob_id FROM blob_sweep WHERE account_id = %s AND blob_id = ANY(%b::int[]) AND NOT doomed"


class ReservationLostError(RuntimeError):
    """Content is not there any more: written ahead too long ago, or found and swept before it was entered."""


@dataclass(frozen=True, slots=True)
class Octets:
    """Content of any size: its SHA-256, its size, and its octets in pieces, as often as they are asked
    for."""

    hash: bytes
    size: int
    pieces: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Content:
    """Content ready to be entered as a blob of one account.

    It is in `data`, or was written ahead under `reserved_id`; with neither, the account had it already.
    """

    hash: bytes
    """SHA-256 of the octets."""
    size: int
    data: bytes | None
    reserved_id: int = 0
    location: str = ""


def blob_hash(data: bytes) -> bytes:
    """The SHA-256 by which equal content is recognised (32 octets)."""
    return hashlib.sha256(data).digest()


def find_statement(account_id: int, hashes: Sequence[bytes]) -> Statement:
    """The statement whose rows are (hash, blob id), for callers that put it into a segment of their own."""
    if len(hashes) == 1:
        # A plan that serves any hash; for `= ANY` PostgreSQL would plan anew each time.
        return FIND_ONE, (account_id, hashes[0])
    return FIND, (account_id, list(hashes))


def find(where: AccountWrite | Connection, account_id: int, hashes: Sequence[bytes]) -> dict[bytes, int]:
    """The blobs of the account that have these hashes: hash → blob id.

    Only what is found inside an `AccountWrite` is certain to stay until that write ends.
    """
    statement = find_statement(account_id, hashes)
    [found] = where.run(statement) if isinstance(where, AccountWrite) else read(where, account_id, statement)
    return dict(found)


def prepare(
    account_id: int, items: Sequence[tuple[bytes, bytes]], borrow: Borrow = database.connection
) -> list[Content]:
    """Make (hash, data) pairs ready for `put_small`, before the write is opened.

    Under `JMAP_BLOB_STORAGE = "files"` this writes the files of content that the account does not have yet,
    which must not happen under the lock; under "rows" it does nothing.
    """
    backend = backend_for_new()
    contents = [Content(digest, len(data), data) for digest, data in items]
    if backend is ROWS or not items:
        return contents
    with borrow() as connection:
        known = find(connection, account_id, [content.hash for content in contents])
    return [
        content
        if content.hash in known or content.data is None
        else write_ahead(account_id, content.hash, content.size, [content.data], borrow)
        for content in contents
    ]


def write_ahead(
    account_id: int, digest: bytes, size: int, pieces: Iterable[bytes], borrow: Borrow = database.connection
) -> Content:
    """Store content outside of any write, under a reserved id: durable, invisible until it is entered.

    `put_small` enters it. Content that is never entered is deleted by the sweep, an hour later. The octets
    of `pieces` are read once.
    """
    backend = backend_for_new()
    location = backend.new_location(account_id)
    with borrow() as connection, account_write(account_id, connection) as write:
        [blob_id] = write.new_ids()
        write.execute(RESERVE, (account_id, blob_id, location))
    backend.write(account_id, blob_id, location, size, pieces, borrow)
    return Content(digest, size, None, blob_id, location)


def put_small(write: AccountWrite, items: Sequence[tuple[bytes, bytes] | Content]) -> list[int]:
    """Enter contents as blobs of the account being written; the blob id of each, in order.

    Content that the account has already (or twice in `items`) is one blob. Costs two round trips, whatever
    the number. `items` are (SHA-256, data) pairs or what `prepare` and `write_ahead` returned. Raises
    `ReservationLostError`.
    """
    ids, statements = put_small_statements(write, items)
    if statements:
        write.run(*statements)
    return ids


def put_small_statements(
    write: AccountWrite,
    items: Sequence[tuple[bytes, bytes] | Content],
    known: Sequence[Row] | None = None,
) -> tuple[list[int], list[Statement]]:
    """As `put_small`, but the second round trip is left to the caller: the ids, and what has to be run.

    `known` are the rows of `find_statement` for these contents, where the write was opened with it.
    """
    contents = [
        item if isinstance(item, Content) else Content(item[0], len(item[1]), item[1]) for item in items
    ]
    if not contents:
        return [], []
    account_id = write.account_id
    if known is None:
        [known] = write.run(find_statement(account_id, list({content.hash for content in contents})))
    ids: dict[bytes, int] = {row[0]: row[1] for row in known}
    reserved = [content.reserved_id for content in contents if content.reserved_id]
    kept = {row[0] for row in write.execute(RESERVED, (account_id, reserved))} if reserved else set()
    new: dict[int, Content] = {}
    for content in contents:
        if content.hash not in ids:
            if content.data is None and content.reserved_id not in kept:
                raise ReservationLostError(f"blob {content.reserved_id} of account {account_id}")
            blob_id = content.reserved_id or write.new_ids()[0]
            ids[content.hash] = blob_id
            new[blob_id] = content
    statements = _insert_statements(account_id, new) if new else []
    return [ids[content.hash] for content in contents], statements


def _insert_statements(account_id: int, new: dict[int, Content]) -> list[Statement]:
    blobs = [(blob_id, content.hash, content.size, content.location) for blob_id, content in new.items()]
    chunks = [
        (blob_id, start // CHUNK_SIZE, content.data[start : start + CHUNK_SIZE])
        for blob_id, content in new.items()
        if content.data is not None
        for start in range(0, content.size, CHUNK_SIZE)
    ]
    statements = [INSERT_BLOBS.of(account_id, blobs)]
    if chunks:
        statements.append(INSERT_CHUNKS.of(account_id, chunks))
    return statements


def put_large(
    account_id: int,
    borrow: Borrow,
    digest: bytes,
    size: int,
    pieces: Iterable[bytes],
) -> int:
    """Store content of any size as a blob of the account, outside of any write; its blob id.

    The account is locked twice for a moment, never while bytes are written, and no connection is held while
    `pieces` is waited for. The blob is unreferenced, and the sweep's after an hour: to refer to it in the
    same write, use `write_ahead` and `put_small`.
    """
    content = write_ahead(account_id, digest, size, pieces, borrow)
    with borrow() as connection, account_write(account_id, connection) as write:
        [blob_id] = put_small(write, [content])
        schedule(write, [blob_id])
    return blob_id


def read_blobs(connection: Connection, account_id: int, blob_ids: Sequence[int]) -> dict[int, bytes]:
    """Whole blobs in one round trip: blob id → octets; those that do not exist are left out.

    For content that is known to be small; `chunks` reads the rest in bounded memory.
    """
    ids = list(blob_ids)
    located, stored = read(
        connection, account_id, (LOCATE, (account_id, ids)), (ALL_CHUNKS, (account_id, ids))
    )
    pieces: dict[int, list[bytes]] = {}
    for blob_id, data in stored:
        pieces.setdefault(blob_id, []).append(data)
    whole: dict[int, bytes] = {}
    for blob_id, size, location in located:
        parts = pieces.get(blob_id, [])
        if location:
            parts = list(
                backend_of(location).read(account_id, blob_id, location, 0, size, database.connection)
            )
        whole[blob_id] = parts[0] if len(parts) == 1 else b"".join(parts)
    return whole


def read_blob(connection: Connection, account_id: int, blob_id: int) -> bytes | None:
    """The octets of one blob in one round trip, or None where the account has no such blob."""
    return read_blobs(connection, account_id, [blob_id]).get(blob_id)


def chunks(
    account_id: int,
    blob_id: int,
    start: int = 0,
    end: int | None = None,
    *,
    location: str | None = None,
    borrow: Borrow = database.connection,
) -> Iterator[bytes]:
    """The octets of a blob from `start` up to and without `end` (default: its size), by the chunk.

    A connection is borrowed for each fetch, never held while the caller works on a piece. `location`, where
    the caller has read it already, saves a round trip. Raises `BlobGoneError` where the blob was swept
    meanwhile, `LookupError` for an unknown one.
    """
    if location is None or end is None:
        with borrow() as connection:
            [located] = read(connection, account_id, (LOCATE, (account_id, [blob_id])))
        if not located:
            raise LookupError(f"account {account_id} has no blob {blob_id}")
        _, size, location = located[0]
        end = size if end is None else min(end, size)
    return backend_of(location).read(account_id, blob_id, location, start, end, borrow)
