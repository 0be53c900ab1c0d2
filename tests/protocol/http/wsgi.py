"""Requests as a WSGI server hands them over, for what Django's test client cannot say."""

from __future__ import annotations

import io
from typing import Any
from wsgiref.util import setup_testing_defaults

import orjson

from jmapcore.answer import Answer
from jmapcore.edge import Edge


def environ(
    method: str, path: str, authorization: str | None, body: Any = b"", **more: Any
) -> dict[str, Any]:
    """A WSGI environment; `body` is octets, or an object with `read`."""
    made: dict[str, Any] = {}
    setup_testing_defaults(made)
    path, _, query = path.partition("?")
    made |= {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "192.0.2.1"}
    if authorization is not None:
        made["HTTP_AUTHORIZATION"] = authorization
    if isinstance(body, bytes):
        made["wsgi.input"] = io.BytesIO(body)
        made["CONTENT_LENGTH"] = str(len(body))
    else:
        made["wsgi.input"] = body
    if method == "POST":
        made["CONTENT_TYPE"] = "application/json"
    made |= more
    return {name: value for name, value in made.items() if value is not None}


def answered(made: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON body (None where there is none) of the edge's answer."""
    answer = Edge().answer(made)
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, list)
    body = b"".join(answer.body)
    return answer.status, dict(answer.headers), orjson.loads(body) if body else None
