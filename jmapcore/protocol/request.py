"""The Request object (RFC 8620 §3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jmapcore.protocol.errors import NotRequest
from jmapcore.protocol.ijson import loads
from jmapcore.protocol.wire import is_id


@dataclass(frozen=True, slots=True)
class Invocation:
    """One method call: its name, its arguments, and the client's id for it (RFC 8620 §3.2)."""

    name: str
    arguments: dict[str, Any]
    call_id: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks in one go."""

    using: tuple[str, ...]
    calls: tuple[Invocation, ...]
    created_ids: dict[str, str] | None


def parse_request(body: bytes) -> Request:
    """The Request object in a body. Raises `NotJSON` or `NotRequest`; unknown members are ignored (§3.3)."""
    return request_of(loads(body))


def request_of(value: Any) -> Request:
    """The Request object that a JSON value is. Raises `NotRequest`; unknown members are ignored (§3.3)."""
    if type(value) is not dict:
        raise NotRequest("The request must be a JSON object.")
    using = value.get("using")
    if type(using) is not list or not all(type(uri) is str for uri in using):
        raise NotRequest('The member "using" must be an array of strings.')
    calls = value.get("methodCalls")
    if type(calls) is not list:
        raise NotRequest('The member "methodCalls" must be an array of invocations.')
    created_ids = value.get("createdIds")
    if "createdIds" in value and not _is_id_map(created_ids):
        raise NotRequest('The member "createdIds" must be an object that maps ids to ids.')
    return Request(tuple(using), tuple(map(_invocation, calls)), created_ids)


def _invocation(value: Any) -> Invocation:
    if (
        type(value) is not list
        or len(value) != 3
        or type(value[0]) is not str
        or type(value[1]) is not dict
        or type(value[2]) is not str
    ):
        raise NotRequest("Each invocation must be [name, arguments, call id].")
    return Invocation(value[0], value[1], value[2])


def _is_id_map(value: Any) -> bool:
    return type(value) is dict and all(is_id(key) and is_id(item) for key, item in value.items())
