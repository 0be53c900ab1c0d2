"""A WebSocket client on a plain socket, driven by wsproto; frames that no client should send are made by hand."""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError

from tests.support.cast import Person
from tests.support.push_process import SECONDS

PATH = "/jmap/websocket"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, length: int | None = None
) -> bytes:
    """A frame of RFC 6455 §5.2; `length` is what it says of its payload, if that is not so."""
    size = len(payload) if length is None else length
    head = bytes([opcode | (0x80 if final else 0)])
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65_536:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(octet ^ mask[index % 4] for index, octet in enumerate(payload))


class WebSocketClient:
    """A connection. Without a handshake that the server takes, `refused` is its HTTP status."""

    def __init__(
        self,
        port: int,
        authorization: str | None = None,
        *,
        path: str = PATH,
        subprotocols: tuple[str, ...] = ("jmap",),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._protocol = WSConnection(ConnectionType.CLIENT)
        headers = [] if authorization is None else [(b"authorization", authorization.encode())]
        self.socket.sendall(
            self._protocol.send(
                Request(f"127.0.0.1:{port}", path, extra_headers=headers, subprotocols=list(subprotocols))
            )
        )
        self._events: list[Event] = []
        self._text = ""
        self.refused = 0
        self.subprotocol: str | None = None
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ping_payloads: list[bytes] = []
        first = self._event()
        while isinstance(first, RejectConnection | RejectData):
            if isinstance(first, RejectConnection):
                self.refused = first.status_code
                self.headers = {name.decode(): value.decode() for name, value in first.headers}
                if not first.has_body:
                    break
            else:
                self.body += bytes(first.data)
                if first.body_finished:
                    break
            first = self._event()
        if isinstance(first, AcceptConnection):
            self.subprotocol = first.subprotocol

    @classmethod
    def of(cls, port: int, person: Person) -> WebSocketClient:
        """A connection of somebody."""
        opened = cls(port, person.bearer)
        assert not opened.refused, opened.body
        return opened

    def _event(self) -> Event:
        while not self._events:
            data = self.socket.recv(65_536)
            try:
                self._protocol.receive_data(data or None)
            except LocalProtocolError as error:
                raise ConnectionError("the connection has ended") from error
            self._events.extend(self._protocol.events())
        return self._events.pop(0)

    def raw(self, data: bytes) -> None:
        """Send octets as they are."""
        self.socket.sendall(data)

    def send(self, value: Any) -> None:
        """Send a text message: a string as it is, everything else as JSON."""
        text = value if isinstance(value, str) else json.dumps(value)
        self.raw(frame(TEXT, text.encode()))

    def text(self) -> str:
        """The next text message. Pings are answered on the way; a close fails the test."""
        while True:
            event = self._event()
            if isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    text, self._text = self._text, ""
                    return text
            elif isinstance(event, Ping):
                self.ping_payloads.append(bytes(event.payload))
                self.raw(self._protocol.send(event.response()))
            else:
                raise AssertionError(event)

    def receive(self) -> Any:
        """The JSON of the next text message."""
        return json.loads(self.text())

    def pong(self) -> bytes:
        """The payload of the next frame, which must be a pong."""
        event = self._event()
        assert isinstance(event, Pong), event
        return bytes(event.payload)

    def close_code(self) -> int:
        """The code that the server closes with; what it sends before is skipped."""
        while True:
            event = self._event()
            if isinstance(event, CloseConnection):
                return int(event.code)
            assert isinstance(event, TextMessage | BytesMessage | Ping | Pong), event

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def __enter__(self) -> WebSocketClient:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()
