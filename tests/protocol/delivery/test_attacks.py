"""What an LMTP server must survive: smuggled messages, floods, slow clients, strangers."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from tests.support.cast import Cast
from tests.support.lmtp import SECONDS, RawClient, RunningServer, running_server
from tests.support.mail_store import message
from tests.support.received_mail import only, received

END = b".\r\n"


@pytest.mark.rfc("5321", "4.1.1.4")
@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n\0.\r\n", b"\n\n.\r\n"]
)
def test_no_second_message_is_smuggled_behind_the_first(cast: Cast, client: RawClient, end: bytes) -> None:
    smuggled = (
        b"MAIL FROM:<admin@example.org>\r\nRCPT TO:<" + cast.bob.address.encode() + b">\r\nDATA\r\n"
        b"Subject: smuggled\r\n\r\nPay\r\n.\r\n"
    )
    client.begin(cast.alice.address)
    assert client.content(b"Subject: one\r\n\r\nHello" + end + smuggled)[0][:9] == "554 5.6.0"
    # The smuggled commands were content of the one message, and nothing else answers them.
    assert client.say("NOOP")[:9] == "250 2.0.0"
    assert received(cast.bob) == []
    assert received(cast.alice) == []


def test_lone_line_ends_are_content_where_the_setting_takes_them(cast: Cast, tmp_path: Path) -> None:
    raw = b"Subject: one\r\n\r\nHello\n.\nMAIL FROM:<a@example.org>\r.\r\r\n"
    with running_server(tmp_path, is_strict=False) as server, RawClient(server.port) as client:
        client.greet().begin(cast.alice.address)
        assert client.content(raw + END)[0][:9] == "250 2.1.5"
        assert client.say("NOOP")[:9] == "250 2.0.0"
    assert only(cast.alice).raw.endswith(raw)


@pytest.mark.parametrize(
    "body", [b"a\0b\r\n", b"lone\nline feed\r\n", b"lone\rcarriage return\r\n", b"x" * 1_048_577 + b"\r\n"]
)
def test_what_is_no_message_is_refused_and_the_session_goes_on(
    cast: Cast, client: RawClient, body: bytes
) -> None:
    client.begin(cast.alice.address)
    assert client.content(b"Subject: one\r\n\r\n" + body + END)[0][:9] == "554 5.6.0"
    client.begin(cast.alice.address)
    assert client.content(message("two") + END)[0][:9] == "250 2.1.5"
    assert only(cast.alice).subject == "Lunch"


@pytest.mark.parametrize(
    "command",
    [
        b"MAIL FROM:<a@example.org>\nRCPT TO:<b@example.org>\r\n",
        b"MAIL FROM:<a@example.org\r>\r\n",
        b"MAIL FROM:<a@example.org\0>\r\n",
        b"RCPT TO:<a@example.org\x0bb>\r\n",
        b"LHLO a\tb\r\n",
        b"NOOP\r\r\n",
    ],
)
def test_no_command_holds_another(client: RawClient, command: bytes) -> None:
    client.send(command)
    assert client.reply()[:9] == "500 5.5.2"


def test_a_host_name_cannot_put_words_into_the_received_field(client: RawClient) -> None:
    assert client.say("LHLO a by evil.example (x)")[:9] == "501 5.5.4"


def test_a_browser_that_was_talked_into_it_is_cut_off(lmtp: RunningServer) -> None:
    with RawClient(lmtp.port) as client:
        client.reply()
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nLHLO a\r\nMAIL FROM:<a@example.org>\r\n")
        assert client.reply()[:9] == "500 5.5.1"
        assert client.at_its_end()


def test_too_many_errors_end_the_connection(client: RawClient) -> None:
    for _ in range(20):
        assert client.say("WHAT")[:9] == "500 5.5.1"
    assert client.say("WHAT")[:9] == "500 5.5.1"
    assert client.reply()[:9] == "421 4.7.0"
    assert client.at_its_end()


@pytest.mark.rfc("5321", "4.5.3.1.10")
def test_ten_thousand_recipients(cast: Cast, client: RawClient) -> None:
    commands = f"RCPT TO:<{cast.alice.address}>\r\n".encode() * 10_000
    sending = threading.Thread(target=client.send, args=(b"MAIL FROM:<zoe@example.org>\r\n" + commands,))
    sending.start()
    assert client.reply()[:9] == "250 2.1.0"
    replies = [client.reply()[:9] for _ in range(10_000)]
    sending.join()
    assert replies == ["250 2.1.5"] * 1_000 + ["452 4.5.3"] * 9_000
    answers = client.content(message("one") + END, 1_000)
    assert {answer[:9] for answer in answers} == {"250 2.1.5"}
    assert only(cast.alice).subject == "Lunch"


def test_more_connections_than_there_may_be(database: None, tmp_path: Path) -> None:
    with running_server(tmp_path, connections=2) as server:
        with RawClient(server.port) as first, RawClient(server.port) as second:
            first.greet()
            second.greet()
            with RawClient(server.port) as third:
                assert third.reply()[:9] == "421 4.3.2"
                assert third.at_its_end()
        deadline = time.monotonic() + SECONDS
        while True:
            with RawClient(server.port) as fourth:
                if fourth.reply().startswith("220 "):
                    break
            assert time.monotonic() < deadline


def test_a_peer_that_is_not_trusted(database: None, tmp_path: Path) -> None:
    with running_server(tmp_path, trusted="192.0.2.0/24") as server:
        with RawClient(server.port) as client:
            assert client.reply()[:9] == "554 5.7.1"
            assert client.at_its_end()
        with RawClient(path=server.socket) as client:
            client.greet()


def test_a_client_that_says_nothing_is_left(database: None, tmp_path: Path) -> None:
    with running_server(tmp_path, idle_seconds=0.3) as server, RawClient(server.port) as client:
        client.greet()
        assert client.reply()[:9] == "421 4.4.2"
        assert client.at_its_end()


def test_content_that_comes_drop_by_drop(cast: Cast, tmp_path: Path) -> None:
    with running_server(tmp_path, content_seconds=0.5) as server, RawClient(server.port) as client:
        client.greet().begin(cast.alice.address)
        assert client.say("DATA").startswith("354 ")
        dripping = threading.Event()

        def drip() -> None:
            while not dripping.wait(0.05):
                try:
                    client.send(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        assert client.reply()[:9] == "421 4.4.2"
        dripping.set()
        thread.join()
    assert received(cast.alice) == []


def flood(client: RawClient) -> None:
    """Send hundreds of megabytes that have no end."""
    for _ in range(1_000):
        client.send(b"A line of text.\r\n" * 10_000)


def test_a_message_without_an_end_is_cut_off(cast: Cast, tmp_path: Path) -> None:
    with running_server(tmp_path, size=100_000) as server, RawClient(server.port) as client:
        client.greet().begin(cast.alice.address)
        assert client.say("DATA").startswith("354 ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            flood(client)
    assert received(cast.alice) == []


def test_a_client_that_goes_away_within_a_message(cast: Cast, lmtp: RunningServer) -> None:
    with RawClient(lmtp.port) as client:
        client.greet().begin(cast.alice.address)
        client.say("DATA")
        client.send(message("one"))
    with RawClient(lmtp.port) as client:
        client.greet().begin(cast.alice.address)
        assert client.content(message("two", subject="two") + END)[0][:9] == "250 2.1.5"
    assert only(cast.alice).subject == "two"


def test_a_client_that_sends_no_more_is_answered_yet(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address)
    client.say("DATA")
    client.send(message("one") + END)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.reply()[:9] == "250 2.1.5"
    assert client.at_its_end()


def test_a_header_of_many_fields(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address)
    raw = b"Subject: many\r\n" + b"X: y\r\n" * 200_000 + b"\r\nHello\r\n"
    assert client.content(raw + END)[0][:9] == "250 2.1.5"
    assert only(cast.alice).raw.endswith(raw)
