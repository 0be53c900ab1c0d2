"""What the session says of push: the capability of RFC 8887, and a vendor's own one for tickets (RFC 8620 §1.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from jmapcore.protocol.registry import Capability, Registry

WEB_SOCKET = "urn:ietf:params:jmap:websocket"
TICKETS = "https://jmapsite.example/jmap/push-tickets"
"""Never looked up: the name of the capability. docs/push.md says what it means."""


def web_socket_url() -> str:
    """Where WebSockets connect to."""
    scheme, _, rest = str(settings.PUSH_PUBLIC_URL).partition("://")
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/jmap/websocket"


def event_source_url() -> str:
    """Where event sources connect to, without its variables."""
    return f"{settings.PUSH_PUBLIC_URL}/jmap/eventsource"


def _web_socket() -> Mapping[str, Any]:
    return {"url": web_socket_url(), "supportsPush": True}


def _tickets() -> Mapping[str, Any]:
    return {
        "webSocketTicketUrl": f"{settings.PUBLIC_URL}/jmap/ticket/websocket",
        "eventSourceTicketUrl": f"{settings.PUBLIC_URL}/jmap/ticket/eventsource",
    }


def register_push(target: Registry) -> None:
    """Register the capabilities of the connections that last."""
    target.add_capability(Capability(WEB_SOCKET, _web_socket))
    target.add_capability(Capability(TICKETS, _tickets))
