"""Uploads (RFC 8620 §6.1): the body is spooled, hashed and stored as it is; nothing of it is parsed."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.access import AccountAccess
from jmapcore.blobs.incoming import store_for
from jmapcore.blobs.media_types import upload_type
from jmapcore.blobs.problems import bad_request, no_room, read_only, too_large
from jmapcore.blobs.spool import IncompleteError, NoRoomError, TooLargeError, spooled
from jmapcore.blobs.storage import SMALL
from jmapcore.blobs.wire_ids import BlobName
from jmapcore.concurrency import PerUser
from jmapcore.context import account_wire_id
from jmapcore.draining import drain
from jmapcore.store.database import unconfirmed_connection
from jmapcore.transfers import transfers

logger = logging.getLogger("jmapcore.blobs")

_uploads = PerUser("maxConcurrentUpload")
_BODY = "jmapcore.upload"


def is_small(announced: str | None) -> bool:
    """Whether a Content-Length says that a body fits into memory."""
    return bool(announced and announced.isascii() and announced.isdigit() and int(announced) <= SMALL)


def _body(request: HttpRequest) -> tuple[Callable[[int], bytes], int | None]:
    """How to read the body, and its announced length; None for one that comes in chunks.

    Django's own stream takes a body without Content-Length for empty, so the server's is read.
    """
    environ: dict[str, Any] = request.environ  # type: ignore[attr-defined]  # WSGI
    if _BODY in environ:
        body: bytes = environ[_BODY]
        return io.BytesIO(body).read, len(body)
    read: Callable[[int], bytes] = environ["wsgi.input"].read
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced:
        if not (announced.isascii() and announced.isdigit()):
            raise bad_request("Content-Length is no number.")
        return read, int(announced)
    return read, None if request.META.get("HTTP_TRANSFER_ENCODING") else 0


def receive_upload(request: HttpRequest, access: AccountAccess) -> HttpResponse:
    """Store the body of a POST as a blob of the account, and answer 200 with its id (RFC 8620 §6.1).

    Raises `RequestError`: 403 for a read-only account, 413 above maxSizeUpload, 429 above maxConcurrentUpload,
    400 for a body that ends early, of which nothing is kept; 503 where the disk is full.
    """
    media_type = upload_type(request.META.get("CONTENT_TYPE", ""))
    limit: int = settings.JMAP_LIMITS["maxSizeUpload"]
    with _uploads.one(access.user_id), transfers.begin(access.user_id):
        read, expected = _body(request)
        if access.is_read_only:
            drain(request.META, read, expected, limit)
            raise read_only()
        try:
            with spooled(read, expected, limit) as spool:
                if spool.size <= SMALL:
                    # It is asked for again where the credential turns out to be another than it was.
                    request.environ[_BODY] = b"".join(spool.pieces())  # type: ignore[attr-defined]  # WSGI
                blob_id = store_for(
                    access.user_id, access.account_id, spool, media_type, unconfirmed_connection
                )
        except TooLargeError as error:
            drain(request.META, read, expected, limit)
            raise too_large(limit) from error
        except NoRoomError as error:
            logger.exception("an upload cannot be kept")
            raise no_room() from error
        except (IncompleteError, ConnectionError) as error:
            raise bad_request("The body ended early.") from error
    answer = {
        "accountId": account_wire_id(access.account_id),
        "blobId": str(BlobName(blob_id)),
        "type": media_type,
        "size": spool.size,
    }
    return HttpResponse(orjson.dumps(answer), content_type="application/json")
