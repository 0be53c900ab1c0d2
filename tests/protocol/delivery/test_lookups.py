"""What a Postfix asks (socketmap_table(5)): requests and answers as netstrings over sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from accounts.provisioning import add_alias, grant_access, set_catch_all, set_user_suspended
from tests.support.cast import Cast
from tests.support.databases import postgresql_away
from tests.support.lmtp import SECONDS, RunningServer, running_server


@contextmanager
def connected(server: RunningServer, path: str = "") -> Iterator[tuple[socket.socket, IO[bytes]]]:
    """A connection to the lookups."""
    family = socket.AF_UNIX if path else socket.AF_INET
    with socket.socket(family) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path or ("127.0.0.1", server.lookup_port))
        with connection.makefile("rb") as file:
            yield connection, file


def netstring(text: str) -> bytes:
    """A netstring, whose length counts octets."""
    octets = text.encode()
    return b"%d:%s," % (len(octets), octets)


def answer_of(file: IO[bytes]) -> str:
    """The next answer; empty at the end of the connection."""
    digits = b""
    while (octet := file.read(1)) not in (b":", b""):
        digits += octet
    if not digits:
        return ""
    found = file.read(int(digits))
    assert file.read(1) == b","
    return found.decode()


def look_up(server: RunningServer, *requests: str, path: str = "") -> list[str]:
    """The answers to requests on one connection."""
    with connected(server, path) as (connection, file):
        connection.sendall(b"".join(netstring(request) for request in requests))
        return [answer_of(file) for _ in requests]


def test_domains(cast: Cast, lmtp: RunningServer) -> None:
    domain = cast.north_domain.name
    assert look_up(
        lmtp,
        f"domains {domain}",
        f"domains {domain.upper()}",
        "domains elsewhere.example",
        "domains ",
        "domains a b",
    ) == [f"OK {domain}", f"OK {domain}", "NOTFOUND ", "NOTFOUND ", "NOTFOUND "]


def test_recipients(cast: Cast, lmtp: RunningServer) -> None:
    domain = cast.north_domain.name
    alias = add_alias(f"info@{domain}", cast.alice.account)
    assert look_up(
        lmtp,
        f"recipients {cast.alice.address}",
        f"recipients Alice+x@{domain}",
        f"recipients {alias.address}",
        f"recipients nobody@{domain}",
        f"recipients @{domain}",
        "recipients alice",
        "recipients alice@elsewhere.example",
    ) == [
        f"OK {cast.alice.address}",
        f"OK alice+x@{domain}",
        f"OK {alias.address}",
        *["NOTFOUND "] * 4,
    ]


def test_the_catch_all_makes_recipients_of_all(cast: Cast, lmtp: RunningServer) -> None:
    set_catch_all(cast.north_domain, cast.alice.account)
    address = f"anybody@{cast.north_domain.name}"
    assert look_up(lmtp, f"recipients {address}") == [f"OK {address}"]


def test_a_suspended_user_is_there_and_refused(cast: Cast, lmtp: RunningServer) -> None:
    requests = (
        f"recipients {cast.alice.address}",
        f"access {cast.alice.address}",
        f"senders {cast.alice.address}",
    )
    assert look_up(lmtp, requests[1]) == ["NOTFOUND "]
    set_user_suspended(cast.alice.user, True)
    found = look_up(lmtp, *requests)
    set_user_suspended(cast.alice.user, False)
    assert found == [f"OK {cast.alice.address}", "OK 550 5.2.1 This account takes no mail now", "NOTFOUND "]


def test_senders(cast: Cast, lmtp: RunningServer) -> None:
    domain = cast.north_domain.name
    alias = add_alias(f"info@{domain}", cast.alice.account)
    grant_access(cast.alice.account, cast.bob.user, may_send_as=True)
    both = f"OK {cast.alice.address},{cast.bob.address}"
    requests = (f"senders {cast.alice.address}", f"senders {alias.address}", f"senders {cast.bob.address}")
    assert look_up(lmtp, *requests, f"senders nobody@{domain}") == [
        both,
        both,
        f"OK {cast.bob.address}",
        "NOTFOUND ",
    ]


def test_by_the_unix_socket(cast: Cast, lmtp: RunningServer) -> None:
    assert look_up(lmtp, f"domains {cast.north_domain.name}", path=lmtp.lookup_socket) == [
        f"OK {cast.north_domain.name}"
    ]


@pytest.mark.parametrize("request_", ["what a@example", "domains", "", "recipients\ta@example"])
def test_maps_that_are_none(lmtp: RunningServer, request_: str) -> None:
    assert look_up(lmtp, request_) == ["PERM there is no such map"]


def test_while_the_database_is_away(cast: Cast, lmtp: RunningServer) -> None:
    with postgresql_away():
        assert look_up(lmtp, f"domains {cast.north_domain.name}") == ["TEMP not possible now"]
    assert look_up(lmtp, f"domains {cast.north_domain.name}") == [f"OK {cast.north_domain.name}"]


@pytest.mark.parametrize(
    "octets",
    [b"x", b":,", b"-1:,", b"12345:", b"2001:", b"3:abcd", b"4294967296:", b"GET / HTTP/1.1\r\n", b"1 :a,"],
)
def test_what_is_no_request_ends_the_connection(lmtp: RunningServer, octets: bytes) -> None:
    with connected(lmtp) as (connection, file):
        connection.sendall(octets)
        assert answer_of(file) == ""


def test_octets_that_are_no_text(lmtp: RunningServer) -> None:
    with connected(lmtp) as (connection, file):
        connection.sendall(b"9:domains \xff,")
        assert answer_of(file) == "NOTFOUND "


def test_a_peer_that_is_not_trusted(database: None, tmp_path: Path) -> None:
    with running_server(tmp_path, trusted="192.0.2.0/24") as server, connected(server) as (_, file):
        assert answer_of(file) == ""


def test_a_client_that_asks_nothing_is_left(database: None, tmp_path: Path) -> None:
    with running_server(tmp_path, idle_seconds=0.2) as server, connected(server) as (_, file):
        assert answer_of(file) == ""
