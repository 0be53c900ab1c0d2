"""Short ways to submit, for the tests of EmailSubmission."""

from __future__ import annotations

from typing import Any

from tests.protocol.post import add, roles
from tests.support.client import JMAPClient


def letter(
    sender: str,
    to: str = "bob@example.org",
    *,
    number: int = 1,
    fields: str = "",
) -> bytes:
    """A plain message from `sender`; `fields` are further header fields, each with its CRLF."""
    recipients = f"To: {to}\r\n" if to else ""
    return (
        f"From: Alice <{sender}>\r\n{recipients}Subject: Hello\r\nMessage-ID: <s{number}@example.org>\r\n"
        f"Date: Fri, 20 Nov 2020 10:00:00 +0100\r\n{fields}\r\nText\r\n"
    ).encode()


def draft(client: JMAPClient, to: str = "bob@example.org", *, number: int = 1, fields: str = "") -> str:
    """A draft of the client's own; the Email's id."""
    raw = letter(client.person.address, to, number=number, fields=fields)
    return add(client, raw, mailboxes=[roles(client)["drafts"]], keywords={"$draft": True})


def identity(client: JMAPClient) -> str:
    """The identity of the client's own address."""
    found: str = client.call("Identity/get", {"ids": None})["list"][0]["id"]
    return found


def envelope(client: JMAPClient, *recipients: str, **parameters: str | None) -> dict[str, Any]:
    """An envelope from the client to some recipients; `parameters` are those of mailFrom."""
    return {
        "mailFrom": {"email": client.person.address, "parameters": parameters or None},
        "rcptTo": [{"email": each, "parameters": None} for each in recipients],
    }


def submit(client: JMAPClient, email_id: str, **properties: Any) -> dict[str, Any]:
    """What EmailSubmission/set answers to one create."""
    given = {"identityId": identity(client), "emailId": email_id, **properties}
    return client.call("EmailSubmission/set", {"create": {"new": given}})


def submitted(client: JMAPClient, email_id: str, **properties: Any) -> str:
    """A new submission; its id."""
    answer = submit(client, email_id, **properties)
    assert answer["notCreated"] is None, answer
    found: str = answer["created"]["new"]["id"]
    return found


def get(client: JMAPClient, submission_id: str) -> dict[str, Any]:
    """One submission with all its properties."""
    (found,) = client.call("EmailSubmission/get", {"ids": [submission_id]})["list"]
    assert isinstance(found, dict)
    return found
