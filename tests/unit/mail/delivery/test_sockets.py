"""Sockets that are listened at, and who may connect."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from accounts.client import trusted_networks
from mail.delivery.sockets import is_trusted, listen_at_path, listen_at_port


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("127.0.0.1", True),
        ("::ffff:127.0.0.1", True),
        ("", True),
        ("fe80::1%eth0", True),
        ("192.0.2.1", False),
        ("::1", False),
    ],
)
def test_who_is_trusted(peer: str, trusted: bool) -> None:
    assert is_trusted(peer, trusted_networks(["127.0.0.0/8", "fe80::/10"])) is trusted


def test_a_socket_that_was_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "below" / "lmtp.sock"
    listen_at_path(str(path)).close()
    with listen_at_path(str(path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert path.stat().st_mode & 0o777 == 0o600


def test_another_kind_of_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lmtp.sock"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="is no socket"):
        listen_at_path(str(path))
    assert path.read_text() == "precious"


def test_a_group_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        listen_at_path(str(tmp_path / "lmtp.sock"), "no-such-group")


def test_a_port_that_is_taken() -> None:
    with listen_at_port("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listen_at_port("127.0.0.1", first.getsockname()[1])
