"""Frames as RFC 6455 has them, and as it forbids them: what the server takes, and how it ends what it does not."""

from __future__ import annotations

import json
import socket
import struct
import time

import pytest

from tests.support.cast import Cast
from tests.support.push_process import SECONDS, PushProcess
from tests.support.web_socket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    WebSocketClient,
    frame,
)

pytestmark = pytest.mark.e2e
ECHO = json.dumps(
    {
        "@type": "Request",
        "using": ["urn:ietf:params:jmap:core"],
        "methodCalls": [["Core/echo", {"é": "€"}, "0"]],
    },
    ensure_ascii=False,
).encode()
PROTOCOL_ERROR, UNSUPPORTED, NO_STATUS, INVALID, TOO_BIG = 1002, 1003, 1005, 1007, 1009


def is_answered(client: WebSocketClient) -> bool:
    """Whether the next message is the answer to `ECHO`."""
    return bool(client.receive()["methodResponses"] == [["Core/echo", {"é": "€"}, "0"]])


def fragments(size: int) -> list[bytes]:
    """`ECHO` in frames of so many octets: characters and numbers are cut wherever it falls."""
    parts = [ECHO[first : first + size] for first in range(0, len(ECHO), size)]
    return [
        frame(CONTINUATION if index else TEXT, part, final=index == len(parts) - 1)
        for index, part in enumerate(parts)
    ]


@pytest.mark.rfc("8887", "4.3")
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_a_message_in_fragments_is_one_message(push: PushProcess, cast: Cast, size: int) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(b"".join(fragments(size)))
        assert is_answered(client)


@pytest.mark.rfc("8887", "4.3")
def test_octets_one_by_one_are_one_message(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in frame(TEXT, ECHO):
            client.raw(bytes([octet]))
        assert is_answered(client)


def test_control_frames_between_fragments_are_answered_in_between(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        first, *rest = fragments(40)
        client.raw(first + frame(PING, b"are you there?") + frame(PONG, b"unasked"))
        assert client.pong() == b"are you there?"
        client.raw(b"".join(rest))
        assert is_answered(client)


def test_empty_fragments_are_nothing(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(
            frame(TEXT, b"", final=False) + frame(CONTINUATION, ECHO, final=False) + frame(CONTINUATION, b"")
        )
        assert is_answered(client)


@pytest.mark.rfc("8887", "4.3.1")
def test_a_binary_message_ends_the_connection(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(BINARY, ECHO))
        assert client.close_code() == UNSUPPORTED


@pytest.mark.rfc("8887", "4.3")
@pytest.mark.parametrize(
    "payload", [b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"abc\xe2\x82"]
)
def test_a_text_that_is_not_utf_8_ends_the_connection(push: PushProcess, cast: Cast, payload: bytes) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(TEXT, payload))
        assert client.close_code() == INVALID


def test_a_text_that_cannot_become_utf_8_ends_the_connection_before_it_is_complete(
    push: PushProcess, cast: Cast
) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(TEXT, b'{"a": "\xff', final=False))
        assert client.close_code() == INVALID


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(frame(TEXT, ECHO, masked=False), id="no mask"),
        pytest.param(frame(CONTINUATION, ECHO), id="continuation of nothing"),
        pytest.param(frame(TEXT, b"{", final=False) + frame(TEXT, b"}"), id="message within a message"),
        pytest.param(frame(PING, b"x" * 126), id="long ping"),
        pytest.param(frame(PING, b"x", final=False), id="ping in fragments"),
        pytest.param(frame(0x3, b"x"), id="reserved opcode"),
        pytest.param(frame(0xB, b"x"), id="reserved control opcode"),
        pytest.param(bytes([0x80 | 0x40 | TEXT]) + frame(TEXT, ECHO)[1:], id="reserved bit"),
        pytest.param(frame(CLOSE, b"x"), id="half a close code"),
        *(
            pytest.param(frame(CLOSE, struct.pack("!H", code)), id=f"close code {code}")
            for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 65535)
        ),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(push: PushProcess, cast: Cast, sent: bytes) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(sent)
        assert client.close_code() == PROTOCOL_ERROR


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 3000, 4999])
def test_a_close_is_answered_with_its_code(push: PushProcess, cast: Cast, code: int) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(CLOSE, struct.pack("!H", code) + b"bye"))
        assert client.close_code() == code


def test_a_close_without_a_code_is_answered(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(CLOSE))
        assert client.close_code() == NO_STATUS


def test_a_close_without_a_reason_is_answered_with_its_code(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(CLOSE, struct.pack("!H", 1001)))
        assert client.close_code() == 1001


def test_a_close_reason_that_is_not_utf_8_ends_the_connection(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(CLOSE, struct.pack("!H", 1000) + b"\xff"))
        assert client.close_code() == INVALID


@pytest.mark.rfc("8887", "4.3.2")
@pytest.mark.parametrize("length", [10_200_000, 2**31, 2**62])
def test_a_frame_that_says_it_is_too_big_ends_the_connection_at_once(
    push: PushProcess, cast: Cast, length: int
) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(TEXT, b"{", length=length))
        assert client.close_code() == TOO_BIG


def test_fragments_that_together_are_too_big_end_the_connection(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(frame(TEXT, b"x" * 1_000_000, final=False))
        for _ in range(9):
            client.raw(frame(CONTINUATION, b"x" * 1_000_000, final=False))
        client.raw(frame(CONTINUATION, b"", final=False, length=1_000_000))
        assert client.close_code() == TOO_BIG


def test_unfinished_messages_of_one_user_are_bounded(push: PushProcess, cast: Cast) -> None:
    clients = [WebSocketClient.of(push.port, cast.alice) for _ in range(8)]
    for client in clients:
        client.raw(frame(TEXT, b"x" * 9_000_000, final=False))
    assert clients[-1].close_code() == 1013
    with WebSocketClient.of(push.port, cast.bob) as other:
        other.raw(frame(TEXT, ECHO))
        assert is_answered(other)
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        (("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 7"), 400),
        (("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: short"), 400),
        (("Sec-WebSocket-Version: 13\r\n", ""), 400),
        (("Connection: Upgrade", "Connection: close"), 400),
    ],
)
def test_a_handshake_that_is_none_is_refused(
    push: PushProcess, cast: Cast, changed: tuple[str, str], status: int
) -> None:
    head = (
        "GET /jmap/websocket HTTP/1.1\r\nHost: push\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: jmap\r\nAuthorization: {cast.alice.bearer}\r\n\r\n"
    ).replace(*changed)
    with socket.create_connection(("127.0.0.1", push.port), timeout=SECONDS) as client:
        client.sendall(head.encode())
        assert client.recv(65_536).split()[1] == str(status).encode()


@pytest.mark.parametrize("opcode", [PING, PONG, TEXT, CONTINUATION])
def test_a_flood_of_small_frames_leaves_room_for_others(push: PushProcess, cast: Cast, opcode: int) -> None:
    many = frame(opcode, b"{") * 20_000
    if opcode == CONTINUATION:
        many = frame(TEXT, b" ", final=False) + frame(opcode, b" ", final=False) * 20_000
    with (
        WebSocketClient.of(push.port, cast.alice) as client,
        WebSocketClient.of(push.port, cast.bob) as other,
    ):
        client.socket.setblocking(False)
        sent = 0
        slowest = 0.0
        for _ in range(30):
            try:
                while sent < len(many):
                    sent += client.socket.send(many[sent : sent + 65_536])
            except BlockingIOError:
                pass
            asked = time.perf_counter()
            other.raw(frame(TEXT, ECHO))
            assert is_answered(other)
            slowest = max(slowest, time.perf_counter() - asked)
    assert slowest < 1.0
