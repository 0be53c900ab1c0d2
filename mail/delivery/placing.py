"""Which mailbox of an account mail goes to: the Inbox, Junk, or the one that the detail of the address names."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from jmapcore.store.database import Row, Statement
from jmapcore.store.write import AccountWrite
from mail.delivery.recipients import Recipient
from mail.importing.placement import TooManyMailboxesError, place_folders

# One statement, for each costs: whether the message came before, whether the owner has mail answered, and the mailboxes, with the
# trash, which adding an Email has to know.
STANDING = """
    SELECT s.came_before, s.answers, m.id, m.role
    FROM (SELECT
        EXISTS (SELECT 1 FROM delivered_message AS d
            WHERE d.account_id = %s AND d.hash = %s AND d.delivered_at > now() - interval '24 hours') AS came_before,
        EXISTS (SELECT 1 FROM vacation_response AS v WHERE v.account_id = %s AND v.is_enabled) AS answers) AS s
    LEFT JOIN mailbox AS m ON m.account_id = %s AND m.role IN ('inbox', 'junk', 'trash')"""
NAMED_MAILBOXES = """
    SELECT m.id, m.name, m.parent_id FROM mailbox AS m
    WHERE m.account_id = %s AND m.role IS NULL AND EXISTS (
        SELECT 1 FROM delivery_preference AS p WHERE p.account_id = %s AND p.files_details)"""

_FOLDERS: dict[str, tuple[str, ...]] = {"inbox": (), "junk": ("Junk",)}


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account is like for a message that comes in."""

    came_before: bool
    answers: bool
    """Its owner has mail answered, now or at some time."""
    roles: dict[str, int]
    """Its Inbox, Junk and Trash."""
    named: list[Row]
    """Mailboxes without a role, where the detail of the address may lead to one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox, and the rows that `mail.ingest.threads_statements` would have read of the mailboxes."""

    mailbox_id: int
    known: list[Row]


def standing_statements(account_id: int, message_hash: bytes, detail: str) -> list[Statement]:
    """What reads the standing of an account; for `account_write`'s prelude."""
    statements: list[Statement] = [(STANDING, (account_id, message_hash, account_id, account_id))]
    if detail:
        statements.append((NAMED_MAILBOXES, (account_id, account_id)))
    return statements


def standing_of(rows: Sequence[Row], named: Sequence[Sequence[Row]]) -> Standing:
    """The standing from the rows of `standing_statements`."""
    return Standing(
        came_before=rows[0][0],
        answers=rows[0][1],
        roles={role: mailbox_id for _, _, mailbox_id, role in rows if role is not None},
        named=list(named[0]) if named else [],
    )


def find_place(write: AccountWrite, recipient: Recipient, standing: Standing, *, is_junk: bool) -> Place:
    """The mailbox for a message; an Inbox or Junk that is missing is made.

    Raises `TooManyMailboxesError` where there is no Inbox and no room for one.
    """
    roles = standing.roles
    known: list[Row] = [(mailbox_id, role == "trash") for role, mailbox_id in roles.items()]
    by_detail = None if is_junk else _by_name(recipient.detail, standing.named)
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
