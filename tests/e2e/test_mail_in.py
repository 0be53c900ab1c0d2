"""Mail comes into the running service, and a JMAP client sees it."""

from __future__ import annotations

import smtplib
import socket
from pathlib import Path

import pytest

from tests.support.directories import new_var_dir
from tests.support.http_client import Client
from tests.support.service import manage, running_service

pytestmark = pytest.mark.e2e

ANN = "ann@mail-in.example"


def managed(path: Path, *arguments: str) -> str:
    """What a command prints."""
    done = manage(path, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_message_from_an_mta_is_in_the_inbox() -> None:
    with new_var_dir() as path, running_service(path) as service:
        managed(path, "create_tenant", "Mail in", "--domain", "mail-in.example")
        managed(path, "create_user", ANN)
        client = Client(service.port, managed(path, "create_access_token", ANN).split()[-1])
        client.open()
        with socket.create_connection(("127.0.0.1", service.lookup_port)) as lookups:
            lookups.sendall(b"30:recipients ann@mail-in.example,")
            assert lookups.recv(100) == b"22:OK ann@mail-in.example,"
        for target in ("127.0.0.1", str(path / "lmtp.sock")):
            with smtplib.LMTP(target, service.lmtp_port) as mta:
                mta.sendmail("zoe@example.org", [ANN], f"Subject: by {len(target)}\r\n\r\nHello\r\n".encode())
        mailboxes, ids = client.call(("Mailbox/get", {"ids": None}), ("Email/query", {}))
        (emails,) = client.call(("Email/get", {"ids": ids["ids"], "properties": ["mailboxIds"]}))
        [inbox] = [mailbox["id"] for mailbox in mailboxes["list"] if mailbox["role"] == "inbox"]
        assert [email["mailboxIds"] for email in emails["list"]] == [{inbox: True}] * 2
        assert service.stop() == 0
    assert any("Mail in" in line for line in service.printed)
