"""The client of the load processes: what it sends, how it reads answers, and what it takes for a refusal."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.exchange import API, KeptConnection, Request, Response, jmap


@contextmanager
def answering(*pieces: bytes) -> Iterator[KeptConnection]:
    """A connection to a server that sends these pieces whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            accepted, _ = server.accept()
            with accepted:
                accepted.recv(65536)
                for piece in pieces:
                    accepted.sendall(piece)

        thread = threading.Thread(target=answer)
        thread.start()
        connection = KeptConnection("127.0.0.1", server.getsockname()[1], "Bearer x")
        try:
            yield connection
        finally:
            connection.close()
            thread.join()


def test_a_body_of_known_length() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", b"llo") as connection:
        assert connection.exchange(Request("GET", "/")) == Response(200, b"hello")


def test_a_body_of_chunks() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with answering(head, b"3\r\nhel\r\n", b"2\r\nlo\r\n0\r\n\r\n") as connection:
        assert connection.exchange(Request("GET", "/")) == Response(200, b"hello")


def test_an_answer_without_a_body() -> None:
    with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as connection:
        assert connection.exchange(Request("GET", "/")) == Response(204, b"")


def test_a_connection_that_is_closed_early() -> None:
    with (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe") as connection,
        pytest.raises(ConnectionError),
    ):
        connection.exchange(Request("GET", "/"))


def test_api_requests_go_where_the_server_takes_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = KeptConnection("127.0.0.1", server.getsockname()[1], "Basic x", "/their/api")
        encoded = [connection.encode(Request("GET", path)).split(b" ")[1] for path in (API, "/other")]
        connection.close()
    assert encoded == [b"/their/api", b"/other"]


def test_a_created_blob_is_no_refusal() -> None:
    assert Response(201, b'{"blobId":"G1"}').refusal() is None


def test_calls_are_numbered() -> None:
    request = jmap(("Core/echo", {}), ("Core/echo", {"a": 1}))
    assert b'"methodCalls":[["Core/echo",{},"0"],["Core/echo",{"a":1},"1"]]' in request.body


def test_a_method_error_is_a_refusal() -> None:
    body = b'{"methodResponses":[["error",{"type":"unknownMethod"},"0"]]}'
    assert Response(200, body).refusal() == "unknownMethod"


def test_a_status_is_a_refusal() -> None:
    assert Response(404, b"gone").refusal() == "HTTP 404: gone"


def test_a_set_error_is_a_refusal() -> None:
    body = b'{"methodResponses":[["Email/set",{"notUpdated":{"e1":{"type":"notFound"}}},"0"]]}'
    refusal = Response(200, body).refusal()
    assert refusal is not None
    assert refusal.startswith('"notUpdated":{"e1"')


def test_an_answer_as_wished_is_none() -> None:
    assert Response(200, b'{"methodResponses":[["Email/set",{"notUpdated":null},"0"]]}').refusal() is None
