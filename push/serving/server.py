"""The server: Daphne's, with our protocols."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

from daphne import server as daphne_server  # before whatever else imports Twisted: it chooses the reactor
from django.conf import settings
from twisted.internet import reactor as installed_reactor

from push.outlets import OUTLET
from push.serving.requests import StreamFactory
from push.serving.sockets import SocketFactory, SocketProtocol

reactor: Any = installed_reactor

PING_SECONDS = 50
"""After so long without a message a WebSocket is pinged: proxies end what is silent for a minute."""
PONG_SECONDS = 30
HANDSHAKE_SECONDS = 20
SPARE = 65_536
"""Octets that a message may have beyond `maxSizeRequest` and still be answered with a RequestError; above it is 1009."""
CHECK_SECONDS = 5
GOING_AWAY = 1001


class PushServer(daphne_server.Server):  # type: ignore[misc]  # untyped base
    """Daphne with outlets. Nothing that it logs has the URL of a request, for tickets are in them."""

    def __init__(self, application: Callable[..., Any], endpoints: list[str]) -> None:
        largest = settings.JMAP_LIMITS["maxSizeRequest"] + SPARE
        super().__init__(
            application,
            endpoints=endpoints,
            websocket_timeout=-1,
            websocket_connect_timeout=HANDSHAKE_SECONDS,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
            websocket_max_message_size=largest,
            websocket_max_frame_size=largest,
            application_close_timeout=60,
            verbosity=0,
            server_name="",
        )

    def run(self) -> None:
        """Serve until the process is told to end."""
        raise_open_files()
        # Daphne makes its factories by these names, and has no other place to name others.
        daphne_server.HTTPFactory, daphne_server.WebSocketFactory = StreamFactory, SocketFactory
        reactor.callLater(CHECK_SECONDS, self._end_hopeless)
        super().run()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Daphne: begin to serve a request or a WebSocket. Its outlet goes with the scope."""
        scope["extensions"] = {OUTLET: protocol.outlet, "websocket.http.response": {}}
        return super().create_application(protocol, scope)

    def kill_all_applications(self) -> Any:
        """Daphne: the process ends. Clients of WebSockets are told so (RFC 6455 §7.4.1: going away)."""
        for protocol in self.connections:
            if isinstance(protocol, SocketProtocol):
                protocol.close_with(GOING_AWAY, "")
        for protocol, details in list(self.connections.items()):
            if "application_instance" not in details:  # nothing that Daphne's own method could look at
                del self.connections[protocol]
        return super().kill_all_applications()

    def _end_hopeless(self) -> None:
        for protocol in list(self.connections):
            if protocol.outlet.backlog.is_hopeless:
                protocol.outlet.abort()
        reactor.callLater(CHECK_SECONDS, self._end_hopeless)


def raise_open_files() -> None:
    """Let this process hold as many connections as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
