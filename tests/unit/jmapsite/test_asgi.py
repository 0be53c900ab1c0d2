"""What the process `push` answers until state changes are pushed."""

from __future__ import annotations

import asyncio
from typing import Any

from jmapsite.asgi import application


def answered(scope: dict[str, Any]) -> list[Any]:
    """All messages that the application sends for one connection."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    return sent


def test_an_event_source_gives_up() -> None:
    start, body = answered({"type": "http", "method": "GET"})
    assert (start["status"], body["body"]) == (204, b"")
    assert dict(start["headers"])[b"access-control-allow-origin"] == b"*"


def test_a_preflight_allows_an_event_source_that_sends_its_token() -> None:
    headers = dict(answered({"type": "http", "method": "OPTIONS"})[0]["headers"])
    assert headers[b"access-control-allow-origin"] == b"*"
    allowed = headers[b"access-control-allow-headers"].decode().split(", ")
    assert {"Authorization", "Content-Type", "Last-Event-ID"} <= set(allowed)


def test_a_web_socket_is_closed() -> None:
    assert answered({"type": "websocket"}) == [{"type": "websocket.close", "code": 1000}]
