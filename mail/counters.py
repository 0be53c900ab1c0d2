"""What follows from the Emails of a Thread: its rows by mailbox, its list of ids, and the counts of mailboxes.

One function, `settle`, compares the Emails of some Threads before and after a write, and gives the statements that bring
everything derived from them up to date; it records the changes of Threads and Mailboxes on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jmapcore.store.database import Statement
from jmapcore.store.rows import Change, Insertion, Removal
from jmapcore.store.write import AccountWrite
from mail.fragments import email_ids_json, is_unread

_COUNTS = ("total_emails", "unread_emails", "total_threads", "unread_threads")
MOVE_COUNTS = Change(
    "mailbox",
    dict.fromkeys(_COUNTS, "int"),
    {"id": "int"},
    forms={name: f"{name} + {{}}" for name in _COUNTS},
)
SAVE_THREAD_MAILBOXES = Insertion(
    "thread_mailbox",
    {
        "thread_id": "int",
        "mailbox_id": "int",
        "latest_at": "timestamptz",
        "latest_email_id": "int",
        "total": "int",
    },
    conflict="""ON CONFLICT (account_id, thread_id, mailbox_id) DO UPDATE
        SET latest_at = excluded.latest_at, latest_email_id = excluded.latest_email_id, total = excluded.total""",
)
DROP_THREAD_MAILBOXES = Removal("thread_mailbox", {"thread_id": "int", "mailbox_id": "int"})
ADD_THREADS = Insertion("thread", {"id": "int", "email_ids_json": "text"})
SAVE_THREADS = Change("thread", {"email_ids_json": "text"}, {"id": "int"})
DROP_THREADS = "DELETE FROM thread WHERE account_id = %s AND id = ANY(%s::int[])"
DROP_THREAD_REFS = "DELETE FROM thread_ref WHERE account_id = %s AND thread_id = ANY(%s::int[])"


@dataclass(frozen=True, slots=True)
class Member:
    """An Email as its Thread and its mailboxes see it."""

    id: int
    thread_id: int
    received_at: datetime
    keywords: frozenset[str]
    mailbox_ids: frozenset[int]

    @property
    def position(self) -> tuple[datetime, int]:
        """Where it stands in its Thread: by receivedAt, then by id (RFC 8621 §3)."""
        return (self.received_at, self.id)


@dataclass(slots=True)
class Presence:
    """What one Thread is in one mailbox: `emails` of it there, `unread` of these, and the latest."""

    emails: int
    unread: int
    counts_as_unread: bool
    latest: tuple[datetime, int]


Threads = Mapping[int, Sequence[Member]]
"""The Emails of Threads, by the Thread's id. A Thread without Emails does not exist."""


def presences(members: Iterable[Member], trash: frozenset[int]) -> dict[int, Presence]:
    """What a Thread of these Emails is in each of its mailboxes; `trash` is the mailbox with that role, if any.

    "Emails that are only in the trash are ignored when calculating the unreadThreads count of other Mailboxes", and
    "Emails that are not in the trash are ignored when calculating [it] for the trash Mailbox" (RFC 8621 §2).
    """
    found: dict[int, Presence] = {}
    unread_outside_trash = False
    for member in members:
        unread = is_unread(member.keywords)
        if unread and not member.mailbox_ids <= trash:
            unread_outside_trash = True
        position = (member.received_at, member.id)
        for mailbox_id in member.mailbox_ids:
            presence = found.get(mailbox_id)
            if presence is None:
                found[mailbox_id] = Presence(1, int(unread), False, position)
                continue
            presence.emails += 1
            presence.unread += unread
            if position > presence.latest:
                presence.latest = position
    for mailbox_id, presence in found.items():
        presence.counts_as_unread = presence.unread > 0 if mailbox_id in trash else unread_outside_trash
    return found


def _unread(members: Sequence[Member]) -> list[Member]:
    return [member for member in members if is_unread(member.keywords)]


class Counts:
    """By how much the counts of mailboxes move: emails, unread emails, threads, unread threads."""

    def __init__(self) -> None:
        self._moves: dict[int, list[int]] = {}

    def add(self, mailbox_id: int, presence: Presence, sign: int) -> None:
        """Count one Thread in one mailbox, or with `sign` -1 take it away."""
        move = self._moves.setdefault(mailbox_id, [0, 0, 0, 0])
        move[0] += sign * presence.emails
        move[1] += sign * presence.unread
        move[2] += sign
        move[3] += sign * presence.counts_as_unread

    def add_read(self, old: Sequence[Member], new: Sequence[Member], trash: frozenset[int]) -> None:
        """Count what was read or is unread again, of a Thread whose Emails stay where they are."""
        unread_before, unread_after = _unread(old), _unread(new)
        if unread_before == unread_after:
            return
        outside_before = any(not member.mailbox_ids <= trash for member in unread_before)
        outside_after = any(not member.mailbox_ids <= trash for member in unread_after)
        mailboxes = {mailbox_id for member in new for mailbox_id in member.mailbox_ids}
        for mailbox_id in mailboxes:
            was = sum(mailbox_id in member.mailbox_ids for member in unread_before)
            becomes = sum(mailbox_id in member.mailbox_ids for member in unread_after)
            if mailbox_id in trash:
                thread = (becomes > 0) - (was > 0)
            else:
                thread = outside_after - outside_before
            if was != becomes or thread:
                move = self._moves.setdefault(mailbox_id, [0, 0, 0, 0])
                move[1] += becomes - was
                move[3] += thread

    @property
    def moves(self) -> dict[int, list[int]]:
        """The mailboxes whose counts move, in order, and by how much."""
        return {mailbox_id: move for mailbox_id, move in sorted(self._moves.items()) if any(move)}

    def settle(self, write: AccountWrite) -> list[Statement]:
        """Record each mailbox whose counts moved; the statement that moves them."""
        moves = self.moves
        if not moves:
            return []
        for mailbox_id in moves:
            write.updated("Mailbox", mailbox_id, volatile=True)
        rows = [(*move, mailbox_id) for mailbox_id, move in moves.items()]
        return [MOVE_COUNTS.of(write.account_id, rows)]


def _stay_in_place(old: Sequence[Member], new: Sequence[Member]) -> bool:
    """Whether the same Emails are in the same mailboxes, whatever else changed."""
    if len(old) != len(new):
        return False
    for was, becomes in zip(old, new, strict=True):
        if was is not becomes and (was.id != becomes.id or was.mailbox_ids != becomes.mailbox_ids):
            return False
    return True


class _Derived:
    """The rows of Threads that a write adds, changes and drops."""

    def __init__(self, write: AccountWrite) -> None:
        self._write = write
        self.saved: list[tuple[int, int, datetime, int, int]] = []
        self.dropped: list[tuple[int, int]] = []
        self.added_threads: dict[int, str] = {}
        self.saved_threads: dict[int, str] = {}
        self.dropped_threads: list[int] = []

    def list_ids(self, thread_id: int, old: Sequence[Member], new: Sequence[Member]) -> None:
        """Compare the lists of ids, and record what became of the Thread."""
        if old is new or [member.id for member in old] == [member.id for member in new]:
            return
        if not new:
            self.dropped_threads.append(thread_id)
            self._write.destroyed("Thread", thread_id)
            return
        text = email_ids_json(position[1] for position in sorted([member.position for member in new]))
        if old:
            self.saved_threads[thread_id] = text
            self._write.updated("Thread", thread_id)
        else:
            self.added_threads[thread_id] = text
            self._write.created("Thread", thread_id)

    def statements(self) -> list[Statement]:
        """New Threads first, dead ones last."""
        account_id = self._write.account_id
        found: list[Statement] = []
        if self.added_threads:
            found.append(ADD_THREADS.of(account_id, list(self.added_threads.items())))
        if self.saved_threads:
            rows = [(text, thread_id) for thread_id, text in self.saved_threads.items()]
            found.append(SAVE_THREADS.of(account_id, rows))
        if self.saved:
            found.append(SAVE_THREAD_MAILBOXES.of(account_id, self.saved))
        if self.dropped:
            found.append(DROP_THREAD_MAILBOXES.of(account_id, self.dropped))
        if self.dropped_threads:
            found.append((DROP_THREAD_REFS, (account_id, self.dropped_threads)))
            found.append((DROP_THREADS, (account_id, self.dropped_threads)))
        return found


def settle(
    write: AccountWrite,
    before: Threads,
    after: Threads,
    trash: frozenset[int],
    trash_before: frozenset[int] | None = None,
) -> list[Statement]:
    """The statements that bring what is derived from Threads from their Emails `before` to those `after`.

    Each Thread that is touched is complete in both. `trash_before` is given where the role itself moves. Records
    `Thread` created, updated and destroyed, and `Mailbox` updated where a count moved.
    """
    if trash_before is None:
        trash_before = trash
    counts, derived = Counts(), _Derived(write)
    for thread_id in sorted(before.keys() | after.keys()):
        old, new = before.get(thread_id, ()), after.get(thread_id, ())
        if trash_before == trash and _stay_in_place(old, new):
            counts.add_read(old, new, trash)
            continue
        derived.list_ids(thread_id, old, new)
        was, becomes = presences(old, trash_before), presences(new, trash)
        for mailbox_id, presence in was.items():
            counts.add(mailbox_id, presence, -1)
            if mailbox_id not in becomes:
                derived.dropped.append((thread_id, mailbox_id))
        for mailbox_id, presence in becomes.items():
            counts.add(mailbox_id, presence, 1)
            earlier = was.get(mailbox_id)
            if earlier is None or (earlier.latest, earlier.emails) != (presence.latest, presence.emails):
                derived.saved.append((thread_id, mailbox_id, *presence.latest, presence.emails))
    return [*derived.statements(), *counts.settle(write)]
