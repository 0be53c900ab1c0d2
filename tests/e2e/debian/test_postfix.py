"""Mail through a real MTA, in and out, as in deploy/postfix."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.directories import new_var_dir
from tests.support.elsewhere import Elsewhere, elsewhere
from tests.support.http_client import Client
from tests.support.ports import free_ports
from tests.support.postfix import Postfix, running_postfix
from tests.support.service import Service, manage, running_service

pytestmark = pytest.mark.debian

ANN, BOB = "ann@postfix.example", "bob@postfix.example"
Found = TypeVar("Found")


@dataclass
class Site:
    """A service behind Postfix, with two users, and a server elsewhere."""

    service: Service
    postfix: Postfix
    elsewhere: Elsewhere
    ann: Client
    bob: Client


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """All of it, for the tests of this module one after the other."""
    lmtp_port, lookup_port, smtp_port, relay_port, elsewhere_port = free_ports(5)
    with (
        new_var_dir() as path,
        elsewhere(elsewhere_port) as others,
        running_postfix(
            port=smtp_port,
            relay_port=relay_port,
            lmtp_port=lmtp_port,
            lookup_port=lookup_port,
            elsewhere_port=elsewhere_port,
        ) as postfix,
        running_service(
            path,
            LMTP_PORT=str(lmtp_port),
            LOOKUP_PORT=str(lookup_port),
            MAIL_RELAY_URL=f"smtp://127.0.0.1:{relay_port}",
        ) as service,
    ):
        _managed(path, "create_tenant", "Post", "--domain", "postfix.example")
        clients = []
        for address in (ANN, BOB):
            _managed(path, "create_user", address)
            token = _managed(path, "create_access_token", address).split()[-1]
            clients.append(Client(service.port, token))
            clients[-1].open()
        yield Site(service, postfix, others, *clients)
        service.stop()


def _managed(path: Path, *arguments: str) -> str:
    done = manage(path, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def awaited(look: Callable[[], Found | None], seconds: float = 30) -> Found:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return found


def inbox_message(client: Client, subject: str) -> dict[str, Any] | None:
    """The message of that subject in the user's Inbox, as soon as it is there."""
    [boxes] = client.call(("Mailbox/query", {"filter": {"role": "inbox"}}))
    [found] = client.call(
        ("Email/query", {"filter": {"inMailbox": boxes["ids"][0]}, "sort": [{"property": "receivedAt"}]})
    )
    [emails] = client.call(
        (
            "Email/get",
            {
                "ids": found["ids"],
                "properties": [
                    "subject",
                    "from",
                    "to",
                    "blobId",
                    "threadId",
                    "header:Return-Path",
                    "preview",
                ],
            },
        )
    )
    return next((each for each in emails["list"] if subject in each["subject"]), None)


def send(client: Client, sender: str, to: str, subject: str, **envelope: Any) -> str:
    """Write and send a message; the submission's id."""
    [boxes] = client.call(("Mailbox/query", {"filter": {"role": "drafts"}}))
    [identities] = client.call(("Identity/get", {"ids": None}))
    draft = {
        "mailboxIds": {boxes["ids"][0]: True},
        "keywords": {"$draft": True},
        "from": [{"email": sender}],
        "to": [{"email": to}],
        "subject": subject,
        "textBody": [{"partId": "1", "type": "text/plain"}],
        "bodyValues": {"1": {"value": "Grüße\n"}},
    }
    submission = {
        "identityId": identities["list"][0]["id"],
        "emailId": "#d",
        "envelope": {"mailFrom": {"email": sender, **envelope}, "rcptTo": [{"email": to}]},
    }
    _, answer = client.call(
        ("Email/set", {"create": {"d": draft}}),
        ("EmailSubmission/set", {"create": {"s": submission}}),
    )
    assert answer["created"], answer
    return str(answer["created"]["s"]["id"])


def submission(client: Client, submission_id: str) -> dict[str, Any]:
    """The submission as it is now."""
    [answer] = client.call(("EmailSubmission/get", {"ids": [submission_id]}))
    found: dict[str, Any] = answer["list"][0]
    return found


def test_mail_from_outside_is_seen_by_a_client(site: Site) -> None:
    content = f"From: out@elsewhere.example\r\nTo: {ANN}\r\nSubject: From outside\r\n\r\nHello\r\n"
    with smtplib.SMTP("127.0.0.1", site.postfix.port) as client:
        assert client.sendmail("out@elsewhere.example", [ANN], content) == {}
    email = awaited(lambda: inbox_message(site.ann, "From outside"))
    assert email["header:Return-Path"].strip() == "<out@elsewhere.example>"


def test_an_unknown_recipient_is_refused_in_the_dialogue(site: Site) -> None:
    with smtplib.SMTP("127.0.0.1", site.postfix.port) as client:
        client.ehlo("elsewhere.example")
        client.mail("out@elsewhere.example")
        code, words = client.rcpt("nobody@postfix.example")
    assert (code, words.split()[0]) == (550, b"5.1.1")


def test_mail_with_detail_is_taken(site: Site) -> None:
    content = "From: out@elsewhere.example\r\nSubject: With detail\r\n\r\nHello\r\n"
    with smtplib.SMTP("127.0.0.1", site.postfix.port) as client:
        client.sendmail("out@elsewhere.example", ["ann+lists@postfix.example"], content)
    assert awaited(lambda: inbox_message(site.ann, "With detail"))["subject"] == "With detail"


def test_mail_to_an_address_elsewhere_arrives_there(site: Site) -> None:
    number = send(site.ann, ANN, "friend@elsewhere.example", "To elsewhere")

    def arrived() -> Any:
        return next(
            (each for each in site.elsewhere.taken if each.message["Subject"] == "To elsewhere"), None
        )

    taken = awaited(arrived)
    assert taken.recipients == ("friend@elsewhere.example",)
    assert taken.message.get_content().strip() == "Grüße"
    ended = awaited(
        lambda: found if (found := submission(site.ann, number))["undoStatus"] == "final" else None
    )
    assert ended["deliveryStatus"]["friend@elsewhere.example"]["smtpReply"].startswith("250")


def test_mail_to_a_colleague_goes_out_and_comes_back(site: Site) -> None:
    send(site.ann, ANN, BOB, "To a colleague")
    email = awaited(lambda: inbox_message(site.bob, "To a colleague"))
    assert email["from"] == [{"name": None, "email": ANN}]


def test_a_submission_that_waits_is_undone_and_never_leaves(site: Site) -> None:
    number = send(site.ann, ANN, "friend@elsewhere.example", "Taken back", parameters={"HOLDFOR": "3600"})
    [answer] = site.ann.call(("EmailSubmission/set", {"update": {number: {"undoStatus": "canceled"}}}))
    assert answer["notUpdated"] is None
    send(site.ann, ANN, "friend@elsewhere.example", "Sent after it")
    awaited(
        lambda: next(
            (each for each in site.elsewhere.taken if each.message["Subject"] == "Sent after it"), None
        )
    )
    assert [each for each in site.elsewhere.taken if each.message["Subject"] == "Taken back"] == []
    assert submission(site.ann, number)["undoStatus"] == "canceled"


def test_a_bounce_is_in_the_inbox_and_in_the_delivery_status(site: Site) -> None:
    to = "refused@elsewhere.example"
    number = send(site.ann, ANN, to, "To nobody")
    awaited(lambda: inbox_message(site.ann, "Undelivered"))

    def bounced() -> dict[str, Any] | None:
        found = submission(site.ann, number)
        return found if found["deliveryStatus"][to]["delivered"] == "no" else None

    found = awaited(bounced)
    assert len(found["dsnBlobIds"]) == 1
    assert "550" in found["deliveryStatus"][to]["smtpReply"]
