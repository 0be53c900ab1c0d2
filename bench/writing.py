"""Workloads that write: flags, messages that are composed, messages that are imported."""

from __future__ import annotations

import json
from typing import Any

from bench.exchange import Request, jmap
from bench.letters import Correspondence
from bench.workload import Operations, Share

MANY = 100


class _Flags:
    """Which of a part's own Emails are seen, so that each update really changes something."""

    def __init__(self, share: Share) -> None:
        self._account_id = share.target.account_id
        self.emails = list(share.target.emails[share.part :: share.parts])
        share.random.shuffle(self.emails)
        get = {
            "accountId": self._account_id,
            "ids": [email.id for email in self.emails][:1000],
            "properties": ["keywords"],
        }
        found = share.exchange(jmap(("Email/get", get))).json()["methodResponses"][0][1]
        self._seen = {each["id"]: "$seen" in each["keywords"] for each in found.get("list", ())}
        self.emails = [email for email in self.emails if email.id in self._seen] or self.emails
        self._next = 0

    def flip(self, count: int) -> Request:
        """Email/set that changes the `$seen` of the next `count` Emails."""
        update: dict[str, Any] = {}
        for _ in range(min(count, len(self.emails))):
            email_id = self.emails[self._next].id
            self._next = (self._next + 1) % len(self.emails)
            seen = self._seen[email_id] = not self._seen.get(email_id, False)
            update[email_id] = {"keywords/$seen": True if seen else None}
        return jmap(("Email/set", {"accountId": self._account_id, "update": update}))


def flip_seen(share: Share) -> Operations:
    """Email/set that changes the `$seen` of one Email (RFC 8621 §4.6), another one each time."""
    flags = _Flags(share)
    while True:
        yield flags.flip(1)


def flip_many(share: Share) -> Operations:
    """Email/set that changes the `$seen` of 100 Emails."""
    flags = _Flags(share)
    while True:
        yield flags.flip(MANY)


def create_draft(share: Share) -> Operations:
    """Email/set that creates a draft with text and HTML (RFC 8621 §4.6)."""
    target = share.target
    words = Correspondence(share.random.randrange(1 << 30))
    while True:
        text, html = words.text(150), words.html(150)
        draft = {
            "mailboxIds": {target.mailboxes["drafts"]: True},
            "keywords": {"$draft": True, "$seen": True},
            "from": [{"name": "Robin Reader", "email": "reader@bench.example"}],
            "to": [{"name": "Somebody", "email": "somebody@bench.example"}],
            "subject": words.text(6),
            "bodyValues": {"t": {"value": text}, "h": {"value": html}},
            "textBody": [{"partId": "t", "type": "text/plain"}],
            "htmlBody": [{"partId": "h", "type": "text/html"}],
        }
        yield jmap(("Email/set", {"accountId": target.account_id, "create": {"draft": draft}}))


def upload_and_import(share: Share) -> Operations:
    """Upload of a new message and Email/import of it (RFC 8621 §4.8): two requests, one operation."""
    target = share.target
    words = Correspondence(share.random.randrange(1 << 30))
    # Composed before the clock runs.
    messages = [words.new_message(share.random.random()) for _ in range(share.operations)]
    imported = {"mailboxIds": {target.mailboxes["inbox"]: True}, "keywords": {}}
    while True:
        raw = messages.pop() if messages else words.new_message(share.random.random())
        path = target.addresses.upload_to(target.account_id)
        uploaded = yield Request("POST", path, raw, "message/rfc822", ends_operation=False)
        blob_id = json.loads(uploaded.body).get("blobId")
        emails = {"new": {"blobId": blob_id, **imported}}
        yield jmap(("Email/import", {"accountId": target.account_id, "emails": emails}))
