"""The mailboxes of an account that imported mail goes to: found by role, else by name, made where missing."""

from __future__ import annotations

from collections.abc import Iterable

from jmapcore.store.write import AccountWrite
from mail.importing.folders import role_of
from mail.mailboxes import MailboxRow, create_mailboxes
from mail.types.capability import MAX_MAILBOXES

INBOX_NAME = "Inbox"
SORT_ORDER = 100
"""Of a new mailbox: after those that an account is born with (10 to 60), for clients that go by it."""

MAILBOXES = "SELECT id, name, parent_id, role FROM mailbox WHERE account_id = %s"

Folder = tuple[str, ...]


class TooManyMailboxesError(Exception):
    """The account would have more mailboxes than it may; the text is a sentence."""


def place_folders(write: AccountWrite, folders: Iterable[Folder], owner_id: int | None) -> dict[Folder, int]:
    """Return the mailbox of each folder, creating those that are missing; `owner_id` is subscribed to these.

    A folder that commonly has a role is the account's mailbox of that role. Raises `TooManyMailboxesError`.
    """
    placement = _Placement(write)
    placed = {folder: placement.find(folder) for folder in sorted(set(folders))}
    create_mailboxes(write, placement.missing, subscriber=owner_id)
    return placed


class _Placement:
    """The mailboxes as they stand under the lock, and those still to create."""

    def __init__(self, write: AccountWrite) -> None:
        self._write = write
        self.missing: dict[int, MailboxRow] = {}
        self._by_role: dict[str, int] = {}
        self._by_name: dict[tuple[int | None, str], int] = {}
        [rows] = write.run((MAILBOXES, (write.account_id,)))
        self._total = len(rows)
        for mailbox_id, name, parent_id, role in sorted(rows):
            self._remember(mailbox_id, name, parent_id, role)

    def _remember(self, mailbox_id: int, name: str, parent_id: int | None, role: str | None) -> None:
        if role is not None:
            self._by_role[role] = mailbox_id
        # The exact name wins over one that differs in case only.
        self._by_name[parent_id, name] = mailbox_id
        self._by_name.setdefault((parent_id, name.casefold()), mailbox_id)

    def find(self, folder: Folder) -> int:
        """Return the id of a folder's mailbox, which may be one to create."""
        role = role_of(folder)
        if role is not None and role in self._by_role:
            return self._by_role[role]
        name = folder[-1] if folder else INBOX_NAME
        parent_id = self.find(folder[:-1]) if len(folder) > 1 else None
        found = self._by_name.get((parent_id, name))
        if found is None:
            found = self._by_name.get((parent_id, name.casefold()))
        return self._create(MailboxRow(name, parent_id, role, SORT_ORDER)) if found is None else found

    def _create(self, row: MailboxRow) -> int:
        if self._total + len(self.missing) >= MAX_MAILBOXES:
            raise TooManyMailboxesError(f"The account would have more than {MAX_MAILBOXES:,} mailboxes.")
        mailbox_id = self._write.new_ids()[0]
        self.missing[mailbox_id] = row
        self._remember(mailbox_id, row.name, row.parent_id, row.role)
        return mailbox_id
