"""What a wire id leads to for one caller: the octets of a visible blob, or of a part of one."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from accounts.access import AccountAccess
from jmapcore.blobs.backends import SELECT_CHUNK, BlobGoneError, Borrow, backend_of
from jmapcore.blobs.references import PartSpan, part_locator, part_resolver
from jmapcore.blobs.storage import read_blobs
from jmapcore.blobs.visibility import BlobInfo, infos, visible, visible_statement
from jmapcore.blobs.wire_ids import parse_blob_id
from jmapcore.store import database
from jmapcore.store.database import Connection, Statement, read

_resolving = threading.Lock()


@dataclass(frozen=True, slots=True)
class Source:
    """Octets that a caller may read.

    `tag` is the same for the same octets and no others; `pieces(start, end)` gives them in bounded memory
    and holds no connection between two pieces; `whole` has all of them where they were at hand.
    """

    size: int
    tag: str
    type: str
    pieces: Callable[[int, int], Iterator[bytes]]
    whole: bytes | None = None
    hash: bytes | None = None
    """The SHA-256 of the octets, where it is known (a part's is not)."""


def open_source(
    access: AccountAccess, wire_id: str, *, prefetch: bool = True, borrow: Borrow = database.connection
) -> Source | None:
    """Find what a wire id names; None where there is no such blob or part that the caller may see.

    With `prefetch` a blob of up to CHUNK_SIZE octets comes with its octets, in one round trip for everything.
    """
    name = parse_blob_id(wire_id)
    if name is None:
        return None
    account_id = access.account_id
    statements: list[Statement] = [visible_statement(access, [name.blob_id])]
    if prefetch and name.part is None:
        statements.append((SELECT_CHUNK, (account_id, name.blob_id, 0)))
    with borrow() as connection:
        found = read(connection, account_id, *statements)
        info = infos(found[0]).get(name.blob_id)
        if info is None:
            return None
        locate = part_locator() if name.part is not None else None
        span = locate(connection, account_id, name.blob_id, name.part or 0) if locate else None
    if name.part is not None:
        return _part_source(account_id, name.blob_id, name.part, info, span, borrow)
    first: bytes | None = found[1][0][0] if len(found) > 1 and found[1] else None
    return _blob_source(account_id, name.blob_id, info, first, borrow)


def _blob_source(
    account_id: int, blob_id: int, info: BlobInfo, first: bytes | None, borrow: Borrow
) -> Source:
    def pieces(start: int, end: int) -> Iterator[bytes]:
        if first is not None and start == 0 and end >= len(first):
            rest = backend_of(info.location).read(account_id, blob_id, info.location, len(first), end, borrow)
            return chain([first], rest)
        return backend_of(info.location).read(account_id, blob_id, info.location, start, end, borrow)

    whole = first if first is not None and info.size == len(first) else None
    return Source(info.size, info.hash.hex(), info.type, pieces, b"" if info.size == 0 else whole, info.hash)


def _part_source(
    account_id: int, blob_id: int, part: int, info: BlobInfo, span: PartSpan | None, borrow: Borrow
) -> Source | None:
    """A part; `span` is None where the tables do not say where it lies."""
    resolve = part_resolver()
    if span is None and resolve is not None:
        # The whole blob in memory, up to 50 MB: one at a time, and let go before the first octet is sent.
        with _resolving:
            whole = io.BytesIO()
            try:
                whole.writelines(
                    backend_of(info.location).read(account_id, blob_id, info.location, 0, info.size, borrow)
                )
            except BlobGoneError:
                return None
            span = resolve(whole.getvalue(), part)
    if span is None:
        return None
    return _span_source(account_id, blob_id, info, span, f"{info.hash.hex()}-{part}", borrow)


def _span_source(
    account_id: int, blob_id: int, info: BlobInfo, span: PartSpan, tag: str, borrow: Borrow
) -> Source:
    backend = backend_of(info.location)

    def pieces(start: int, end: int) -> Iterator[bytes]:
        if span.decode is None:
            return backend.read(
                account_id, blob_id, info.location, span.start + start, span.start + end, borrow
            )
        raw = backend.read(account_id, blob_id, info.location, span.start, span.end, borrow)
        return _cut(span.decode(raw), start, end)

    return Source(span.size, tag, span.type, pieces)


def _cut(pieces: Iterator[bytes], start: int, end: int) -> Iterator[bytes]:
    """The octets from `start` up to and without `end` of a stream that can only be read from its
    beginning."""
    position = 0
    for piece in pieces:
        cut = piece[max(start - position, 0) : end - position]
        position += len(piece)
        if cut:
            yield cut
        if position >= end:
            return


def read_visible(
    connection: Connection,
    access: AccountAccess,
    wire_ids: Sequence[str],
    shown: Mapping[int, BlobInfo] | None = None,
) -> dict[str, bytes]:
    """The octets of those of the blobs and parts that the caller may see: wire id → octets.

    Two round trips for all of them; one where the caller has `shown`, what `visible` gave, already. For
    content that has to be in memory anyhow (messages to be parsed); the caller bounds how much it asks for
    by the sizes that `visible` tells.
    """
    names = {wire_id: name for wire_id in wire_ids if (name := parse_blob_id(wire_id)) is not None}
    wanted = {name.blob_id for name in names.values()}
    if shown is None:
        shown = visible(connection, access, list(wanted))
    raw = read_blobs(connection, access.account_id, [blob_id for blob_id in wanted if blob_id in shown])
    resolve = part_resolver()
    contents: dict[str, bytes] = {}
    for wire_id, name in names.items():
        if name.blob_id not in raw:
            continue
        if name.part is None:
            contents[wire_id] = raw[name.blob_id]
        elif resolve is not None and (span := resolve(raw[name.blob_id], name.part)) is not None:
            contents[wire_id] = span.octets(raw[name.blob_id])
    return contents
