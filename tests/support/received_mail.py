"""What a person finds in the account after deliveries, seen by JMAP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.cast import Person
from tests.support.client import JMAPClient


@dataclass(frozen=True, slots=True)
class Received:
    """One Email, its octets, and the names of its mailboxes."""

    email: dict[str, Any]
    raw: bytes
    mailboxes: list[str]

    @property
    def subject(self) -> str:
        """Email.subject."""
        return str(self.email["subject"])

    @property
    def keywords(self) -> dict[str, bool]:
        """Email.keywords."""
        keywords: dict[str, bool] = self.email["keywords"]
        return keywords

    def header(self, name: str) -> list[str]:
        """The fields of a name, as they are but for the space before them."""
        return [
            each["value"].strip() for each in self.email["headers"] if each["name"].lower() == name.lower()
        ]


def received(person: Person) -> list[Received]:
    """All Emails of a person's account, the oldest first."""
    client = JMAPClient(person)
    names = {mailbox["id"]: mailbox["name"] for mailbox in client.call("Mailbox/get", {"ids": None})["list"]}
    ids = client.call("Email/query", {"sort": [{"property": "receivedAt"}, {"property": "subject"}]})["ids"]
    properties = ["id", "blobId", "subject", "keywords", "mailboxIds", "receivedAt", "headers", "size"]
    emails = client.call("Email/get", {"ids": ids, "properties": properties})["list"]
    return [
        Received(
            email,
            b"".join(client.download(email["blobId"])),
            sorted(names[each] for each in email["mailboxIds"]),
        )
        for email in emails
    ]


def only(person: Person) -> Received:
    """The one Email of a person's account."""
    [found] = received(person)
    return found
