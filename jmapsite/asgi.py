"""The ASGI application of the process `push`.

It answers every request with 204 No Content, which ends an EventSource without another attempt (HTML
Standard, Server-sent events, §9.2.3): state changes are not pushed yet, and clients poll instead.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jmapsite.settings")
django.setup()

Message = MutableMapping[str, Any]

_HEADERS = ((b"access-control-allow-origin", b"*"), (b"cache-control", b"no-store"))
_PREFLIGHT = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, OPTIONS"),
    # A wildcard does not cover Authorization (Fetch standard); an event source made of `fetch` sends all four.
    (b"access-control-allow-headers", b"Authorization, Content-Type, Accept, Last-Event-ID"),
    (b"access-control-max-age", b"86400"),
)


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer an HTTP request and a browser's preflight with 204, refuse a WebSocket."""
    del receive
    if scope["type"] == "http":
        headers = list(_PREFLIGHT if scope["method"] == "OPTIONS" else _HEADERS)
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
