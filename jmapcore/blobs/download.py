"""Downloads (RFC 8620 §6.2): the octets of a blob, with ranges, validators and a caching that never
expires."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from accounts.access import AccountAccess
from jmapcore.blobs.backends import BlobGoneError
from jmapcore.blobs.content import Source, open_source
from jmapcore.blobs.media_types import download_type
from jmapcore.blobs.problems import bad_request, not_found, range_not_satisfiable
from jmapcore.store.database import unconfirmed_connection
from jmapcore.transfers import Counted, transfers

CACHE_CONTROL = "private, immutable, max-age=31536000"
SECURITY_POLICY = "sandbox; default-src 'none'"

WHOLE_BELOW = 256 * 1024
"""Octets up to which a body is sent in one piece."""

SLICE = 32 * 1024
"""Octets handed to the server at a time; it queues some of them for each client that does not read."""

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$&+.^_`|~ ()@,;=\[\]{}'-]+")
_UNQUOTABLE = re.compile(r"[^ !#$&-.0-\[\]-~]")


class Range(NamedTuple):
    """Octets from `start` up to and without `end`."""

    start: int
    end: int


def content_disposition(name: str) -> str:
    """`attachment` with the file's name (RFC 6266), safe for any string.

    "The server MUST return this as the filename" (RFC 8620 §6.2): names beyond plain ASCII are in
    `filename*` (RFC 8187), exact, and in `filename` with `_` for what old clients misread (quotes,
    backslashes, percent signs: RFC 6266 appendix D).
    """
    if not name:
        return "attachment"
    if _PLAIN_NAME.fullmatch(name):
        return f'attachment; filename="{name}"'
    encoded = quote(name.encode("utf-8", "replace"), safe="!#$&+-.^_`|~")
    return f"attachment; filename=\"{_UNQUOTABLE.sub('_', name)}\"; filename*=UTF-8''{encoded}"


def requested_range(header: str, size: int) -> Range | None:
    """The one range of a Range header (RFC 9110 §14.2), or None where the whole is to be sent.

    The whole answers what is malformed, of another unit, or more than one range, as the RFC allows.
    Raises `RequestError` 416 for a range that begins behind the end.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        return None
    if match[3] is not None:
        start, end = max(size - int(match[3]), 0), size
    else:
        start = int(match[1])
        if match[2] and int(match[2]) < start:
            return None
        end = min(int(match[2]) + 1, size) if match[2] else size
    if start >= size or start >= end:
        raise range_not_satisfiable(size)
    return Range(start, end)


def _matches(header: str, tag: str) -> bool:
    """Whether If-None-Match names the tag (weak comparison, RFC 9110 §13.1.2)."""
    return header.strip() == "*" or tag in _ENTITY_TAG.findall(header)


def send_download(
    environ: Mapping[str, Any],
    access: AccountAccess,
    blob_id: str,
    name: str,
    type: str,  # noqa: A002  # the variable's name in downloadUrl
) -> HttpResponseBase:
    """Answer a GET or HEAD for a blob: 200, 206 or 304.

    `environ` has the method and the header fields as WSGI names them; `blob_id` is the wire id; `name` and `type` are
    those of the URL, decoded. Raises `RequestError`: 400 for a `type` that can be no Content-Type, 404 for a blob that is
    not there or not the caller's to see, 416 for an impossible range, 429 and 503 for too many large ones at once.
    """
    content_type = download_type(type)
    if content_type is None:
        raise bad_request("The type is no media type.")
    is_get = environ["REQUEST_METHOD"] == "GET"
    is_whole = is_get and "HTTP_RANGE" not in environ and "HTTP_IF_NONE_MATCH" not in environ
    source = open_source(access, blob_id, prefetch=is_whole, borrow=unconfirmed_connection)
    if source is None:
        raise not_found()
    entity_tag = f'"{source.tag}"'
    if "HTTP_IF_NONE_MATCH" in environ and _matches(environ["HTTP_IF_NONE_MATCH"], source.tag):
        response: HttpResponseBase = HttpResponse(status=304)
        del response.headers["Content-Type"]
        return _validated(response, entity_tag)
    part = _wanted_part(environ, source.size, entity_tag) if is_get else None
    try:
        response = _body(source, part or Range(0, source.size), content_type, is_get, access.user_id)
    except BlobGoneError as error:
        raise not_found() from error
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{source.size}"
    response.headers["Content-Disposition"] = content_disposition(name)
    response.headers["Accept-Ranges"] = "bytes"
    return _validated(response, entity_tag)


def _wanted_part(fields: Mapping[str, Any], size: int, entity_tag: str) -> Range | None:
    """The part that a GET asks for; None for all of it."""
    # "A recipient of an If-Range header field MUST ignore the Range header field if the condition is false."
    if "HTTP_RANGE" not in fields or fields.get("HTTP_IF_RANGE", entity_tag).strip() != entity_tag:
        return None
    return requested_range(fields["HTTP_RANGE"], size)


def _body(source: Source, part: Range, content_type: str, is_get: bool, user_id: int) -> HttpResponseBase:
    length = part.end - part.start
    response: HttpResponseBase
    if not is_get:
        response = HttpResponse(content_type=content_type)
    elif source.whole is not None and length == source.size:
        response = HttpResponse(source.whole, content_type=content_type)
    elif length <= WHOLE_BELOW:
        response = HttpResponse(b"".join(source.pieces(*part)), content_type=content_type)
    else:
        pieces = Counted(_slices(source.pieces(*part)), transfers.begin(user_id))
        response = StreamingHttpResponse(pieces, content_type=content_type)
    response.headers["Content-Length"] = str(length)
    return response


def _slices(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), SLICE):
            yield piece[start : start + SLICE]


def _validated(response: HttpResponseBase, entity_tag: str) -> HttpResponseBase:
    response.headers["ETag"] = entity_tag
    response.headers["Cache-Control"] = CACHE_CONTROL
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = SECURITY_POLICY
    return response
