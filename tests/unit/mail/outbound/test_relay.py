"""Connections to relays: how they are protected, what is believed, and what the session says of it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from mail.outbound import offers
from mail.outbound.relay import Addressee, RelayConnection, RelayError, Transaction, dot_stuffed, xtext
from mail.outbound.relay_address import Relay, Security
from tests.support.relay import sink

MESSAGE = b"From: a@example.org\r\n\r\nText\r\n"
LETTER = Transaction("a@example.org", [Addressee("b@example.org")], MESSAGE)


@pytest.fixture
def tls(tmp_path: Path, settings: Any) -> ssl.SSLContext:
    """The context of a relay whose certificate the service believes."""
    authority = trustme.CA()
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    settings.MAIL_RELAY_CA = str(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(autouse=True)
def nothing_read() -> Iterator[None]:
    offers.forget()
    yield
    offers.forget()


@pytest.mark.parametrize("security", list(Security))
def test_a_message_goes_by_each_kind_of_connection(security: Security, tls: ssl.SSLContext) -> None:
    with sink(security=security, tls=tls) as relay:
        connection = RelayConnection(Relay("127.0.0.1", relay.port, security))
        assert [str(answer) for answer in connection.send(LETTER)] == ["250 OK"]
        connection.close()
    assert [each.recipients for each in relay.taken] == [("b@example.org",)]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_certificate_of_somebody_else_is_not_believed(
    security: Security, tls: ssl.SSLContext, settings: Any
) -> None:
    settings.MAIL_RELAY_CA = ""
    with sink(security=security, tls=tls) as relay:
        connection = RelayConnection(Relay("127.0.0.1", relay.port, security))
        with pytest.raises(RelayError, match=r"451 4\.4\.1"):
            connection.send(LETTER)
    assert relay.taken == []


def test_without_starttls_nothing_is_sent_in_the_clear() -> None:
    with sink() as relay:
        connection = RelayConnection(Relay("127.0.0.1", relay.port, Security.STARTTLS, "me", "secret"))
        with pytest.raises(RelayError, match="SMTPNotSupportedError"):
            connection.send(LETTER)
    assert (relay.taken, relay.commands) == ([], [])


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_who_signs_in_is_let_in(tls: ssl.SSLContext) -> None:
    with sink(security=Security.TLS, tls=tls, password=("me", "secret")) as relay:
        good = RelayConnection(Relay("127.0.0.1", relay.port, Security.TLS, "me", "secret"))
        assert [answer.code for answer in good.send(LETTER)] == [250]
        bad = RelayConnection(Relay("127.0.0.1", relay.port, Security.TLS, "me", "wrong"))
        with pytest.raises(RelayError, match="535") as raised:
            bad.send(LETTER)
        assert "wrong" not in str(raised.value)
        stranger = RelayConnection(Relay("127.0.0.1", relay.port, Security.TLS))
        assert [answer.code for answer in stranger.send(LETTER)] == [530]


def test_a_connection_that_the_relay_ended_meanwhile_is_made_again() -> None:
    with sink() as first:
        connection = RelayConnection(first.relay)
        connection.send(LETTER)
    with sink(port=first.port) as second:
        connection.send(LETTER)
        assert len(second.taken) == 1


def test_a_message_that_is_too_large_is_not_begun() -> None:
    with sink() as relay:
        connection = RelayConnection(relay.relay)
        large = Transaction("a@example.org", [Addressee("b@example.org")], MESSAGE * 2_000_000)
        assert [answer.code for answer in connection.send(large)] == [552]
    assert relay.commands == []


def test_other_letters_are_not_sent_to_a_relay_that_knows_none() -> None:
    with sink(knows_smtputf8=False) as relay:
        connection = RelayConnection(relay.relay)
        international = Transaction("a@example.org", [Addressee("jürgen@example.org")], MESSAGE)
        assert [str(answer)[:9] for answer in connection.send(international)] == ["553 5.6.7"]
    assert relay.commands == []


def test_a_control_character_ends_it() -> None:
    with sink() as relay:
        connection = RelayConnection(relay.relay)
        with pytest.raises(RelayError):
            connection.send(Transaction("a@example.org", [Addressee("b@example.org>\r\nRSET")], MESSAGE))
    assert relay.commands == []


def test_two_hundred_recipients_go_in_groups() -> None:
    with sink() as relay:
        names = [f"r{number}@example.org" for number in range(200)]
        answers = RelayConnection(relay.relay).send(
            Transaction("a@example.org", [Addressee(each) for each in names], MESSAGE)
        )
        assert [answer.code for answer in answers] == [250] * 200
    assert [each.recipients for each in relay.taken] == [tuple(names)]


def test_what_a_relay_offers_is_remembered(database: None, settings: Any) -> None:
    with sink(knows_dsn=False) as relay:
        settings.MAIL_RELAY = relay.relay
        assert submission_extensions() == ["8BITMIME", "DSN", "FUTURERELEASE", "SIZE", "SMTPUTF8"]
        before = offers.revision()
        connection = RelayConnection(relay.relay, lambda features: offers.learn(relay.relay.name, features))
        connection.send(LETTER)
        assert submission_extensions() == ["8BITMIME", "FUTURERELEASE", "SIZE", "SMTPUTF8"]
        assert offers.revision() != before
        offers.forget()
        assert submission_extensions() == ["8BITMIME", "FUTURERELEASE", "SIZE", "SMTPUTF8"]
        assert offers.submission_extensions()["SIZE"] == ["33554432"]
    settings.MAIL_RELAY = None
    assert "DSN" in offers.submission_extensions()


def submission_extensions() -> list[str]:
    return sorted(offers.submission_extensions())


@pytest.mark.parametrize(
    ("octets", "stuffed"),
    [
        (b".", b"..\r\n"),
        (b"a\r\n.\r\n..b\r\n", b"a\r\n..\r\n...b\r\n"),
        (b"a.\r\nb", b"a.\r\nb\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_periods_at_the_beginning_of_lines_are_doubled(octets: bytes, stuffed: bytes) -> None:
    assert dot_stuffed(octets) == stuffed


@pytest.mark.rfc("3461", "4")
def test_xtext() -> None:
    assert xtext("a+b=c d\x7f") == "a+2Bb+3Dc+20d+7F"
    assert xtext("jürgen@x") == "jürgen@x"
