"""Parsing stored messages again, in batches: what `verify_account` compares and `reingest` writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jmapcore.blobs import storage
from jmapcore.blobs.backends import BlobGoneError
from jmapcore.store.database import Connection, Row, read
from mail.fragments import static_json
from mail.ingest import PreparedEmail, prepare
from mail.search_languages import languages_of

BATCH_EMAILS = 200
BATCH_OCTETS = 32_000_000
"""How much is held in memory at once; one message above it is a batch of its own."""

NEXT = """
    SELECT s.id, s.blob_id, s.format, s.static_json, s.body_json, e.thread_id, e.size, b.hash, b.size
    FROM email_static AS s
    JOIN email AS e ON e.account_id = %s AND e.id = s.id
    JOIN blob AS b ON b.account_id = %s AND b.id = s.blob_id
    WHERE s.account_id = %s AND s.id > %s AND s.format < %s ORDER BY s.id LIMIT %s"""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A row of email_static with its message parsed again; `prepared` is None where the bytes are lost or altered."""

    id: int
    blob_id: int
    format: int
    static_json: str
    body_json: str
    thread_id: int
    size: int
    prepared: PreparedEmail | None

    @property
    def expected_static_json(self) -> str:
        """What `static_json` must be, for a message whose bytes are there."""
        assert self.prepared is not None
        return static_json(self.blob_id, self.prepared.static_lines)


def stored_messages(
    connection: Connection, account_id: int, format_below: int = 1 << 15
) -> Iterator[list[StoredMessage]]:
    """All messages of an account whose rows have a format below the given one, in batches by id."""
    languages = languages_of(connection, account_id)
    last = 0
    while True:
        parameters = (account_id, account_id, account_id, last, format_below, BATCH_EMAILS)
        [rows] = read(connection, account_id, (NEXT, parameters))
        while rows:
            batch: list[Row] = []
            octets = 0
            while rows and (not batch or octets + rows[0][8] <= BATCH_OCTETS):
                octets += rows[0][8]
                batch.append(rows.pop(0))
            last = batch[-1][0]
            raw = _read(connection, account_id, [row[1] for row in batch])
            yield [_message(row, raw.get(row[1]), languages) for row in batch]
        if last == parameters[3]:
            return


def _read(connection: Connection, account_id: int, blob_ids: list[int]) -> dict[int, bytes]:
    """The bytes of blobs, without those that are lost."""
    try:
        return storage.read_blobs(connection, account_id, list(set(blob_ids)))
    except (BlobGoneError, OSError):
        if len(blob_ids) == 1:
            return {}
    return {
        key: raw for blob_id in set(blob_ids) for key, raw in _read(connection, account_id, [blob_id]).items()
    }


def _message(row: Row, raw: bytes | None, languages: str) -> StoredMessage:
    """Parse the bytes if they are the ones that were stored."""
    email_id, blob_id, format_number, static, body, thread_id, size, stored_hash, _ = row
    is_whole = raw is not None and storage.blob_hash(raw) == stored_hash
    prepared = prepare(raw, languages) if raw is not None and is_whole else None
    return StoredMessage(email_id, blob_id, format_number, static, body, thread_id, size, prepared)
