"""Blob/get (RFC 9404 §4.2): octets of blobs as text or base64, ranges of them, their digests and sizes."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from jmapcore.blobs.backends import CHUNK_SIZE, BlobGoneError
from jmapcore.blobs.content import Source, batches, open_sources
from jmapcore.blobs.methods.access import BLOB, blob_access, request_connection
from jmapcore.blobs.storage import read_blobs
from jmapcore.blobs.wire_ids import parse_blob_id
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import InvalidArguments, RequestTooLarge
from jmapcore.protocol.registry import Method, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Id, ListOf, Nullable, String, UnsignedInt

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

DIGESTS = {"sha-256": "sha256", "sha-512": "sha512", "sha": "sha1"}
"""Digest algorithms by their names in the registry of HTTP, in lower case; the best first, as clients prefer them so."""

MOST_OCTETS = 200_000_000
"""Octets that one call reads."""

_ESCAPED = bytes(each for each in range(0x20) if each not in b"\b\t\n\f\r")
"""Octets that take six in JSON."""

_DEFAULT = ("data", "size")
_DATA = frozenset({"data", "data:asText", "data:asBase64"})
_PROPERTIES = frozenset({"id", "size", *_DATA, *(f"digest:{name}" for name in DIGESTS)})


@dataclass(frozen=True, slots=True)
class Wanted:
    """The properties and the range that a call asks for."""

    properties: Sequence[str]
    offset: int
    length: int | None

    @property
    def data(self) -> bool:
        """Whether octets are answered."""
        return not _DATA.isdisjoint(self.properties)

    @property
    def digests(self) -> list[str]:
        """The digest properties."""
        return [name for name in self.properties if name.startswith("digest:")]

    @property
    def reads(self) -> bool:
        """Whether the octets are looked at."""
        return self.data or bool(self.digests)

    def range(self, size: int) -> tuple[int, int]:
        """The octets of a blob of that size that are selected."""
        start = min(self.offset, size)
        return start, size if self.length is None else min(start + self.length, size)

    def is_truncated(self, size: int) -> bool:
        """Whether the range goes beyond the blob."""
        return self.offset + (self.length or 0) > size


def get(context: RequestContext, values: dict[str, Any]) -> list[Response]:
    """Read blobs. Raises `InvalidArguments`, `RequestTooLarge`."""
    limit: int = settings.JMAP_LIMITS["maxObjectsInGet"]
    access = blob_access(context, values)
    wanted = _wanted(values)
    if len(values["ids"]) > limit:
        raise RequestTooLarge(f"more than {limit} ids")
    resolved = {context.resolve_id(text): text for text in reversed(values["ids"])}
    ids = list(dict.fromkeys(map(context.resolve_id, values["ids"])))
    sources = open_sources(access, ids, request_connection(context))
    if wanted.reads:
        _check_size(wanted, sources)
    records: dict[str, dict[str, Any]] = {}
    for batch in batches({wire_id: _selected(wanted, source) for wire_id, source in sources.items()}):
        checkpoint()
        small = _small(context, access, wanted, {wire_id: sources[wire_id] for wire_id in batch})
        for wire_id in batch:
            checkpoint()
            try:
                records[wire_id] = record(wire_id, sources[wire_id], wanted, small.get(wire_id))
            except BlobGoneError:
                continue
    response = {
        "accountId": values["accountId"],
        "list": [records[wire_id] for wire_id in ids if wire_id in records],
        "notFound": [resolved[wire_id] for wire_id in ids if wire_id not in records],
    }
    return [("Blob/get", response)]


def _wanted(values: Mapping[str, Any]) -> Wanted:
    if values["ids"] is None:
        raise InvalidArguments("blobs cannot be listed")
    properties = _DEFAULT if values["properties"] is None else tuple(dict.fromkeys(values["properties"]))
    for name in properties:
        if name not in _PROPERTIES:
            raise InvalidArguments(f"there is no property {name[:100]}")
    return Wanted(properties, values["offset"] or 0, values["length"])


def _selected(wanted: Wanted, source: Source) -> int:
    start, end = wanted.range(source.size)
    return end - start


def _check_size(wanted: Wanted, sources: Mapping[str, Source]) -> None:
    """Raise `RequestTooLarge` before anything is read, where it would be too much to read or to answer."""
    octets = sum(_selected(wanted, source) for source in sources.values())
    answered = 0
    if "data" in wanted.properties or "data:asText" in wanted.properties:
        answered += octets
    if "data:asBase64" in wanted.properties:
        answered += octets * 4 // 3
    if octets > MOST_OCTETS or answered > settings.JMAP_MAX_SIZE_ANSWER:
        raise RequestTooLarge("more octets than one call may read")


def _small(
    context: RequestContext, access: AccountAccess, wanted: Wanted, sources: Mapping[str, Source]
) -> dict[str, bytes]:
    """The octets of the small whole blobs, in one round trip for all of them."""
    if not wanted.reads:
        return {}
    names = {
        wire_id: name.blob_id
        for wire_id, source in sources.items()
        if source.size <= CHUNK_SIZE and (name := parse_blob_id(wire_id)) is not None and name.part is None
    }
    if not names:
        return {}
    raw = read_blobs(context.connection, access.account_id, list(names.values()))
    return {wire_id: raw[blob_id] for wire_id, blob_id in names.items() if blob_id in raw}


def record(wire_id: str, source: Source, wanted: Wanted, whole: bytes | None = None) -> dict[str, Any]:
    """What is answered of one blob; `whole` are its octets where they are at hand. Raises `BlobGoneError`."""
    start, end = wanted.range(source.size)
    found: dict[str, Any] = {"id": wire_id}
    if wanted.is_truncated(source.size):
        found["isTruncated"] = True
    if wanted.reads:
        pieces = source.pieces(start, end) if whole is None else iter([whole[start:end]])
        known = source.hash if end - start == source.size else None
        data, digests = _read(pieces, wanted, known)
        found |= digests
        if wanted.data:
            found |= _shown(data, wanted.properties)
    if "size" in wanted.properties:
        found["size"] = source.size
    return found


def _read(pieces: Iterator[bytes], wanted: Wanted, known: bytes | None) -> tuple[bytes, dict[str, str]]:
    """The octets, where they are wanted, and their digests; `known` is the SHA-256 where it is known."""
    hashers = {
        name: hashlib.new(DIGESTS[name.removeprefix("digest:")], usedforsecurity=False)
        for name in wanted.digests
        if known is None or name != "digest:sha-256"
    }
    kept: list[bytes] = []
    if hashers or wanted.data:
        for piece in pieces:
            checkpoint()
            for hasher in hashers.values():
                hasher.update(piece)
            if wanted.data:
                kept.append(piece)
    digests = {name: hasher.digest() for name, hasher in hashers.items()}
    if known is not None and "digest:sha-256" in wanted.properties:
        digests["digest:sha-256"] = known
    return b"".join(kept), {name: _base64(digest) for name, digest in digests.items()}


def _shown(data: bytes, properties: Sequence[str]) -> dict[str, Any]:
    """The octets as the properties want them."""
    found: dict[str, Any] = {}
    if "data" in properties or "data:asText" in properties:
        _check_text(data)
        try:
            found["data:asText"] = data.decode()
        except UnicodeDecodeError:
            # "(including truncating in the middle of a multi-octet sequence)"
            found["isEncodingProblem"] = True
            if "data" in properties:
                found["data:asBase64"] = _base64(data)
            if "data:asText" in properties:
                found["data:asText"] = None
    if "data:asBase64" in properties:
        found["data:asBase64"] = _base64(data)
    return found


def _check_text(data: bytes) -> None:
    """Raise `RequestTooLarge` for octets that as text in JSON are many times as many."""
    escaped = len(data) - len(data.translate(None, _ESCAPED))
    if len(data) + 5 * escaped > settings.JMAP_MAX_SIZE_ANSWER:
        raise RequestTooLarge("more octets than an answer may have")


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


BLOB_GET = Method(
    "Blob/get",
    BLOB,
    get,
    {
        "accountId": Argument(Id()),
        "ids": Argument(Nullable(ListOf(Id(to="Blob")))),
        "properties": Argument(Nullable(ListOf(String()))),
        "offset": Argument(Nullable(UnsignedInt())),
        "length": Argument(Nullable(UnsignedInt())),
    },
)
