"""Blob/upload (RFC 9404 §4.1): blobs put together from texts, base64 and ranges of other blobs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from django.conf import settings

from jmapcore.blobs.backends import BlobGoneError
from jmapcore.blobs.content import Source, open_sources
from jmapcore.blobs.incoming import store_for
from jmapcore.blobs.methods.access import BLOB, blob_access, request_connection
from jmapcore.blobs.methods.data_sources import BlobRange, Upload, parse_upload
from jmapcore.blobs.spool import NoRoomError, spooled
from jmapcore.blobs.storage import Octets
from jmapcore.blobs.unreferenced import unreferenced_quota
from jmapcore.blobs.wire_ids import BlobName
from jmapcore.protocol.deadline import time_is_up
from jmapcore.protocol.errors import BlobNotFound, InvalidProperties, OverQuota, RateLimit, SetError, TooLarge
from jmapcore.protocol.registry import Method, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Id, MapOf
from jmapcore.standard.bounds import check_objects_in_set
from jmapcore.standard.set import AnyObject, error_documents

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

logger = logging.getLogger("jmapcore.blobs")


def max_size_blob_set() -> int:
    """Octets of a blob that is made so: as many as of one that is uploaded."""
    limit: int = settings.JMAP_LIMITS["maxSizeUpload"]
    return limit


def upload(context: RequestContext, values: dict[str, Any]) -> list[Response]:
    """Make blobs; each succeeds or fails by itself, and may be made of others of the same call."""
    access = blob_access(context, values, write=True)
    check_objects_in_set(len(values["create"]))
    uploads: dict[str, Upload] = {}
    refused: dict[str, SetError] = {}
    for key, given in values["create"].items():
        try:
            uploads[key] = parse_upload(given)
        except SetError as error:
            refused[key] = error
    making = _Making(context, access, set(values["create"]))
    created: dict[str, dict[str, Any]] = {}
    for key in in_order(uploads):
        try:
            created[key] = making.make(uploads[key])
        except SetError as error:
            refused[key] = error
        else:
            making.made[key] = created[key]["id"]
    for key in uploads.keys() - created.keys() - refused.keys():
        refused[key] = BlobNotFound(uploads[key].blob_ids, "blobs that are made of one another")
    context.created_ids.update(making.made)
    response = {
        "accountId": values["accountId"],
        "created": {key: created[key] for key in values["create"] if key in created} or None,
        "notCreated": error_documents(refused),
    }
    return [("Blob/upload", response)]


def in_order(uploads: Mapping[str, Upload]) -> Iterator[str]:
    """The creation ids so that each comes after those it is made of; those made of one another are left out."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for key, each in uploads.items():
        sorter.add(key, *(id_[1:] for id_ in each.blob_ids if id_[:1] == "#" and id_[1:] in uploads))
    with suppress(CycleError):  # what hangs on no circle can be had all the same
        sorter.prepare()
    while ready := sorter.get_ready():
        yield from ready
        sorter.done(*ready)


class _Making:
    """The blobs of one call on their way."""

    def __init__(self, context: RequestContext, access: AccountAccess, keys: set[str]) -> None:
        self.context = context
        self.access = access
        self.borrow = request_connection(context)
        self.keys = keys
        self.made: dict[str, str] = {}
        # More than that would push out what this very call has made.
        self.room = unreferenced_quota()

    def make(self, upload: Upload) -> dict[str, Any]:
        """Make a blob; what the response says of it. Raises `SetError`."""
        if time_is_up():
            raise RateLimit
        sources = self._sources(upload)
        ranges = [_range(piece, sources) for piece in upload.pieces]
        size = sum(end - start for _, start, end in ranges)
        if size > max_size_blob_set():
            raise TooLarge
        if size > self.room:
            raise OverQuota
        try:
            blob_id = self._store(ranges, size, upload.type)
        except BlobGoneError:
            raise BlobNotFound(upload.blob_ids, "swept meanwhile") from None
        except NoRoomError:
            logger.exception("a blob cannot be put together")
            raise OverQuota("the disk is full") from None
        self.room -= size
        return {"id": str(BlobName(blob_id)), "type": upload.type, "size": size}

    def _sources(self, upload: Upload) -> dict[str, Source]:
        """What the ids lead to, by the ids as given. Raises `BlobNotFound`."""
        ids = {given: self._resolved(given) for given in upload.blob_ids}
        found = open_sources(self.access, ids.values(), self.borrow)
        if missing := [given for given, blob_id in ids.items() if blob_id not in found]:
            raise BlobNotFound(missing)
        return {given: found[blob_id] for given, blob_id in ids.items()}

    def _resolved(self, given: str) -> str:
        if given[:1] == "#" and given[1:] in self.keys:
            # "#a" means the one of this call, whether or not there was another before.
            return self.made.get(given[1:], given)
        return self.context.resolve_id(given)

    def _store(self, ranges: list[tuple[bytes | Source, int, int]], size: int, media_type: str) -> int:
        user_id, account_id = self.access.user_id, self.access.account_id
        if len(ranges) == 1:
            source, start, end = ranges[0]
            if isinstance(source, Source) and source.hash is not None and (start, end) == (0, source.size):
                # The account has just these octets.
                octets = Octets(source.hash, size, lambda: source.pieces(0, size))
                return store_for(user_id, account_id, octets, media_type, self.borrow)
        pieces = _pieces(ranges)
        with spooled(lambda count: next(pieces, b""), None, size) as spool:
            return store_for(user_id, account_id, spool, media_type, self.borrow)


def _range(piece: bytes | BlobRange, sources: Mapping[str, Source]) -> tuple[bytes | Source, int, int]:
    """Where octets come from, and which of them. Raises `InvalidProperties`."""
    if isinstance(piece, bytes):
        return piece, 0, len(piece)
    source = sources[piece.blob_id]
    end = source.size if piece.length is None else piece.offset + piece.length
    # "If the range cannot be fully satisfied (i.e., it begins or extends past the end of the data in the blob), then the
    # DataSourceObject is invalid".
    if piece.offset > source.size or end > source.size:
        raise InvalidProperties(["data"])
    return source, piece.offset, end


def _pieces(ranges: list[tuple[bytes | Source, int, int]]) -> Iterator[bytes]:
    """The octets, in pieces none of which is empty."""
    for source, start, end in ranges:
        if start == end:
            continue
        if isinstance(source, bytes):
            yield source
        else:
            yield from filter(None, source.pieces(start, end))


BLOB_UPLOAD = Method(
    "Blob/upload",
    BLOB,
    upload,
    {"accountId": Argument(Id()), "create": Argument(MapOf(Id(), AnyObject()))},
    writes=True,
)
