"""What a wire id leads to for one caller: the octets of a visible blob, or of a part of one."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from accounts.access import AccountAccess
from jmapcore.blobs.backends import SELECT_CHUNK, BlobGoneError, Borrow, backend_of
from jmapcore.blobs.parts import cut, find_part, nested
from jmapcore.blobs.references import NO_PART, PartSpan, part_locator
from jmapcore.blobs.storage import read_blobs
from jmapcore.blobs.visibility import BlobInfo, infos, visible, visible_statement
from jmapcore.blobs.wire_ids import BlobName, parse_blob_id
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import RequestTooLarge
from jmapcore.store import database
from jmapcore.store.database import Connection, Statement, read

Item = TypeVar("Item")

_resolving = threading.Lock()

FEW = 4
"""Blobs whose octets are read before it is known how many there are: as many chunks at most."""

BATCH_OCTETS = 16_000_000
"""Octets of blobs that a method call has in memory at once."""

MOST_SEARCHED = 200_000_000
"""Octets in which one method call may look for parts whose place the tables do not know."""


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
        return None if span is NO_PART else _part_source(account_id, name, info, span, borrow)
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
    account_id: int, name: BlobName, info: BlobInfo, span: PartSpan | None, borrow: Borrow
) -> Source | None:
    """A part; `span` is where the outermost part of the path lies, None where the tables do not say it."""
    backend = backend_of(info.location)
    if span is None or name.inner:
        start, end = (span.start, span.end) if span is not None else (0, info.size)
        # All octets in memory, up to 50 MB: one at a time, and let go before the first octet is sent.
        with _resolving:
            whole = io.BytesIO()
            try:
                whole.writelines(backend.read(account_id, name.blob_id, info.location, start, end, borrow))
            except BlobGoneError:
                return None
            span = _resolved(whole, span, name)
    if span is None:
        return None
    return _span_source(account_id, name, info, span, borrow)


def _resolved(whole: io.BytesIO, span: PartSpan | None, name: BlobName) -> PartSpan | None:
    if span is None:
        return find_part(whole.getvalue(), name.path)
    octets = whole.getvalue()
    inner = find_part(octets if span.decode is None else b"".join(span.decode(iter([octets]))), name.inner)
    return None if inner is None else nested(span, inner)


def _span_source(account_id: int, name: BlobName, info: BlobInfo, span: PartSpan, borrow: Borrow) -> Source:
    backend = backend_of(info.location)

    def pieces(start: int, end: int) -> Iterator[bytes]:
        if span.decode is None:
            return backend.read(
                account_id, name.blob_id, info.location, span.start + start, span.start + end, borrow
            )
        raw = backend.read(account_id, name.blob_id, info.location, span.start, span.end, borrow)
        return cut(span.decode(raw), start, end)

    tag = "-".join([info.hash.hex(), *map(str, name.path)])
    return Source(span.size, tag, span.type, pieces)


def batches(sizes: Mapping[str, int], most: int = BATCH_OCTETS) -> list[list[str]]:
    """Ids in batches of at most so many octets, which may be in memory together; what has more is a batch of its own."""
    return list(in_batches(sizes, sizes.__getitem__, most))


def in_batches(
    items: Iterable[Item], octets: Callable[[Item], int], most: int = BATCH_OCTETS
) -> Iterator[list[Item]]:
    """As `batches`, of anything that has octets; no more is taken from `items` than the batch and the next one."""
    batch: list[Item] = []
    taken = 0
    for item in items:
        size = octets(item)
        if batch and taken + size > most:
            yield batch
            batch, taken = [], 0
        batch.append(item)
        taken += size
    if batch:
        yield batch


def open_sources(
    access: AccountAccess, wire_ids: Iterable[str], borrow: Borrow = database.connection
) -> dict[str, Source]:
    """Those of the blobs and parts that the caller may see, without their octets: wire id → source.

    One round trip for all blobs; each part costs one more, or the reading of what is around it. Raises
    `RequestTooLarge` where that would be too much, `ServerUnavailable` where the request's time is over.
    """
    names = {wire_id: name for wire_id in wire_ids if (name := parse_blob_id(wire_id)) is not None}
    numbers = list({name.blob_id for name in names.values()})
    if not numbers:
        return {}
    locate = part_locator()
    spans: dict[tuple[int, int], PartSpan | None] = {}
    with borrow() as connection:
        shown = visible(connection, access, numbers)
        for name in names.values():
            if name.part is not None and name.blob_id in shown and locate is not None:
                checkpoint()
                place = (name.blob_id, name.part)
                if place not in spans:
                    spans[place] = locate(connection, access.account_id, *place)
    sources: dict[str, Source] = {}
    searched = 0
    for wire_id, name in names.items():
        info = shown.get(name.blob_id)
        if info is None:
            continue
        if name.part is None:
            sources[wire_id] = _blob_source(access.account_id, name.blob_id, info, None, borrow)
            continue
        checkpoint()
        span = spans.get((name.blob_id, name.part))
        if span is NO_PART:
            continue
        if span is None or name.inner:
            searched += (info.size if span is None else span.end - span.start) * len(name.path)
            if searched > MOST_SEARCHED:
                raise RequestTooLarge(f"parts are looked for in more than {MOST_SEARCHED} octets")
        source = _part_source(access.account_id, name, info, span, borrow)
        if source is not None:
            sources[wire_id] = source
    return sources


def visible_and_small(
    connection: Connection, access: AccountAccess, blob_ids: Sequence[int]
) -> tuple[dict[int, BlobInfo], dict[int, bytes]]:
    """As `visible`, with the octets of those that are short, in one round trip; of a few blobs, of many none."""
    statements = [visible_statement(access, blob_ids)]
    if len(blob_ids) <= FEW:
        statements += [(SELECT_CHUNK, (access.account_id, blob_id, 0)) for blob_id in blob_ids]
    found, *chunks = read(connection, access.account_id, *statements)
    shown = infos(found)
    small = {
        blob_id: rows[0][0]
        for blob_id, rows in zip(blob_ids, chunks, strict=False)
        if rows and blob_id in shown and shown[blob_id].size == len(rows[0][0])
    }
    return shown, small


def read_visible(
    connection: Connection,
    access: AccountAccess,
    wire_ids: Sequence[str],
    shown: Mapping[int, BlobInfo] | None = None,
    at_hand: Mapping[int, bytes] | None = None,
) -> dict[str, bytes]:
    """The octets of those of the blobs and parts that the caller may see: wire id → octets.

    Two round trips for all of them; one where the caller has `shown`, what `visible` gave, already. For
    content that has to be in memory anyhow (messages to be parsed); the caller bounds how much it asks for
    by the sizes that `visible` tells. `at_hand` are blobs that were read already.
    """
    names = {wire_id: name for wire_id in wire_ids if (name := parse_blob_id(wire_id)) is not None}
    wanted = {name.blob_id for name in names.values()}
    if shown is None:
        shown = visible(connection, access, list(wanted))
    raw = dict(at_hand or {})
    if missing := [blob_id for blob_id in wanted if blob_id in shown and blob_id not in raw]:
        raw |= read_blobs(connection, access.account_id, missing)
    contents: dict[str, bytes] = {}
    for wire_id, name in names.items():
        if name.blob_id not in raw:
            continue
        if name.part is None:
            contents[wire_id] = raw[name.blob_id]
        elif (span := find_part(raw[name.blob_id], name.path)) is not None:
            contents[wire_id] = span.octets(raw[name.blob_id])
    return contents
