"""An account's mail store for tests: mailboxes by role, messages in a line, and what a client could see of it all."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from jmapcore.store.database import Connection, Row, connection, read
from jmapcore.store.write import AccountWrite, account_write
from mail.ingest import AddedEmail, NewEmail, add_messages, prepare
from mail.mailboxes import MailboxRow, create_mailboxes
from mail.verify import verify
from tests.support.cast import make_person, make_tenant

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def message(
    name: str = "",
    *,
    subject: str = "Lunch",
    refers_to: Iterable[str] = (),
    headers: str = "",
    body: str = "Hello",
) -> bytes:
    """A message of a few lines with the Message-ID `name`@example (empty: none), naming others in References."""
    lines = [f"Message-ID: <{name}@example>"] if name else []
    references = " ".join(f"<{reference}@example>" for reference in refers_to)
    lines += [f"References: {references}"] if references else []
    head = "\r\n".join([*lines, f"Subject: {subject}", "From: Zoë <zoe@example.org>"])
    return f"{head}\r\n{headers}\r\n{body}\r\n".encode()


@dataclass(frozen=True, slots=True)
class MailStore:
    """One account, with short ways to write and to look."""

    account_id: int
    owner_id: int
    mailboxes: dict[str, int]

    @contextmanager
    def write(self) -> Iterator[AccountWrite]:
        """An open write on a pooled connection."""
        with connection() as lent, account_write(self.account_id, lent) as write:
            yield write

    def add(
        self,
        raw: bytes,
        *mailboxes: str,
        keywords: Iterable[str] = (),
        received_at: datetime | None = NOON,
    ) -> AddedEmail:
        """Add one message to the mailboxes of these roles (none: the inbox)."""
        ids = [self.mailboxes[role] for role in mailboxes or ("inbox",)]
        prepared = prepare(raw)
        with self.write() as write:
            return add_messages(write, [NewEmail(prepared, ids, tuple(keywords), received_at)])[0]

    def add_mailbox(self, name: str, **values: Any) -> int:
        """Create a mailbox."""
        with self.write() as write:
            [mailbox_id] = write.new_ids()
            create_mailboxes(write, {mailbox_id: MailboxRow(name, **values)})
        return mailbox_id

    def rows(self, sql: str, *parameters: object) -> list[Row]:
        """Rows of a query whose first parameter is the account."""
        with connection() as lent:
            return read(lent, self.account_id, (sql, (self.account_id, *parameters)))[0]

    def counts(self, mailbox_id: int | str) -> tuple[int, int, int, int]:
        """totalEmails, unreadEmails, totalThreads and unreadThreads of a mailbox, given by id or role."""
        if isinstance(mailbox_id, str):
            mailbox_id = self.mailboxes[mailbox_id]
        [row] = self.rows(
            "SELECT total_emails, unread_emails, total_threads, unread_threads FROM mailbox"
            " WHERE account_id = %s AND id = %s",
            mailbox_id,
        )
        return row

    def emails(self) -> dict[int, Row]:
        """Thread, receivedAt, keywords and mailboxes of every Email, by id."""
        rows = self.rows(
            "SELECT id, thread_id, received_at, keywords, mailbox_ids FROM email WHERE account_id = %s ORDER BY id"
        )
        return {row[0]: row[1:] for row in rows}

    def threads(self) -> dict[int, str]:
        """The JSON of emailIds of every Thread, by id."""
        return dict(self.rows("SELECT id, email_ids_json FROM thread WHERE account_id = %s"))

    def modseq(self) -> int:
        """The newest number of the account's change log."""
        return int(self.rows("SELECT modseq FROM account_state WHERE account_id = %s")[0][0])

    def log(self, after: int) -> list[tuple[str, int, str]]:
        """Type, object and operation of every change after a number, in order."""
        return self.rows(
            "SELECT type, object, operation FROM change_log WHERE account_id = %s AND modseq > %s ORDER BY modseq",
            after,
        )

    def verify(self) -> list[str]:
        """What `verify` finds."""
        with connection() as lent:
            return verify(self.account_id, lent)

    def visible(self) -> dict[tuple[str, int], object]:
        """All that a client could see of Emails, Threads, Mailboxes and the usage, by type and id."""
        found: dict[tuple[str, int], object] = {}
        for type_name, sql in _VISIBLE.items():
            found.update({(type_name, row[0]): row[1:] for row in self.rows(sql)})
        return found


_VISIBLE = {
    "Email": "SELECT e.id, e.thread_id, e.received_at, e.size, e.keywords_json, e.mailboxes_json, s.static_json"
    " FROM email e JOIN email_static s ON s.account_id = e.account_id AND s.id = e.id WHERE e.account_id = %s",
    "Quota": "SELECT n.id, CASE n.id WHEN 1 THEN s.used_octets ELSE s.used_objects END"
    " FROM account_state AS s, (VALUES (1), (2)) AS n (id) WHERE s.account_id = %s",
    "Thread": "SELECT id, email_ids_json FROM thread WHERE account_id = %s",
    "Mailbox": "SELECT id, name, parent_id, role, sort_order, total_emails, unread_emails, total_threads,"
    " unread_threads FROM mailbox WHERE account_id = %s",
}


def make_store() -> MailStore:
    """The store of a new person, with the default mailboxes."""
    with transaction.atomic():
        _, domain = make_tenant("North")
        person = make_person(domain, f"u{secrets.token_hex(4)}")
    store = MailStore(person.account.pk, person.user.pk, {})
    store.mailboxes.update(
        store.rows("SELECT role, id FROM mailbox WHERE account_id = %s AND role IS NOT NULL")
    )
    return store


def add_all(
    store: MailStore, connection: Connection, raws: Sequence[bytes], role: str = "inbox"
) -> list[AddedEmail]:
    """Add messages in one write on a connection of the caller's."""
    prepared = [prepare(raw) for raw in raws]
    with account_write(store.account_id, connection) as write:
        return add_messages(write, [NewEmail(each, [store.mailboxes[role]], (), NOON) for each in prepared])
