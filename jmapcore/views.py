"""The views behind the edge: session, API, upload, download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, cast

import orjson
import psycopg
import psycopg_pool
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.access import AccountAccess, Caller
from jmapcore import concurrency
from jmapcore.context import RequestContext, account_number, account_wire_id
from jmapcore.protocol.dispatch import Dispatcher, Limits
from jmapcore.protocol.errors import (
    AccountNotFound,
    LimitExceeded,
    MethodError,
    NotJSON,
    RequestError,
    ServerUnavailable,
)
from jmapcore.protocol.request import parse_request
from jmapcore.registry import registry
from jmapcore.session import session_of
from jmapcore.store.database import connection
from jmapcore.store.write import UnknownAccountError

if TYPE_CHECKING:
    from jmapcore.edge import RequestLog

_NO_STORE = {"Cache-Control": "no-cache, no-store, must-revalidate"}
_TEMPORARY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.OperationalError,
    psycopg_pool.PoolTimeout,
)


def session(
    request: HttpRequest, caller: Caller, log: RequestLog, groups: tuple[str, ...]
) -> HttpResponseBase:
    """The Session resource (RFC 8620 §2)."""
    return HttpResponse(
        session_of(caller, registry).body, content_type="application/json; charset=utf-8", headers=_NO_STORE
    )


def api(request: HttpRequest, caller: Caller, log: RequestLog, groups: tuple[str, ...]) -> HttpResponseBase:
    """One API request (RFC 8620 §3.1). The body is read before a place to work is taken."""
    if request.META.get("CONTENT_TYPE", "").split(";", 1)[0].strip().lower() != "application/json":
        raise NotJSON("The media type of a request must be application/json.")
    with concurrency.requests.one(caller.user_id):
        body = read_body(request)
        with concurrency.at_work():
            answer = run_request(body, caller, log)
    return HttpResponse(answer, content_type="application/json; charset=utf-8", headers=_NO_STORE)


def run_request(body: bytes, caller: Caller, log: RequestLog) -> bytes:
    """The Response object of a Request object, for HTTP and whatever else carries requests. Raises `RequestError`."""
    request = parse_request(body)
    log.methods = ",".join(call.name if call.name in registry.methods else "?" for call in request.calls)
    created_ids = dict(request.created_ids or {})
    with connection() as lent:
        context = RequestContext(caller, lent, registry, frozenset(request.using), created_ids)
        limits = Limits(settings.JMAP_LIMITS["maxCallsInRequest"], settings.JMAP_MAX_SIZE_ANSWER)
        responses = Dispatcher(registry, limits, context, translate).run(request)
    if context.account_ids:
        log.accounts = ",".join(account_wire_id(number) for number in sorted(context.account_ids))
    created = b"" if request.created_ids is None else b'"createdIds":%b,' % orjson.dumps(context.created_ids)
    state = orjson.dumps(session_of(caller, registry).state)
    return b'{"methodResponses":[%b],%b"sessionState":%b}' % (b",".join(responses), created, state)


def translate(error: Exception) -> MethodError | None:
    """What an exception of the layers below is to a client; None: nothing that was foreseen."""
    if isinstance(error, _TEMPORARY):
        return ServerUnavailable(type(error).__name__)
    if isinstance(error, UnknownAccountError):
        return AccountNotFound()
    return None


def read_body(request: HttpRequest) -> bytes:
    """The body of an API request, `maxSizeRequest` octets at most. Raises `LimitExceeded`."""
    limit = settings.JMAP_LIMITS["maxSizeRequest"]
    announced = request.META.get("CONTENT_LENGTH") or ""
    stream = cast("BinaryIO", request.META["wsgi.input"])
    if announced.isdigit():
        expected = int(announced)
        body = stream.read(expected) if expected <= limit else b""
    else:
        body = stream.read(limit + 1)  # chunked: the stream ends where the last chunk ends
        expected = len(body)
    if expected > limit:
        raise LimitExceeded("maxSizeRequest", f"A request may have {limit} octets.")
    if len(body) < expected:
        raise NotJSON("The request body ended before its Content-Length.")
    return body


def _account(caller: Caller, text: str) -> AccountAccess:
    number = account_number(text)
    for access in caller.accounts:
        if access.account_id == number:
            return access
    raise RequestError("There is no such account.", status=404)


def upload(
    request: HttpRequest, caller: Caller, log: RequestLog, groups: tuple[str, ...]
) -> HttpResponseBase:
    """Upload a blob (RFC 8620 §6.1)."""
    from jmapcore.blobs.upload import receive_upload

    access = _account(caller, groups[0])
    log.accounts = account_wire_id(access.account_id)
    return receive_upload(request, access)


def download(
    request: HttpRequest, caller: Caller, log: RequestLog, groups: tuple[str, ...]
) -> HttpResponseBase:
    """Download a blob (RFC 8620 §6.2)."""
    from jmapcore.blobs.download import send_download

    account_id, blob_id, name = groups
    access = _account(caller, account_id)
    log.accounts = account_wire_id(access.account_id)
    media_type: Any = request.GET.get("type", "")
    return send_download(request, access, blob_id, name, media_type)
