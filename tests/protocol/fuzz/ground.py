"""Accounts with some mail for examples to play on: a new one every so often, and what was played on is verified."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from accounts.provisioning import grant_access
from jmapcore.protocol.schema import GET
from jmapcore.registry import registry
from jmapcore.store.database import connection
from mail.verify import verify
from tests.protocol.http.wsgi import answered, environ
from tests.support.cast import Person, make_person, make_tenant
from tests.support.client import JMAPClient
from tests.support.examples import bounded
from tests.support.shadow import Shadow

EXAMPLES_PER_ACCOUNT = 100
_FAILURES = {"serverFail", "serverUnavailable", "serverPartialFail"}
_NAMED = re.compile(r"@(\w+):(\w+)")

MAIL = [
    "From: Ann <ann@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Lunch\r\nMessage-ID: <1@example.org>\r\n\r\nAt one",
    "From: zo\u00eb@example.org\r\nSubject: Re: Lunch\r\nReferences: <1@example.org>\r\nMessage-ID: <2@example.org>\r\n\r\nYes",
    "Subject: =?utf-8?q?Z=C3=BCrich?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
    "Content-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\npng\r\n--b--\r\n",
    "Subject: html\r\nCc: a: b@example.org, c@example.org;\r\nContent-Type: text/html\r\n\r\n<p>Hello &lt; <b>lunch</b>",
    "Subject: \r\n",
    "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner",
]


class Ground:
    """Who plays, and what is known of the account: ids of each type, the states of now and of the beginning."""

    def __init__(self) -> None:
        self.examples = 0
        self._settle()

    def _settle(self) -> None:
        _, domain = make_tenant("North")
        self.person = make_person(domain, "Alice")
        self.other = make_person(domain, "Bob")
        grant_access(self.other.account, self.person.user)
        self.ids = {
            "account": [self.person.account_id, self.other.account_id],
            "Blob": [],
            "Email": [],
            "Mailbox": [],
        }
        self.states: dict[str, str] = {}
        for person in (self.other, self.person):
            self._fill(person)
        for declared in registry.types.values():
            if declared.has_account and GET in declared.methods:
                got = self.send(
                    [f"{declared.name}/get", {"accountId": self.person.account_id, "ids": None}, "0"]
                )
                known = [record["id"] for record in got["methodResponses"][0][1]["list"]]
                self.ids.setdefault(declared.name, known)
        emails = self.send(
            ["Email/get", {"accountId": self.person.account_id, "ids": self.ids["Email"]}, "0"]
        )
        self.ids["Thread"] = [email["threadId"] for email in emails["methodResponses"][0][1]["list"]]
        self.before = dict(self.states)
        self.shadow = Shadow(self.person.account)

    def _fill(self, person: Person) -> None:
        client = JMAPClient(self.person)
        emails = {}
        boxes = self.send(["Mailbox/get", {"accountId": person.account_id, "ids": None}, "0"])
        self.ids.update(
            {
                "Mailbox": [box["id"] for box in boxes["methodResponses"][0][1]["list"]],
                "Blob": [],
                "Email": [],
            }
        )
        for number, text in enumerate(MAIL):
            blob_id = client.upload(
                text.replace("ann@example.org", person.address).encode(), account_id=person.account_id
            )["blobId"]
            self.ids["Blob"].append(blob_id)
            emails[f"c{number}"] = {"blobId": blob_id, "mailboxIds": {self.ids["Mailbox"][0]: True}}
        answer = self.send(["Email/import", {"accountId": person.account_id, "emails": emails}, "0"])
        assert answer["methodResponses"][0][1]["notCreated"] is None

    def send(self, *calls: Any, **members: Any) -> dict[str, Any]:
        """The answer to a request; what no request may do fails the test."""
        document = {
            "using": list(registry.capabilities),
            "methodCalls": self.known(list(calls)),
            **members,
        }
        status, _, answer = answered(environ("POST", "/jmap/api", self.person.bearer, orjson.dumps(document)))
        assert status == 200 or (status == 400 and "type" in answer), (status, answer)
        for name, result, _ in answer.get("methodResponses", []):
            assert name != "error" or result["type"] not in _FAILURES, (result, calls)
            if name != "error" and name != "Core/echo":
                self._learn(name.partition("/")[0], result)
        found: dict[str, Any] = answer
        return found

    def _learn(self, kind: str, result: dict[str, Any]) -> None:
        state = result.get("newState") or result.get("state")
        if state:
            self.states[kind] = state
        created = result.get("created")
        if isinstance(created, dict):
            self.ids.setdefault(kind, []).extend(each["id"] for each in created.values() if "id" in each)
        for gone in result.get("destroyed") or ():
            if gone in self.ids.get(kind, ()):
                self.ids[kind].remove(gone)

    def _named(self, match: re.Match[str]) -> str:
        kind, which = match.groups()
        if kind in ("now", "before"):
            return (self.before if kind == "before" else self.states).get(which, "0")
        ids = self.ids.get(kind) or ["x1"]
        return ids[int(which) % len(ids)] if which.isdigit() else match[0]

    def known(self, value: Any) -> Any:
        """A value with what the account knows in place of the names for it."""
        if isinstance(value, str):
            return _NAMED.sub(self._named, value) if "@" in value else value
        if isinstance(value, list):
            return [self.known(item) for item in value]
        if isinstance(value, dict):
            return {self.known(name): self.known(item) for name, item in value.items()}
        return value

    @contextmanager
    def example(self) -> Iterator[None]:
        """One example: bounded, and on a new account when it is time."""
        if self.examples and self.examples % EXAMPLES_PER_ACCOUNT == 0:
            self.leave()
            self._settle()
        self.examples += 1
        with bounded():
            yield

    def leave(self) -> None:
        """What was played on holds together, and a client that followed the changes has it all."""
        for account in (self.person.account, self.other.account):
            with connection() as lent:
                assert verify(account.pk, lent) == []
        self.shadow.follow(after_each_write=False)
