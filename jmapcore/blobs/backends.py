"""Where the bytes of a blob are: rows of 256 KiB in PostgreSQL, or files through Django's storage API.

A blob says itself where it is: an empty `location` means rows, any other the name of a file. So the setting
`JMAP_BLOB_STORAGE` ("rows" or "files") decides where new bytes go, and both are read whatever it says.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages

from jmapcore.store.database import Connection, execute, read
from jmapcore.store.write import SET_WRITING

CHUNK_SIZE = 256 * 1024
"""Octets in one row of blob_chunk, and the most that is fetched at once of any blob."""

CHUNKS_PER_TRANSACTION = 4

STORAGE_ALIAS = "jmap-blobs"
"""The entry of `settings.STORAGES` that keeps blobs as files."""

# Arrays are bound as %b: psycopg writes lists as text by default, which doubles bytes, and types integers
# by the first list.
INSERT_CHUNK = "INSERT INTO blob_chunk (account_id, blob_id, n, data) VALUES (%s, %s, %s, %s)"
SELECT_CHUNK = "SELECT data FROM blob_chunk WHERE account_id = %s AND blob_id = %s AND n = %s"
DELETE_CHUNKS = "DELETE FROM blob_chunk WHERE account_id = %s AND blob_id = ANY(%b::int[])"

Borrow = Callable[[], AbstractContextManager[Connection]]
"""Lends an autocommit connection for the length of a block, as `jmapcore.store.database.connection` does."""


class BlobGoneError(LookupError):
    """The bytes of a blob are no longer there: it was swept while it was being read."""


@contextmanager
def bytes_write(account_id: int, connection: Connection) -> Iterator[None]:
    """A transaction that writes bytes no blob row names, without the lock of the account's state.

    The one exception to `account_write`: 50 MB of chunks take seconds, and nobody's request may wait for
    them. It records no change because nothing visible changes: a blob appears, and goes, by its row in
    `blob`, under the lock.
    """
    with connection.transaction():
        execute(connection, SET_WRITING, (str(account_id), str(account_id)))
        yield


def in_chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same octets in chunks of CHUNK_SIZE, the last one shorter; none for no octets."""
    pending = bytearray()
    for piece in pieces:
        pending += piece
        while len(pending) >= CHUNK_SIZE:
            yield bytes(memoryview(pending)[:CHUNK_SIZE])
            del pending[:CHUNK_SIZE]
    if pending:
        yield bytes(pending)


class Backend(Protocol):
    """One place for bytes. A blob of `size` octets is written once, before its row, and never changed."""

    def new_location(self, account_id: int) -> str:
        """A location never used before; noted before the bytes are written, so a crash leaves no orphan."""
        ...

    def write(
        self, account_id: int, blob_id: int, location: str, size: int, pieces: Iterable[bytes], borrow: Borrow
    ) -> None:
        """Store all octets of `pieces`, durably, in bounded memory and without a lock."""
        ...

    def read(
        self, account_id: int, blob_id: int, location: str, start: int, end: int, borrow: Borrow
    ) -> Iterator[bytes]:
        """The octets from `start` up to and without `end`, in pieces of at most CHUNK_SIZE.

        A connection is borrowed for each fetch and never held while the caller is busy with a piece.
        Raises `BlobGoneError`.
        """
        ...

    def delete(
        self, account_id: int, blob_ids: Sequence[int], locations: Sequence[str], borrow: Borrow
    ) -> None:
        """Delete the bytes of blobs that have no row; missing ones are no error."""
        ...


class RowBackend:
    """Rows of blob_chunk."""

    def new_location(self, account_id: int) -> str:
        """Rows are found by the blob's id: the empty location."""
        return ""

    def write(
        self, account_id: int, blob_id: int, location: str, size: int, pieces: Iterable[bytes], borrow: Borrow
    ) -> None:
        """Insert the chunks, a few to a transaction; a connection is borrowed for each transaction alone."""
        waiting: list[tuple[int, int, int, bytes]] = []
        for number, data in enumerate(in_chunks(pieces)):
            waiting.append((account_id, blob_id, number, data))
            if len(waiting) == CHUNKS_PER_TRANSACTION:
                self._insert(account_id, waiting, borrow)
                waiting.clear()
        if waiting:
            self._insert(account_id, waiting, borrow)

    def _insert(self, account_id: int, chunks: list[tuple[int, int, int, bytes]], borrow: Borrow) -> None:
        with borrow() as connection, connection.pipeline(), bytes_write(account_id, connection):
            for chunk in chunks:
                execute(connection, INSERT_CHUNK, chunk)

    def read(
        self, account_id: int, blob_id: int, location: str, start: int, end: int, borrow: Borrow
    ) -> Iterator[bytes]:
        """Fetch one chunk after the other."""
        for number in range(start // CHUNK_SIZE, -(-end // CHUNK_SIZE)):
            with borrow() as connection:
                [found] = read(connection, account_id, (SELECT_CHUNK, (account_id, blob_id, number)))
            if not found:
                raise BlobGoneError(f"chunk {number} of blob {blob_id} in account {account_id}")
            data: bytes = found[0][0]
            first = number * CHUNK_SIZE
            yield (
                data[max(start - first, 0) : end - first]
                if first < start or end - first < len(data)
                else data
            )

    def delete(
        self, account_id: int, blob_ids: Sequence[int], locations: Sequence[str], borrow: Borrow
    ) -> None:
        """Delete the chunks of all the blobs."""
        with borrow() as connection, connection.pipeline(), bytes_write(account_id, connection):
            execute(connection, DELETE_CHUNKS, (account_id, list(blob_ids)))


class _PieceReader(io.RawIOBase):
    """An iterable of bytes as a file that can be read once, which storages expect."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class FileBackend:
    """Files in the storage `STORAGE_ALIAS`: `account/xx/…`, a random name for each."""

    @property
    def storage(self) -> Storage:
        """The configured storage."""
        return storages[STORAGE_ALIAS]

    def new_location(self, account_id: int) -> str:
        """A random name: ids repeat after a restore from backup, and a file must never be two blobs'."""
        name = uuid.uuid4().hex
        return f"{account_id}/{name[:2]}/{name[2:]}"

    def write(
        self, account_id: int, blob_id: int, location: str, size: int, pieces: Iterable[bytes], borrow: Borrow
    ) -> None:
        """Save the file, and wait until it is on the disk where the storage has one."""
        content = File(io.BufferedReader(_PieceReader(pieces), CHUNK_SIZE), name=location)
        content.size = size
        name = self.storage.save(location, content)
        if name != location:
            self.storage.delete(name)
            raise FileExistsError(f"the blob storage already has {location}")
        try:
            path = self.storage.path(location)
        except NotImplementedError:
            return
        for settled in (Path(path), Path(path).parent):
            descriptor = os.open(settled, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def read(
        self, account_id: int, blob_id: int, location: str, start: int, end: int, borrow: Borrow
    ) -> Iterator[bytes]:
        """Read the file piece by piece; no connection is needed."""
        try:
            file = self.storage.open(location, "rb")
        except FileNotFoundError as error:
            raise BlobGoneError(f"blob {blob_id} in account {account_id}") from error
        with file:
            file.seek(start)
            while start < end:
                data: bytes = file.read(min(CHUNK_SIZE, end - start))
                if not data:
                    raise BlobGoneError(f"the file of blob {blob_id} in account {account_id} ends at {start}")
                start += len(data)
                yield data

    def delete(
        self, account_id: int, blob_ids: Sequence[int], locations: Sequence[str], borrow: Borrow
    ) -> None:
        """Delete the files."""
        for location in locations:
            self.storage.delete(location)


ROWS = RowBackend()
FILES = FileBackend()


def backend_for_new() -> Backend:
    """Where new bytes go, by `settings.JMAP_BLOB_STORAGE`."""
    return FILES if settings.JMAP_BLOB_STORAGE == "files" else ROWS


def backend_of(location: str) -> Backend:
    """Where the bytes of a blob with this location are."""
    return FILES if location else ROWS
