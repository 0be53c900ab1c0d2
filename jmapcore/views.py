"""The views behind the edge: session, API, upload, download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import unquote_plus

import orjson
import psycopg
import psycopg_pool
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

from accounts.access import AccountAccess, Caller
from jmapcore import concurrency
from jmapcore.answer import Answer
from jmapcore.blobs.download import send_download
from jmapcore.blobs.upload import receive_upload
from jmapcore.context import RequestContext, account_number, account_wire_id, opens_blobs
from jmapcore.draining import drain
from jmapcore.protocol.dispatch import Dispatcher, Limits
from jmapcore.protocol.errors import (
    AccountNotFound,
    LimitExceeded,
    MethodError,
    NotJSON,
    RequestError,
    ServerUnavailable,
)
from jmapcore.protocol.request import Request, parse_request
from jmapcore.registry import registry
from jmapcore.session import session_of
from jmapcore.store.database import unconfirmed_connection
from jmapcore.store.write import UnknownAccountError
from jmapcore.transfers import Pace

if TYPE_CHECKING:
    from jmapcore.edge import RequestLog

Environ = dict[str, Any]

JSON_HEADERS = [
    ("Content-Type", "application/json; charset=utf-8"),
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
]
_BODY = "jmapcore.body"
_TEMPORARY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.OperationalError,
    psycopg_pool.PoolTimeout,
)


def session(environ: Environ, caller: Caller, log: RequestLog, groups: tuple[str, ...]) -> Answer:
    """The Session resource (RFC 8620 §2)."""
    return Answer(200, JSON_HEADERS, [session_of(caller, registry).body])


def api(environ: Environ, caller: Caller, log: RequestLog, groups: tuple[str, ...]) -> Answer:
    """One API request (RFC 8620 §3.1). The body is read before a place to work is taken."""
    if (environ.get("CONTENT_TYPE") or "").split(";", 1)[0].strip().lower() != "application/json":
        raise NotJSON("The media type of a request must be application/json.")
    with concurrency.requests.one(caller.user_id):
        body = read_body(environ)
        with concurrency.at_work(caller.user_id):
            answer = run_request(body, caller, log)
    return Answer(200, JSON_HEADERS, answer)


def run_request(body: bytes, caller: Caller, log: RequestLog) -> list[bytes]:
    """The Response object of the Request object in a body. Raises `RequestError`."""
    return run_parsed(parse_request(body), caller, log)


def run_parsed(request: Request, caller: Caller, log: RequestLog) -> list[bytes]:
    """The Response object of a Request object, for HTTP and whatever else carries requests. Raises `RequestError`."""
    log.methods = ",".join(call.name if call.name in registry.methods else "?" for call in request.calls)
    created_ids = dict(request.created_ids or {})
    limits = Limits(
        settings.JMAP_LIMITS["maxCallsInRequest"],
        settings.JMAP_MAX_SIZE_ANSWER,
        settings.JMAP_REQUEST_SECONDS,
    )
    context = RequestContext(caller, unconfirmed_connection, registry, frozenset(request.using), created_ids)
    try:
        responses = Dispatcher(registry, limits, context, translate).run(request)
    finally:
        context.close()
    if context.account_ids:
        log.accounts = ",".join(account_wire_id(number) for number in sorted(context.account_ids))
    created = b"" if request.created_ids is None else b'"createdIds":%b,' % orjson.dumps(context.created_ids)
    state = orjson.dumps(session_of(caller, registry).state)
    end = b'],%b"sessionState":%b}' % (created, state)
    return [b'{"methodResponses":[', b",".join(responses), end]


def translate(error: Exception) -> MethodError | None:
    """What an exception of the layers below is to a client; None: nothing that was foreseen."""
    if isinstance(error, _TEMPORARY):
        return ServerUnavailable(type(error).__name__)
    if isinstance(error, UnknownAccountError):
        return AccountNotFound()
    return None


def read_body(environ: Environ) -> bytes:
    """The body of an API request, `maxSizeRequest` octets at most; the same when asked again. Raises `LimitExceeded`."""
    if _BODY in environ:
        return cast("bytes", environ[_BODY])
    limit = settings.JMAP_LIMITS["maxSizeRequest"]
    announced = environ.get("CONTENT_LENGTH") or ""
    stream = cast("BinaryIO", environ["wsgi.input"])
    pace = Pace()
    is_announced = announced.isascii() and announced.isdigit()
    if is_announced:
        expected = int(announced)
        body = stream.read(expected) if expected <= limit else b""
    else:
        body = stream.read(limit + 1)  # chunked: the stream ends where the last chunk ends
        expected = len(body)
    if expected > limit:
        del body
        drain(environ, stream.read, expected if is_announced else None, limit)
        raise LimitExceeded("maxSizeRequest", f"A request may have {limit} octets.")
    if len(body) < expected:
        raise NotJSON("The request body ended before its Content-Length.")
    pace.check(expected)
    environ[_BODY] = body
    return body


def _account(caller: Caller, text: str) -> AccountAccess:
    if not opens_blobs(registry, caller):
        raise RequestError("This credential does not open what the account's blobs are part of.", status=403)
    number = account_number(text)
    for access in caller.accounts:
        if access.account_id == number:
            return access
    raise RequestError("There is no such account.", status=404)


def upload(environ: Environ, caller: Caller, log: RequestLog, groups: tuple[str, ...]) -> Answer:
    """Upload a blob (RFC 8620 §6.1)."""
    access = _account(caller, groups[0])
    log.accounts = account_wire_id(access.account_id)
    return Answer.of_response(receive_upload(WSGIRequest(environ), access))


def download(environ: Environ, caller: Caller, log: RequestLog, groups: tuple[str, ...]) -> Answer:
    """Download a blob (RFC 8620 §6.2)."""
    account_id, blob_id, name = groups
    access = _account(caller, account_id)
    log.accounts = account_wire_id(access.account_id)
    return Answer.of_response(send_download(environ, access, blob_id, name, _asked_type(environ)))


def _asked_type(environ: Environ) -> str:
    """The variable `type` of a downloadUrl."""
    query: str = environ.get("QUERY_STRING") or ""
    if query.startswith("type=") and "&" not in query and query.isascii():
        return unquote_plus(query[5:])
    return str(WSGIRequest(environ).GET.get("type", ""))
