"""What goes over a WebSocket (RFC 8887 §4.3): the objects of the client, and those of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from jmapcore.protocol.errors import NotRequest, RequestError


@dataclass(frozen=True, slots=True)
class Enable:
    """WebSocketPushEnable (RFC 8887 §4.3.5.2)."""

    types: frozenset[str] | None
    push_state: str


@dataclass(frozen=True, slots=True)
class Disable:
    """WebSocketPushDisable (RFC 8887 §4.3.5.3)."""


@dataclass(frozen=True, slots=True)
class Call:
    """A Request (RFC 8887 §4.3.2): its members are looked at where it is run."""

    value: dict[str, Any]


class MessageError(Exception):
    """A message that is answered with a RequestError (RFC 8887 §4.3.4)."""

    def __init__(self, error: RequestError, request_id: str | None) -> None:
        super().__init__(error.detail)
        self.error = error
        self.request_id = request_id


def request_id_of(value: Any) -> str | None:
    """The `id` that a client gave its message; None where it gave none that is one."""
    found = value.get("id") if type(value) is dict else None
    return found if type(found) is str else None


def read_message(value: Any) -> Enable | Disable | Call:
    """The message that a JSON value is. Raises `MessageError`."""
    request_id = request_id_of(value)
    if type(value) is not dict:
        raise MessageError(NotRequest("A message must be a JSON object."), None)
    if "id" in value and request_id is None:
        raise MessageError(NotRequest('The member "id" must be a string.'), None)
    match value.get("@type"):
        case "Request":
            return Call(value)
        case "WebSocketPushDisable":
            return Disable()
        case "WebSocketPushEnable":
            types, push_state = value.get("dataTypes"), value.get("pushState")
            if types is not None and (
                type(types) is not list or not all(type(each) is str for each in types)
            ):
                raise MessageError(
                    NotRequest('The member "dataTypes" must be an array of strings or null.'), request_id
                )
            if push_state is not None and type(push_state) is not str:
                raise MessageError(NotRequest('The member "pushState" must be a string.'), request_id)
            return Enable(None if types is None else frozenset(types), push_state or "")
    known = "Request, WebSocketPushEnable or WebSocketPushDisable"
    raise MessageError(NotRequest(f'The member "@type" must be {known}.'), request_id)


def response(pieces: list[bytes], request_id: str | None) -> bytes:
    """A Response (RFC 8887 §4.3.3): the very octets of one over HTTP, with two members before them."""
    named = b"" if request_id is None else b'"requestId":%b,' % orjson.dumps(request_id)
    return b'{"@type":"Response",%b%b' % (named, b"".join(pieces)[1:])


def request_error(document: dict[str, Any], request_id: str | None) -> bytes:
    """A RequestError (RFC 8887 §4.3.4): the problem document of HTTP, and whose it is."""
    return orjson.dumps({"@type": "RequestError", "requestId": request_id, **document})
