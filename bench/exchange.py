"""Requests, responses, and the lightest client that can tell them apart: HTTP/1.1 on a socket that is kept open."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

USING = ("urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail")
API = "/jmap/api"
"""Where the service takes API requests; a connection to another server sends them to that one's place."""

RECEIVE_SIZE = 262_144
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `ends_operation` False: what is counted and timed goes on with the next one."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/json"
    ends_operation: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """Status and body of an answer."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def refusal(self) -> str | None:
        """Why this is not the answer that was asked for; None where it is.

        Cheap: it looks for the words of RFC 8620 §3.6 and §5.3 and decodes nothing unless it finds them.
        """
        if self.status not in {200, 201}:
            return f"HTTP {self.status}: {self.body[:200].decode('utf-8', 'replace')}"
        if b'["error",' in self.body:
            errors = [answer[1] for answer in self.json()["methodResponses"] if answer[0] == "error"]
            return ", ".join(f"{error['type']} {error.get('description') or ''}".strip() for error in errors)
        for member in (b'"notUpdated":{"', b'"notCreated":{"'):
            if member in self.body:
                where = self.body.index(member)
                return self.body[where : where + 200].decode("utf-8", "replace")
        return None


Exchange = Callable[[Request], Response]
"""Sends a request and gives the answer. Raises `OSError`."""


class RefusedError(Exception):
    """The service did not answer a workload as the workload needs it; the text says what it said."""


def jmap(*calls: tuple[str, dict[str, Any]]) -> Request:
    """One API request (RFC 8620 §3.3) with these method calls; their call ids are "0", "1", …"""
    numbered = [[name, arguments, str(number)] for number, (name, arguments) in enumerate(calls)]
    body = {"using": USING, "methodCalls": numbered}
    return Request("POST", API, json.dumps(body, separators=(",", ":")).encode())


def result_of(number: int, name: str, path: str) -> dict[str, str]:
    """A reference to a result of an earlier call of the same request (RFC 8620 §3.7)."""
    return {"resultOf": str(number), "name": name, "path": path}


def answers(exchange: Exchange, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The arguments of the responses to these calls. Raises `RefusedError`."""
    response = exchange(jmap(*calls))
    refusal = response.refusal()
    if refusal is not None:
        raise RefusedError(refusal)
    return [answer[1] for answer in response.json()["methodResponses"]]


class KeptConnection:
    """One connection to the service that is kept open; not for several threads."""

    def __init__(self, host: str, port: int, authorization: str, api: str = API) -> None:
        self._socket = socket.create_connection((host, port), timeout=TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"Host: {host}:{port}\r\nAuthorization: {authorization}\r\n"
        self._api = api

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def encode(self, request: Request) -> bytes:
        """The octets of a request."""
        path = self._api if request.path == API else request.path
        head = f"{request.method} {path} HTTP/1.1\r\n{self._head}"
        if request.method == "POST":
            head += f"Content-Type: {request.content_type}\r\nContent-Length: {len(request.body)}\r\n"
        return head.encode("ascii") + b"\r\n" + request.body

    def exchange(self, request: Request) -> Response:
        """Send a request and wait for the whole answer. Raises `OSError`."""
        return self.send(self.encode(request))

    def send(self, octets: bytes) -> Response:
        """Send the octets of a request and wait for the whole answer. Raises `OSError`."""
        self._socket.sendall(octets)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            self._receive(received)
        head = bytes(received[:end]).lower()
        body = received[end + 4 :]
        if b"\r\ntransfer-encoding: chunked" in head:
            return Response(_status(head), self._chunked(body))
        length = _content_length(head)
        while len(body) < length:
            self._receive(body)
        return Response(_status(head), bytes(body))

    def _receive(self, into: bytearray) -> None:
        piece = self._socket.recv(RECEIVE_SIZE)
        if not piece:
            raise ConnectionError("The service closed the connection in the middle of an answer.")
        into += piece

    def _chunked(self, rest: bytearray) -> bytes:
        """The body of chunks (RFC 9112 §7.1) without trailers."""
        body = bytearray()
        while True:
            while (end := rest.find(b"\r\n")) < 0:
                self._receive(rest)
            size = int(bytes(rest[:end]).split(b";")[0], 16)
            while len(rest) < end + 2 + size + 2:
                self._receive(rest)
            body += rest[end + 2 : end + 2 + size]
            del rest[: end + 2 + size + 2]
            if size == 0:
                return bytes(body)


def _status(head: bytes) -> int:
    return int(head.split(b" ", 2)[1])


def _content_length(head: bytes) -> int:
    start = head.find(b"\r\ncontent-length:")
    if start < 0:
        return 0
    return int(head[start + 17 :].split(b"\r\n", 1)[0])
