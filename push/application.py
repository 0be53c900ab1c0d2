"""The ASGI application of the process `push`: which connection goes where, and its beginning and end."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, NoReturn
from urllib.parse import parse_qs

import orjson
import psycopg
import psycopg_pool
from channels.routing import ProtocolTypeRouter

from accounts.authentication import AuthenticationError
from accounts.standing import Standing
from jmapcore.context import account_wire_id
from jmapcore.edge import RequestLine, RequestLog, common_headers
from jmapcore.edge import logger as request_logger
from jmapcore.protocol.errors import RequestError
from push.calls import in_entry_thread
from push.entry import address_of, enter, header
from push.outlets import OUTLET
from push.service import Service, service
from push.tickets import Transport
from push.transports.event_source import EventSource, parse_wishes
from push.transports.web_socket import UNSUPPORTED_DATA, WebSocket

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

EVENT_SOURCE_PATH = "/jmap/eventsource"
WEB_SOCKET_PATH = "/jmap/websocket"
SUBPROTOCOL = "jmap"

_PREFLIGHT: RawHeaders = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, OPTIONS"),
    # A wildcard does not cover Authorization (Fetch standard); an event source made of `fetch` sends all four.
    (b"access-control-allow-headers", b"Authorization, Content-Type, Accept, Last-Event-ID, Cache-Control"),
    (b"access-control-max-age", b"86400"),
]
_STREAM: RawHeaders = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]
"""No proxy may keep, compress or gather what is pushed."""


def _common() -> RawHeaders:
    return [(name.lower().encode(), value.encode()) for name, value in common_headers()]


def _problem(error: AuthenticationError | RequestError) -> tuple[int, RawHeaders, bytes]:
    """Status, header fields and body of a refusal (RFC 7807)."""
    document = error.problem() if isinstance(error, AuthenticationError) else error.document()
    headers = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store"), *_common()]
    headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    return error.status, headers, orjson.dumps(document)


def _log(log: RequestLog, method: str, status: int, started: float) -> None:
    if request_logger.isEnabledFor(logging.INFO):
        elapsed = (time.perf_counter() - started) * 1000
        request_logger.handle(
            RequestLine((log.request_id, method, log.accounts, log.methods, status, elapsed))
        )


async def _admit(scope: Scope, transport: Transport, log: RequestLog) -> tuple[Service, Standing]:
    """Let a connection in. Raises `AuthenticationError` and `RequestError`."""
    running = service()
    running.check_room()
    headers = scope["headers"]
    ticket = _ticket(scope["query_string"].decode("latin-1"))
    address = address_of(scope.get("client"), headers)
    try:
        standing = await in_entry_thread(
            partial(enter, transport, header(headers, b"authorization"), ticket, address)
        )
        running.check_user(standing.caller.user_id)
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        _unreachable(error, log)
    log.accounts = ",".join(account_wire_id(access.account_id) for access in standing.caller.accounts[:20])
    return running, standing


def _ticket(query: str) -> str | None:
    """The ticket in a URL; None where there is none."""
    try:
        found = parse_qs(query, max_num_fields=50).get("ticket", [])
    except ValueError:
        raise RequestError("The query of the URL has too many variables.") from None
    return found[0] if found else None


def _unreachable(error: Exception, log: RequestLog) -> NoReturn:
    logging.getLogger("push").warning("request %s: database: %s", log.request_id, type(error).__name__)
    raise RequestError(
        "The server cannot reach its database. Try again in a moment.",
        status=503,
        headers={"Retry-After": "5"},
    ) from None


async def http(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer an HTTP request: the event source, and nothing else."""
    started, log = time.perf_counter(), RequestLog(methods="eventsource")
    stream: EventSource | None = None
    method = scope["method"]
    if method == "OPTIONS":
        await _answer(send, 204, _PREFLIGHT, b"")
        return
    try:
        stream = await _open_stream(scope, log)
    except (AuthenticationError, RequestError) as error:
        status, headers, body = _problem(error)
        await _answer(send, status, headers, body)
        _log(log, method, status, started)
        return
    running = service()
    try:
        await send({"type": "http.response.start", "status": 200, "headers": [*_STREAM, *_common()]})
        stream.begin(header(scope["headers"], b"last-event-id") or "")
        _log(log, method, 200, started)
        scope.clear()  # it would be kept for as long as the connection
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        stream.close()
        running.hub.leave(stream)


async def _answer(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    if status != 204:
        headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _open_stream(scope: Scope, log: RequestLog) -> EventSource:
    if scope["path"].rstrip("/") != EVENT_SOURCE_PATH:
        raise RequestError("There is nothing here.", status=404)
    if scope["method"] != "GET":
        raise RequestError(
            "This URL does not take that method.", status=405, headers={"Allow": "GET, OPTIONS"}
        )
    try:
        wishes = parse_wishes(scope["query_string"].decode("latin-1"))
    except ValueError:
        raise RequestError("The query of the URL has too many variables.") from None
    running, standing = await _admit(scope, Transport.EVENT_SOURCE, log)
    stream = EventSource(running.hub, standing, scope["extensions"][OUTLET], wishes)
    running.hub.enter(stream)
    try:
        await running.hub.watch(stream)
    except BaseException as error:
        running.hub.leave(stream)
        if isinstance(error, psycopg.OperationalError | psycopg_pool.PoolTimeout):
            _unreachable(error, log)
        raise
    return stream


async def web_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket."""
    started, log = time.perf_counter(), RequestLog(methods="websocket")
    await receive()  # websocket.connect
    try:
        if scope["path"].rstrip("/") != WEB_SOCKET_PATH:
            raise RequestError("There is nothing here.", status=404)
        if SUBPROTOCOL not in scope["subprotocols"]:
            raise RequestError('The subprotocol "jmap" must be offered (RFC 8887 §4.2).', status=400)
        running, standing = await _admit(scope, Transport.WEB_SOCKET, log)
    except (AuthenticationError, RequestError) as error:
        status, headers, body = _problem(error)
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body})
        _log(log, "GET", status, started)
        return
    outlet = scope["extensions"][OUTLET]
    outlet.own(standing.caller.user_id)
    socket = WebSocket(running.hub, standing, outlet)
    running.hub.enter(socket)
    try:
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        _log(log, "GET", 101, started)
        scope.clear()  # it would be kept for as long as the connection
        while (message := await receive())["type"] == "websocket.receive":
            if message.get("text") is not None:
                await socket.received(message["text"])
            else:
                socket.end(UNSUPPORTED_DATA, "only text")
    finally:
        socket.close()
        running.hub.leave(socket)


application = ProtocolTypeRouter({"http": http, "websocket": web_socket})
