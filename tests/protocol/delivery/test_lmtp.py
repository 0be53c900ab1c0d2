"""LMTP (RFC 2033) as an MTA speaks it: commands, their order, their replies, and what is in the accounts afterwards."""

from __future__ import annotations

import re
import smtplib
from pathlib import Path

import pytest

from accounts.provisioning import set_user_suspended
from tests.support.cast import Cast
from tests.support.databases import postgresql_away
from tests.support.lmtp import HOST_NAME, RawClient, RunningServer, running_server
from tests.support.mail_store import message
from tests.support.received_mail import only, received

END = b".\r\n"


def test_mail_sent_by_the_standard_library(cast: Cast, lmtp: RunningServer) -> None:
    with smtplib.LMTP("127.0.0.1", lmtp.port) as client:
        assert client.sendmail("zoe@example.org", cast.alice.address, message("one")) == {}
    assert only(cast.alice).subject == "Lunch"


def test_mail_by_the_unix_socket(cast: Cast, lmtp: RunningServer) -> None:
    with smtplib.LMTP(lmtp.socket) as client:
        assert client.sendmail("zoe@example.org", cast.alice.address, message("one")) == {}
    assert "(unix socket)" in only(cast.alice).header("Received")[0]


def test_the_unix_socket_is_its_owners(lmtp: RunningServer) -> None:
    for path in (lmtp.socket, lmtp.lookup_socket):
        assert Path(path).stat().st_mode & 0o777 == 0o600


@pytest.mark.rfc("2033", "4.1")
def test_the_greeting_and_what_is_announced(lmtp: RunningServer) -> None:
    with RawClient(lmtp.port) as client:
        assert client.reply() == f"220 {HOST_NAME} LMTP"
        assert client.say("LHLO client.example").split("\n") == [
            f"250-{HOST_NAME}",
            "250-PIPELINING",
            "250-ENHANCEDSTATUSCODES",
            "250-8BITMIME",
            "250-SMTPUTF8",
            "250 SIZE 50000000",
        ]


@pytest.mark.rfc("2033", "4.1")
@pytest.mark.parametrize("command", ["HELO client.example", "EHLO client.example"])
def test_the_greetings_of_smtp_are_none(client: RawClient, command: str) -> None:
    assert client.say(command)[:9] == "500 5.5.1"


def test_commands_that_are_always_possible(client: RawClient) -> None:
    assert client.say("NOOP")[:9] == "250 2.0.0"
    assert client.say("NOOP anything")[:9] == "250 2.0.0"
    assert client.say("VRFY alice")[:9] == "252 2.5.0"
    assert client.say("HELP")[:9] == "214 2.0.0"
    assert client.say("RSET")[:9] == "250 2.0.0"
    assert client.say("QUIT")[:9] == "221 2.0.0"
    assert client.at_its_end()


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("", "500 5.5.1"),
        ("WHAT", "500 5.5.1"),
        ("EXPN list", "502 5.5.1"),
        ("BDAT 10 LAST", "502 5.5.1"),
        ("STARTTLS", "502 5.5.1"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1"),
        ("RSET now", "501 5.5.4"),
        ("QUIT now", "501 5.5.4"),
        ("LHLO", "501 5.5.4"),
        ("LHLO (a)", "501 5.5.4"),
        ("RCPT TO:<a@example>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("DATA now", "501 5.5.4"),
        ("MAIL", "501 5.5.4"),
        ("MAIL FROM:<a", "553 5.1.7"),
        ("MAIL FROM:<a@example> SIZE=x", "501 5.5.4"),
        ("MAIL FROM:<a@example> SIZE=50000001", "552 5.3.4"),
        ("MAIL FROM:<a@example> WHAT=1", "555 5.5.4"),
        ("MAIL FROM:<zoë@example>", "553 5.6.7"),
        (b"NOOP \xff", "500 5.5.2"),
        ("NOOP " + "x" * 5_000, "500 5.5.2"),
        ("NOOP " + "x" * 500_000, "500 5.5.2"),
    ],
)
def test_commands_that_are_refused_and_the_session_goes_on(
    client: RawClient, command: str | bytes, reply: str
) -> None:
    assert client.say(command)[:9] == reply
    assert client.say("NOOP")[:9] == "250 2.0.0"


def test_mail_needs_a_greeting(lmtp: RunningServer) -> None:
    with RawClient(lmtp.port) as client:
        client.reply()
        assert client.say("MAIL FROM:<a@example>")[:9] == "503 5.5.1"


def test_a_transaction_ends_before_another_begins(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address)
    assert client.say("MAIL FROM:<other@example.org>")[:9] == "503 5.5.1"
    assert client.say("RSET")[:9] == "250 2.0.0"
    assert client.say("DATA")[:9] == "503 5.5.1"
    client.begin(cast.alice.address)
    assert client.say("LHLO again.example").startswith("250-")
    assert client.say("RCPT TO:<a@example>")[:9] == "503 5.5.1"


def test_what_is_said_of_recipients(cast: Cast, client: RawClient) -> None:
    set_user_suspended(cast.bob.user, True)
    replies = client.begin(
        cast.alice.address, f"nobody@{cast.north_domain.name}", cast.bob.address, "a@elsewhere.example"
    )
    set_user_suspended(cast.bob.user, False)
    assert [reply[:9] for reply in replies] == ["250 2.1.5", "550 5.1.1", "550 5.2.1", "550 5.1.1"]


@pytest.mark.rfc("2033", "4.2")
def test_each_accepted_recipient_is_answered_in_order(cast: Cast, client: RawClient) -> None:
    loop = f"Delivered-To: {cast.bob.address}\r\n"
    addresses = [cast.alice.address, f"nobody@{cast.north_domain.name}", cast.bob.address, cast.alice.address]
    assert [reply[:3] for reply in client.begin(*addresses)] == ["250", "550", "250", "250"]
    replies = client.content(message("one", headers=loop) + END, 3)
    assert [reply[:9] for reply in replies] == ["250 2.1.5", "554 5.4.6", "250 2.1.5"]
    assert client.say("NOOP")[:9] == "250 2.0.0"
    assert (len(received(cast.alice)), received(cast.bob)) == (1, [])


@pytest.mark.rfc("2033", "4.2")
def test_data_without_a_recipient_is_refused(cast: Cast, client: RawClient) -> None:
    client.begin(f"nobody@{cast.north_domain.name}")
    assert client.say("DATA")[:9] == "503 5.5.1"


@pytest.mark.rfc("2920", "3.1")
def test_commands_in_one_piece_are_answered_one_by_one(cast: Cast, client: RawClient) -> None:
    unknown = f"nobody@{cast.north_domain.name}"
    client.send(
        f"MAIL FROM:<zoe@example.org>\r\nRCPT TO:<{cast.alice.address}>\r\nRCPT TO:<{unknown}>\r\n"
        f"RCPT TO:<{cast.bob.address}>\r\nRCPT broken\r\nDATA\r\n".encode()
    )
    replies = [client.reply()[:9] for _ in range(6)]
    assert replies[:5] == ["250 2.1.0", "250 2.1.5", "550 5.1.1", "250 2.1.5", "501 5.5.4"]
    assert replies[5].startswith("354 ")
    client.send(message("one") + END + b"NOOP\r\nQUIT\r\n")
    assert [client.reply()[:9] for _ in range(4)] == ["250 2.1.5", "250 2.1.5", "250 2.0.0", "221 2.0.0"]
    assert only(cast.bob).subject == "Lunch"


def test_messages_one_after_the_other_in_one_connection(cast: Cast, client: RawClient) -> None:
    for name in ("one", "two", "three"):
        client.begin(cast.alice.address)
        [reply] = client.content(message(name, subject=name) + END)
        assert reply == "250 2.1.5 Delivered"
    assert sorted(found.subject for found in received(cast.alice)) == ["one", "three", "two"]


def test_the_received_field_tells_the_way(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address)
    client.content(message("one") + END)
    [field] = only(cast.alice).header("Received")
    assert re.fullmatch(
        rf"from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby {HOST_NAME} \(jmapsite\) with LMTP id [0-9a-f]{{12}}\r\n"
        rf"\tfor <{cast.alice.address}>;\r\n\t.* \+0000",
        field,
    ), field


@pytest.mark.rfc("6531", "3.4")
def test_addresses_that_are_not_ascii(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address, sender="zoë@bücher.example", parameters=" SMTPUTF8 BODY=8BITMIME")
    [reply] = client.content("Subject: grüße\r\n\r\nHällo\r\n".encode() + END)
    assert reply[:9] == "250 2.1.5"
    found = only(cast.alice)
    assert found.subject == "grüße"
    assert found.raw.startswith("Return-Path: <zoë@bücher.example>\r\n".encode())
    assert "with UTF8LMTP id" in found.header("Received")[0]


def test_the_null_sender(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address, sender="")
    client.content(message("one") + END)
    assert only(cast.alice).header("Return-Path") == ["<>"]


def test_dots_at_the_beginning_of_lines_are_kept(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address)
    client.content(b"Subject: dots\r\n\r\n..\r\n...\r\n..a\r\n" + END)
    assert only(cast.alice).raw.endswith(b"Subject: dots\r\n\r\n.\r\n..\r\n.a\r\n")


def test_an_empty_message(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address)
    [reply] = client.content(END)
    assert reply[:9] == "250 2.1.5"
    assert only(cast.alice).raw.endswith(b"+0000\r\n")


def test_a_line_of_a_megabyte(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address)
    raw = message("one", body="x" * 1_048_576)
    assert client.content(raw + END)[0][:9] == "250 2.1.5"
    assert only(cast.alice).raw.endswith(raw)


def test_a_message_of_many_megabytes_goes_through_the_spool(
    cast: Cast, client: RawClient, lmtp: RunningServer
) -> None:
    client.begin(cast.alice.address, cast.bob.address)
    raw = message("one", body="A line of text.\r\n" * 300_000)
    assert [reply[:9] for reply in client.content(raw + END, 2)] == ["250 2.1.5"] * 2
    assert only(cast.bob).raw.endswith(raw)
    assert list(lmtp.spool.iterdir()) == []


@pytest.mark.rfc("1870", "6.2")
def test_a_message_that_is_larger_than_it_may_be(cast: Cast, tmp_path: Path) -> None:
    with running_server(tmp_path, size=10_000) as server, RawClient(server.port) as client:
        client.greet()
        assert client.say("MAIL FROM:<a@example> SIZE=10001")[:9] == "552 5.3.4"
        client.begin(cast.alice.address, cast.bob.address, parameters=" SIZE=10")
        replies = client.content(message("one", body="x" * 10_000) + END, 2)
        assert [reply[:9] for reply in replies] == ["552 5.3.4"] * 2
        client.begin(cast.alice.address, parameters=" SIZE=10")
        # A SIZE that is wrong is no reason to refuse what is small enough.
        assert client.content(message("two", body="x" * 1_000) + END)[0][:9] == "250 2.1.5"
    assert len(received(cast.alice)) == 1


def test_while_the_database_is_away_everybody_waits(cast: Cast, client: RawClient) -> None:
    client.begin(cast.alice.address)
    with postgresql_away():
        assert client.content(message("one") + END)[0][:9] == "451 4.3.0"
        client.begin()
        assert client.say(f"RCPT TO:<{cast.alice.address}>")[:9] == "451 4.3.0"
    assert client.say(f"RCPT TO:<{cast.alice.address}>")[:9] == "250 2.1.5"
    assert client.content(message("one") + END)[0][:9] == "250 2.1.5"
    assert len(received(cast.alice)) == 1
