"""What a blob is to be made of (RFC 9404 §4.1): UploadObjects and their DataSourceObjects, checked before anything is read.

"If the data properties have any invalid references or invalid data contained in them, the server MUST NOT guess at the
user's intent."
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jmapcore.blobs.media_types import UNKNOWN, download_type
from jmapcore.protocol.errors import InvalidProperties
from jmapcore.protocol.wire import Id, ListOf, Nullable, ObjectOf, String, UnsignedInt, WireError

MAX_DATA_SOURCES = 1_000
"""DataSourceObjects of one blob: "Servers MUST allow at least 64" (RFC 9404 §3.1)."""

AS_TEXT, AS_BASE64, BLOB_ID = "data:asText", "data:asBase64", "blobId"

_SOURCES = ListOf(
    ObjectOf(
        {
            AS_TEXT: Nullable(String(nul=True)),
            AS_BASE64: Nullable(String()),
            BLOB_ID: Nullable(Id(to="Blob")),
            "offset": Nullable(UnsignedInt()),
            "length": Nullable(UnsignedInt()),
        }
    ),
    MAX_DATA_SOURCES,
)


@dataclass(frozen=True, slots=True)
class BlobRange:
    """A range of another blob, by its id or the `#creationId` of one; `length` None: up to its end."""

    blob_id: str
    offset: int
    length: int | None


@dataclass(frozen=True, slots=True)
class Upload:
    """An UploadObject: the pieces that a blob is put together from, and its media type."""

    pieces: tuple[bytes | BlobRange, ...]
    type: str

    @property
    def blob_ids(self) -> tuple[str, ...]:
        """The ids of the blobs it is made from, as they were given."""
        return tuple(dict.fromkeys(piece.blob_id for piece in self.pieces if isinstance(piece, BlobRange)))


def parse_upload(given: Mapping[str, Any]) -> Upload:
    """An UploadObject in its checked form. Raises `InvalidProperties`."""
    invalid = [name for name in given if name not in ("data", "type")]
    pieces: tuple[bytes | BlobRange, ...] = ()
    try:
        pieces = tuple(_piece(source) for source in _SOURCES.check(given.get("data")))
    except WireError:
        invalid.append("data")
    media_type = given.get("type")
    if media_type is None:
        media_type = UNKNOWN
    elif type(media_type) is not str or not media_type or download_type(media_type) is None:
        invalid.append("type")
    if invalid:
        raise InvalidProperties(invalid)
    return Upload(pieces, media_type)


def _piece(source: Mapping[str, Any]) -> bytes | BlobRange:
    given = [name for name in (AS_TEXT, AS_BASE64, BLOB_ID) if source.get(name) is not None]
    if len(given) != 1:
        raise WireError("exactly one source of data is due")
    offset, length = source.get("offset"), source.get("length")
    if given == [BLOB_ID]:
        return BlobRange(source[BLOB_ID], offset or 0, length)
    if offset is not None or length is not None:
        raise WireError("only a blob has a range")
    text: str = source[given[0]]
    return text.encode() if given == [AS_TEXT] else decode_base64(text)


def decode_base64(text: str) -> bytes:
    """The octets of base64 (RFC 4648 §4) with its padding, or without any. Raises `WireError` for anything else."""
    bare = text.rstrip("=")
    padding = len(text) - len(bare)
    if len(bare) % 4 == 1 or (padding and (padding > 2 or len(text) % 4)):
        raise WireError("base64 of another length is due")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except ValueError as error:  # also of what is not ASCII
        raise WireError("base64 is due") from error
