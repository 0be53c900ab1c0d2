"""The mail of the benchmark reaches another server through JMAP: here, an empty account of the service itself."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

import pytest
from django.db import transaction

from accounts.access import ALL_SCOPES
from accounts.credentials import create_access_token
from accounts.provisioning import create_tenant, create_user
from bench.exchange import Request, answers
from bench.letters import Correspondence
from bench.peer_mail import filled
from bench.profiling import InProcess
from bench.target import Target
from jmapsite.wsgi import application

MESSAGES = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """A server with an account that was filled, and the account."""

    service: InProcess
    target: Target


@pytest.fixture(scope="module")
def peer(database: None) -> Peer:
    """An account that was empty, filled with 60 messages."""
    domain = f"peer-{secrets.token_hex(8)}.example"
    with transaction.atomic():
        create_tenant(f"Peer {domain}", domain=domain)
        owner = create_user(f"reader@{domain}", name="Reader")
        _, token = create_access_token(owner, scopes=sorted(ALL_SCOPES))
    empty = Target("127.0.0.1", 8000, f"Bearer {token}", f"a{owner.account.pk}", {}, (), "", ())
    service = InProcess(application, empty)
    return Peer(service, filled(service.exchange, empty, MESSAGES, 1))


def count(peer: Peer) -> int:
    query = {"accountId": peer.target.account_id, "calculateTotal": True, "limit": 1}
    [found] = answers(peer.service.exchange, ("Email/query", query))
    total: int = found["total"]
    return total


def upload(peer: Peer, raw: bytes) -> str:
    to = peer.target.addresses.upload_to(peer.target.account_id)
    response = peer.service.exchange(Request("POST", to, raw, "message/rfc822"))
    blob_id: str = response.json()["blobId"]
    return blob_id


def test_every_message_arrives(peer: Peer) -> None:
    assert count(peer) == MESSAGES


def test_there_are_eighteen_mailboxes(peer: Peer) -> None:
    [found] = answers(
        peer.service.exchange, ("Mailbox/get", {"accountId": peer.target.account_id, "ids": None})
    )
    assert len(found["list"]) == 18


def test_the_target_names_emails_and_roles(peer: Peer) -> None:
    assert len(peer.target.emails) == MESSAGES
    assert peer.target.mailboxes.keys() == {"inbox", "sent", "drafts", "archive", "junk", "trash"}


def test_filling_again_adds_nothing(peer: Peer) -> None:
    again = filled(peer.service.exchange, peer.target, MESSAGES, 1)
    assert (again, count(peer)) == (peer.target, MESSAGES)


def test_what_a_run_added_goes(peer: Peer) -> None:
    inbox = {peer.target.mailboxes["inbox"]: True}
    emails = {"new": {"blobId": upload(peer, Correspondence(2).new_message(0.5)), "mailboxIds": inbox}}
    answers(peer.service.exchange, ("Email/import", {"accountId": peer.target.account_id, "emails": emails}))
    filled(peer.service.exchange, replace(peer.target, emails=()), MESSAGES, 1)
    assert count(peer) == MESSAGES
