"""Which mailbox of an account mail goes to: the Inbox, Junk, or the one that the detail of the address names."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from jmapcore.store.database import Row, Statement
from jmapcore.store.write import AccountWrite
from mail.delivery.recipients import Recipient
from mail.importing.placement import TooManyMailboxesError, place_folders

# With the trash, which adding an Email has to know.
MAILBOXES_WITH_ROLES = "SELECT id, role FROM mailbox WHERE account_id = %s AND role = ANY(%s::text[])"
ROLES = ["inbox", "junk", "trash"]
NAMED_MAILBOXES = """
    SELECT m.id, m.name, m.parent_id FROM mailbox AS m
    WHERE m.account_id = %s AND m.role IS NULL AND EXISTS (
        SELECT 1 FROM delivery_preference AS p WHERE p.account_id = %s AND p.files_details)"""

_FOLDERS: dict[str, tuple[str, ...]] = {"inbox": (), "junk": ("Junk",)}


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox, and the rows that `mail.ingest.threads_statements` would have read of the mailboxes."""

    mailbox_id: int
    known: list[Row]


def place_statements(account_id: int, detail: str) -> list[Statement]:
    """What reads where mail may go; for `account_write`'s prelude."""
    statements: list[Statement] = [(MAILBOXES_WITH_ROLES, (account_id, ROLES))]
    if detail:
        statements.append((NAMED_MAILBOXES, (account_id, account_id)))
    return statements


def find_place(
    write: AccountWrite, recipient: Recipient, with_roles: list[Row], named: list[Row], *, is_junk: bool
) -> Place:
    """The mailbox for a message, from the rows of `place_statements`; an Inbox or Junk that is missing is made.

    Raises `TooManyMailboxesError` where there is no Inbox and no room for one.
    """
    roles = {role: mailbox_id for mailbox_id, role in with_roles}
    known: list[Row] = [(mailbox_id, role == "trash") for mailbox_id, role in with_roles]
    by_detail = None if is_junk else _by_name(recipient.detail, named)
    if by_detail is not None:
        return Place(by_detail, [*known, (by_detail, False)])
    role = "junk" if is_junk else "inbox"
    found = roles.get(role)
    if found is not None:
        return Place(found, known)
    try:
        [found] = place_folders(write, [_FOLDERS[role]], recipient.owner_id).values()
    except TooManyMailboxesError:
        if not is_junk or "inbox" not in roles:
            raise
        found = roles["inbox"]
    return Place(found, [*known, (found, False)])


def _by_name(detail: str, named: list[Row]) -> int | None:
    """The mailbox whose name is the detail in any case; one at the top before others, then the oldest."""
    if not detail:
        return None
    wanted = _folded(detail)
    fitting = sorted(
        (parent_id is not None, mailbox_id)
        for mailbox_id, name, parent_id in named
        if _folded(name) == wanted
    )
    return fitting[0][1] if fitting else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
