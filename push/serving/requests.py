"""HTTP requests to the process `push`: small ones, whose answers may last for days."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from push.outlets import Backlog

LARGEST_BODY = 4_096
"""Nothing that this process answers has a body."""


@implementer(IPushProducer)
class StreamOutlet:
    """The way out of a response that goes on (`push.outlets.Outlet`)."""

    __slots__ = ("_is_registered", "_request", "backlog", "on_drained")

    def __init__(self, request: StreamRequest) -> None:
        self._request: StreamRequest | None = request
        self.backlog = Backlog()
        self.on_drained: Callable[[], None] | None = None
        self._is_registered = False

    @property
    def is_full(self) -> bool:
        """See `Outlet`."""
        return self.backlog.is_full

    def write(self, data: bytes) -> None:
        """See `Outlet`."""
        if self._request is not None and not self._request.finished:
            if not self._is_registered:
                with suppress(AttributeError, OSError):  # a unix socket has nothing to wait for
                    self._request.transport.setTcpNoDelay(True)
                self._request.registerProducer(self, True)
                self._is_registered = True
            self.backlog.wrote(len(data))
            self._request.handle_reply({"type": "http.response.body", "body": data, "more_body": True})

    def end(self, code: int, reason: str) -> None:
        """See `Outlet`; an event stream has no codes."""
        request, self._request = self._request, None
        if request is not None and not request.finished:
            if self._is_registered:
                request.unregisterProducer()
            request.handle_reply({"type": "http.response.body", "body": b"", "more_body": False})

    def abort(self) -> None:
        """See `Outlet`."""
        request, self._request = self._request, None
        if request is not None:
            request.transport.abortConnection()

    def pauseProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Twisted: the client does not keep up."""
        self.backlog.fill()

    def resumeProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Twisted: the client has taken in what was sent."""
        self.backlog.drain()
        if self.on_drained is not None:
            self.on_drained()

    def stopProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Twisted: the connection is gone."""
        self._request = None
        self.backlog.drain()


class StreamRequest(WebRequest):  # type: ignore[misc]  # untyped base
    """A request; its URL is in no text about it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.outlet = StreamOutlet(self)
        super().__init__(*arguments, **named)

    def gotLength(self, length: int | None) -> None:  # noqa: N802  # Twisted's name
        """Twisted: the header fields are there. A body of any size would be taken in, and put into a file."""
        if length is None or length > LARGEST_BODY:
            self.content = BytesIO()
            self.channel.transport.write(
                b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            self.channel.transport.loseConnection()
        else:
            super().gotLength(length)

    def __repr__(self) -> str:
        return f"<StreamRequest client={self.client_addr!r}>"


class StreamFactory(HTTPFactory):  # type: ignore[misc]  # untyped base
    """Makes the protocols of new connections."""

    def buildProtocol(self, address: Any) -> Any:  # noqa: N802  # Twisted's name
        """Twisted: a connection has come."""
        protocol = super().buildProtocol(address)
        protocol.requestFactory = StreamRequest
        return protocol

    def log(self, request: Any) -> None:
        """Twisted: a request is over. Its own log would have the URL."""
