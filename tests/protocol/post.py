"""Mail for the protocol tests: messages as octets, and their way into an account by upload and Email/import."""

from __future__ import annotations

from typing import Any

from tests.support.client import JMAPClient


def message(number: int = 1, *, subject: str = "Hello", body: str = "Text", fields: str = "") -> bytes:
    """A plain message; `fields` are further header fields, each with its CRLF. `number` makes it unlike others."""
    return (
        f"From: Ann Author {number} <ann{number}@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: {subject}\r\n"
        f"Message-ID: <m{number}@example.org>\r\nDate: Fri, 20 Nov 2020 10:00:00 +0100\r\n{fields}\r\n{body}\r\n"
    ).encode()


def reply(number: int, to: int, *, subject: str = "Re: Hello", body: str = "Reply") -> bytes:
    """A reply to message `to`."""
    return message(number, subject=subject, body=body, fields=f"In-Reply-To: <m{to}@example.org>\r\n")


def roles(client: JMAPClient) -> dict[str, str]:
    """The mailboxes of the client's account by their roles."""
    boxes = client.call("Mailbox/get", {"ids": None, "properties": ["role"]})["list"]
    return {box["role"]: box["id"] for box in boxes if box["role"]}


def add(client: JMAPClient, raw: bytes, *, mailboxes: list[str] | None = None, **properties: Any) -> str:
    """Import a message, into the Inbox unless told otherwise; the Email's id."""
    blob_id = client.upload(raw)["blobId"]
    boxes = mailboxes if mailboxes is not None else [roles(client)["inbox"]]
    given = {"blobId": blob_id, "mailboxIds": dict.fromkeys(boxes, True), **properties}
    answer = client.call("Email/import", {"emails": {"new": given}})
    assert answer["notCreated"] is None, answer
    email_id: str = answer["created"]["new"]["id"]
    return email_id


def received(second: int) -> str:
    """A moment for receivedAt."""
    return f"2020-11-20T10:00:{second:02d}Z"


def thread_of(client: JMAPClient, email_id: str) -> str:
    """The Thread of an Email."""
    thread: str = get(client, email_id, "threadId")["threadId"]
    return thread


def get(client: JMAPClient, email_id: str, *properties: str, **arguments: Any) -> dict[str, Any]:
    """One Email with these properties."""
    asked = {"ids": [email_id], "properties": list(properties) or None, **arguments}
    (email,) = client.call("Email/get", asked)["list"]
    found: dict[str, Any] = email
    return found


def mailbox(client: JMAPClient, mailbox_id: str) -> dict[str, Any]:
    """One mailbox with all its properties."""
    (box,) = client.call("Mailbox/get", {"ids": [mailbox_id]})["list"]
    found: dict[str, Any] = box
    return found


def create_mailbox(client: JMAPClient, **properties: Any) -> str:
    """A new mailbox; its id."""
    answer = client.call("Mailbox/set", {"create": {"new": {"name": "New", **properties}}})
    assert answer["notCreated"] is None, answer
    mailbox_id: str = answer["created"]["new"]["id"]
    return mailbox_id
