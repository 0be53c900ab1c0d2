"""Uploads (RFC 8620 §6.1): the body is spooled, hashed and stored as it is; nothing of it is parsed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.access import AccountAccess
from jmapcore.blobs.incoming import store_for
from jmapcore.blobs.media_types import upload_type
from jmapcore.blobs.problems import BLANK, LIMIT, BlobProblem
from jmapcore.blobs.spool import IncompleteError, TooLargeError, spooled
from jmapcore.blobs.wire_ids import BlobName

MAX_SIZE_UPLOAD = 50_000_000
MAX_CONCURRENT_UPLOAD = 4
RETRY_AFTER_SECONDS = 2

_running: Counter[int] = Counter()
_running_lock = threading.Lock()


def _limit(name: str, default: int) -> int:
    limits: dict[str, Any] = getattr(settings, "JMAP_LIMITS", {})
    return int(limits.get(name, default))


@contextmanager
def _place(user_id: int) -> Iterator[None]:
    """One of the places for concurrent uploads that a user has in this process (maxConcurrentUpload)."""
    with _running_lock:
        if _running[user_id] >= _limit("maxConcurrentUpload", MAX_CONCURRENT_UPLOAD):
            raise BlobProblem(
                429,
                LIMIT,
                "Too many uploads at once",
                "Wait until one of your uploads has ended.",
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
                limit="maxConcurrentUpload",
            )
        _running[user_id] += 1
    try:
        yield
    finally:
        with _running_lock:
            _running[user_id] -= 1
            if not _running[user_id]:
                del _running[user_id]


def _body(request: HttpRequest) -> tuple[Callable[[int], bytes], int | None]:
    """How to read the body, and its announced length; None for one that comes in chunks.

    Django's own stream takes a body without Content-Length for empty, so the server's is read.
    """
    read: Callable[[int], bytes] = request.environ["wsgi.input"].read  # type: ignore[attr-defined]  # WSGI
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced:
        if not (announced.isascii() and announced.isdigit()):
            raise BlobProblem(400, BLANK, "Bad Request", "Content-Length is no number.")
        return read, int(announced)
    return read, None if request.META.get("HTTP_TRANSFER_ENCODING") else 0


def receive_upload(request: HttpRequest, access: AccountAccess) -> HttpResponse:
    """Store the body of a POST as a blob of the account, and answer 200 with its id (RFC 8620 §6.1).

    Raises `BlobProblem`: 403 for a read-only account, 413 above maxSizeUpload, 429 above maxConcurrentUpload,
    400 for a body that ends early, of which nothing is kept.
    """
    if access.is_read_only:
        raise BlobProblem(403, BLANK, "Forbidden", "This account is read-only.")
    media_type = upload_type(request.META.get("CONTENT_TYPE", ""))
    limit = _limit("maxSizeUpload", MAX_SIZE_UPLOAD)
    with _place(access.user_id):
        read, expected = _body(request)
        try:
            with spooled(read, expected, limit) as spool:
                blob_id = store_for(access.user_id, access.account_id, spool, media_type)
        except TooLargeError as error:
            raise BlobProblem(
                413, LIMIT, "Content Too Large", f"The most is {limit} octets.", limit="maxSizeUpload"
            ) from error
        except (IncompleteError, ConnectionError) as error:
            raise BlobProblem(400, BLANK, "Bad Request", "The body ended early.") from error
    answer = {
        "accountId": f"a{access.account_id}",
        "blobId": str(BlobName(blob_id)),
        "type": media_type,
        "size": spool.size,
    }
    return HttpResponse(orjson.dumps(answer), content_type="application/json")
