"""WebSockets of the process `push`: what Daphne's protocol lacks of bounds, close codes and refusals."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor as installed_reactor
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from push.outlets import MOST_WAITING, Backlog

reactor: Any = installed_reactor

MOST_FRAMES = 250
"""Frames of one connection in a second, control frames among them; then it is not read until the second is over."""
READ_AT_ONCE = 16_384
"""Octets that are read from one connection before the others have their turn."""
MOST_UNFINISHED = 64_000_000
"""Octets of unfinished messages of one user in this process."""
TRY_AGAIN_LATER = 1013
CLOSE_SECONDS = 2
"""After a close frame the connection is dropped if the client has not answered it."""
MOST_BEFORE_OPEN = 16_384
"""Octets that may come behind the handshake before it is answered: a client has to wait for the answer."""

_unfinished: dict[int, int] = {}
_waiting: dict[int, int] = {}
"""What waits for the clients of each user, in octets."""


def _count(counts: dict[int, int], user_id: int, octets: int) -> int:
    """Add to what is counted for a user, or take away; what it is then. Users without any are not kept."""
    total = counts.get(user_id, 0) + octets
    if total:
        counts[user_id] = total
    else:
        counts.pop(user_id, None)
    return total


@implementer(IPushProducer)
class SocketOutlet:
    """The way out of a WebSocket (`push.outlets.Outlet`)."""

    __slots__ = ("_counted", "_protocol", "backlog", "on_drained")

    def __init__(self, protocol: SocketProtocol) -> None:
        self._protocol = protocol
        self.backlog = Backlog()
        self.on_drained: Callable[[], None] | None = None
        self._counted = 0

    @property
    def is_full(self) -> bool:
        """See `Outlet`."""
        return self.backlog.is_full

    def write(self, data: bytes) -> None:
        """See `Outlet`."""
        if self._protocol.state == self._protocol.STATE_OPEN:
            self.backlog.wrote(len(data))
            self._protocol.sendMessage(data, False)
            if self.count_waiting() > MOST_WAITING:
                self.abort()

    def count_waiting(self) -> int:
        """Note what waits for the client; what waits for all those of its user."""
        before, self._counted = self._counted, self.backlog.waiting
        return _count(_waiting, self._protocol.user_id, self._counted - before)

    def end(self, code: int, reason: str) -> None:
        """See `Outlet`."""
        self._protocol.close_with(code, reason)

    def abort(self) -> None:
        """See `Outlet`."""
        self._protocol.transport.abortConnection()

    def own(self, user_id: int) -> None:
        """Say whose connection it is."""
        self._protocol.user_id = user_id

    def pauseProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Twisted: the client does not keep up. It is not listened to either: what it asks would make it more."""
        self.backlog.fill()
        self._protocol.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Twisted: the client has taken in what was sent."""
        self.backlog.drain()
        self.count_waiting()
        self._protocol.read_on()
        if self.on_drained is not None:
            self.on_drained()

    def stopProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Twisted: the connection is gone."""
        self.backlog.drain()
        self.count_waiting()


class SocketProtocol(WebSocketProtocol):  # type: ignore[misc]  # untyped base
    """A WebSocket of one client."""

    failByDrop = False  # noqa: N815  # Autobahn's name: what breaks the protocol is told so by a close code
    echoCloseCodeReason = True  # noqa: N815  # Autobahn's name
    closeHandshakeTimeout = CLOSE_SECONDS  # noqa: N815  # Autobahn's name
    user_id = 0
    _frames = 0
    _second = 0.0
    _held_up: Any = None
    _partial = 0
    _refusal: dict[str, Any] | None = None

    def connectionMade(self) -> None:  # noqa: N802  # Twisted's name
        """Twisted: a request for a WebSocket has come over this connection."""
        # The channel of HTTP that the connection began with would get what is for the outlet, and be kept by it.
        self.transport.unregisterProducer()
        self.outlet = SocketOutlet(self)
        self.transport.registerProducer(self.outlet, True)
        self.transport.bufferSize = READ_AT_ONCE
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Twisted: octets have come."""
        if self.state == self.STATE_CONNECTING and len(self.data) + len(data) > MOST_BEFORE_OPEN + 16_384:
            self.transport.abortConnection()
            return
        super().dataReceived(data)

    def onOpen(self) -> None:  # noqa: N802  # Autobahn's name
        """Autobahn: the handshake is over. What it was is not needed any more, and there may be ten thousand of them."""
        super().onOpen()
        self.http_request_data = b""
        self.http_headers: dict[str, str] = {}
        self.http_request_uri = self.http_request_params = None
        self.clean_headers: list[tuple[bytes, bytes]] = []
        self._raw_query_string = b""
        self.request.headers = self.request.params = {}

    def onMessageFrameBegin(self, length: int) -> None:  # noqa: N802  # Autobahn's name
        """Autobahn: a data frame begins."""
        self._count_frame()
        super().onMessageFrameBegin(length)

    def onMessageFrameData(self, payload: bytes) -> None:  # noqa: N802  # Autobahn's name
        """Autobahn: a part of a data frame has come."""
        super().onMessageFrameData(payload)
        self._partial += len(payload)
        if _count(_unfinished, self.user_id, len(payload)) > MOST_UNFINISHED:
            self.close_with(TRY_AGAIN_LATER, "too many unfinished messages")

    def onMessageEnd(self) -> None:  # noqa: N802  # Autobahn's name
        """Autobahn: a message is complete."""
        self._forget_partial()
        super().onMessageEnd()

    def onPing(self, payload: bytes) -> None:  # noqa: N802  # Autobahn's name
        """Autobahn: a ping has come."""
        self._count_frame()
        super().onPing(payload)

    def onPong(self, payload: bytes) -> None:  # noqa: N802  # Autobahn's name
        """Autobahn: a pong has come."""
        self._count_frame()
        super().onPong(payload)

    def onClose(self, was_clean: bool, code: int | None, reason: str | None) -> None:  # noqa: N802  # Autobahn's
        """Autobahn: the connection is over."""
        self._forget_partial()
        self.outlet.stopProducing()
        # What nobody has taken in would be kept until the collector of cycles comes by.
        for layer in (self.transport, getattr(self.transport, "transport", None)):
            if isinstance(layer, FileDescriptor):
                layer.dataBuffer, layer._tempDataBuffer, layer._tempDataLen = b"", [], 0
        if self._held_up is not None:
            self._held_up.cancel()
            self._held_up = None
        if hasattr(self, "server"):  # else the handshake failed before Daphne knew of it
            super().onClose(was_clean, code, reason)

    def onAutoPingTimeout(self) -> None:  # noqa: N802  # Autobahn's name
        """Autobahn: no pong has come. None can, from a client that is still busy taking in an answer."""
        if self.outlet.is_full:
            self.autoPingTimeoutCall = None
        else:
            super().onAutoPingTimeout()

    def dropConnection(self, abort: bool = False) -> None:  # noqa: N802  # Autobahn's name
        """Autobahn: end the connection. A close frame that says what was wrong must not be thrown away with it."""
        if abort and self.failedByMe and not self.outlet.is_full:
            super().dropConnection(False)
            reactor.callLater(CLOSE_SECONDS, self.transport.abortConnection)
        else:
            super().dropConnection(abort)

    def check_timeouts(self) -> None:
        """Daphne: see to what is due."""
        if not self.outlet.is_full:
            super().check_timeouts()

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Daphne: the application says something. It may refuse the handshake with any HTTP answer (ASGI's "Denial Response")."""
        match message["type"]:
            case "websocket.http.response.start":
                self._refusal = message
            case "websocket.http.response.body":
                self._deny(message.get("body", b""))
            case "websocket.close" if self.state == self.STATE_OPEN:
                self.close_with(message.get("code") or 1000, message.get("reason") or "")
            case _:
                super().handle_reply(message)

    def close_with(self, code: int, reason: str) -> None:
        """Close with any code; Autobahn's own method takes a few of them."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code, reasonUtf8=reason.encode()[:123] or None, isReply=False)

    def read_on(self) -> None:
        """Read from the client, if nothing speaks against it."""
        if self._held_up is None and not self.outlet.is_full and self.connected:
            self.transport.resumeProducing()

    def _deny(self, body: bytes) -> None:
        assert self._refusal is not None
        status = HTTPStatus(self._refusal["status"])
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in self._refusal["headers"]]
        lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
        self.__dict__.pop("handshake_deferred", None)
        self.sendData(b"\r\n".join(lines))
        self.wasNotCleanReason = status.phrase
        self.server.protocol_disconnected(self)
        self.dropConnection(abort=False)

    def _count_frame(self) -> None:
        now = time.monotonic()
        if now - self._second >= 1:
            self._second = now
            self._frames = 0
        self._frames += 1
        if self._frames > MOST_FRAMES and self._held_up is None:
            self.transport.pauseProducing()
            self._held_up = reactor.callLater(self._second + 1 - now, self._let_go)

    def _let_go(self) -> None:
        self._held_up = None
        self.read_on()

    def _forget_partial(self) -> None:
        _count(_unfinished, self.user_id, -self._partial)
        self._partial = 0

    def __repr__(self) -> str:
        return f"<SocketProtocol client={getattr(self, 'client_addr', None)!r}>"


class SocketFactory(WebSocketFactory):  # type: ignore[misc]  # untyped base
    """Makes the protocols of new WebSockets."""

    protocol = SocketProtocol
