"""Creating, changing and destroying mailboxes (RFC 8621 §2): rows and counts. What is allowed is the type's business.

Names and roles are unique by deferred constraints, so any order of calls will do that ends well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jmapcore.store.write import AccountWrite
from mail.counters import settle
from mail.membership import (
    THREADS,
    EmailChange,
    LoadedThreads,
    change_emails,
    destroy_emails,
    load_threads,
)

BATCH = 1000
"""Emails or Threads that are held in memory at once while a whole mailbox is gone through."""

TRASH = "trash"

ADD_MAILBOXES = """
    INSERT INTO mailbox (account_id, id, name, parent_id, role, sort_order, total_emails, unread_emails,
        total_threads, unread_threads)
    SELECT %s, n.id, n.name, n.parent_id, n.role, n.sort_order, 0, 0, 0, 0
    FROM unnest(%s::int[], %s::text[], %s::int[], %s::text[], %s::int[]) AS n (id, name, parent_id, role, sort_order)"""
ROWS = """
    SELECT id, name, parent_id, role, sort_order FROM mailbox
    WHERE account_id = %s AND (role = 'trash' OR id = ANY(%s::int[]))"""
SAVE_MAILBOXES = """
    UPDATE mailbox AS m SET name = n.name, parent_id = n.parent_id, role = n.role, sort_order = n.sort_order
    FROM unnest(%s::int[], %s::text[], %s::int[], %s::text[], %s::int[]) AS n (id, name, parent_id, role, sort_order)
    WHERE m.account_id = %s AND m.id = n.id"""
DROP_MAILBOXES = "DELETE FROM mailbox WHERE account_id = %s AND id = ANY(%s::int[])"
SOME_EMAILS = """
    SELECT DISTINCT email_id FROM (
        SELECT email_id FROM email_mailbox WHERE account_id = %s AND mailbox_id = ANY(%s::int[]) LIMIT %s
    ) AS found"""
THREADS_IN = (
    "SELECT DISTINCT thread_id FROM thread_mailbox WHERE account_id = %s AND mailbox_id = ANY(%s::int[])"
)
SUBSCRIPTIONS = """
    SELECT mailbox_id FROM mailbox_user
    WHERE account_id = %s AND user_id = %s AND is_subscribed AND mailbox_id = ANY(%s::int[])"""
SAVE_SUBSCRIPTIONS = """
    INSERT INTO mailbox_user (account_id, mailbox_id, user_id, is_subscribed)
    SELECT %s, n.mailbox_id, %s, n.is_subscribed FROM unnest(%s::int[], %s::bool[]) AS n (mailbox_id, is_subscribed)
    ON CONFLICT (account_id, mailbox_id, user_id) DO UPDATE SET is_subscribed = excluded.is_subscribed"""


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """What a client may set of a mailbox, apart from the subscription. `sort_order` is 0 to 2^31-1."""

    name: str
    parent_id: int | None = None
    role: str | None = None
    sort_order: int = 0


def _columns(mailboxes: Mapping[int, MailboxRow]) -> tuple[list[object], ...]:
    rows = mailboxes.values()
    return (
        list(mailboxes),
        [row.name for row in rows],
        [row.parent_id for row in rows],
        [row.role for row in rows],
        [row.sort_order for row in rows],
    )


def create_mailboxes(
    write: AccountWrite, mailboxes: Mapping[int, MailboxRow], subscriber: int | None = None
) -> None:
    """Create mailboxes under ids that the caller took from `write.new_ids`, so that they may name one another.

    `subscriber` is the user who is subscribed to them from the start.
    """
    if not mailboxes:
        return
    for mailbox_id in mailboxes:
        write.created("Mailbox", mailbox_id)
    write.run((ADD_MAILBOXES, (write.account_id, *_columns(mailboxes))))
    if subscriber is not None:
        ids = list(mailboxes)
        write.run((SAVE_SUBSCRIPTIONS, (write.account_id, subscriber, ids, [True] * len(ids))))


def update_mailboxes(write: AccountWrite, mailboxes: Mapping[int, MailboxRow]) -> None:
    """Give mailboxes these names, parents, roles and places; where the trash moves, unreadThreads follows.

    An id that does not exist is left out; a mailbox that stays as it was is no change. A role goes from one mailbox to
    another in one call: between two calls both or neither would have it, and counts that move there and back would be
    recorded as changes of other mailboxes.
    """
    [rows] = write.run((ROWS, (write.account_id, list(mailboxes))))
    current = {row[0]: MailboxRow(row[1], row[2], row[3], row[4]) for row in rows}
    changed = {
        mailbox_id: row
        for mailbox_id, row in mailboxes.items()
        if mailbox_id in current and current[mailbox_id] != row
    }
    if not changed:
        return
    for mailbox_id in changed:
        write.updated("Mailbox", mailbox_id)
    write.run((SAVE_MAILBOXES, (*_columns(changed), write.account_id)))
    before = frozenset(mailbox_id for mailbox_id, row in current.items() if row.role == TRASH)
    after = frozenset(mailbox_id for mailbox_id, row in (current | changed).items() if row.role == TRASH)
    if before != after:
        _recount(write, before, after)


def _recount(write: AccountWrite, trash_before: frozenset[int], trash: frozenset[int]) -> None:
    """Count the unread Threads anew that have Emails in what was or becomes the trash."""
    account_id = write.account_id
    [rows] = write.run((THREADS_IN, (account_id, sorted(trash_before ^ trash))))
    thread_ids = [row[0] for row in rows]
    for start in range(0, len(thread_ids), BATCH):
        loaded = LoadedThreads()
        loaded.take(write.run((THREADS, (account_id, account_id, thread_ids[start : start + BATCH])))[0])
        statements = settle(write, loaded.threads, loaded.threads, trash, trash_before)
        if statements:
            write.run(*statements)


def destroy_mailboxes(write: AccountWrite, mailbox_ids: Sequence[int]) -> None:
    """Destroy mailboxes. Their Emails are removed from them, and destroyed if in no other (onDestroyRemoveEmails).

    Children must go in the same write, or have been given another parent.
    """
    doomed = frozenset(mailbox_ids)
    if not doomed:
        return
    ids = sorted(doomed)
    while True:
        [rows] = write.run((SOME_EMAILS, (write.account_id, ids, BATCH)))
        if not rows:
            break
        _empty(write, [row[0] for row in rows], doomed)
    for mailbox_id in ids:
        write.destroyed("Mailbox", mailbox_id)
    write.run((DROP_MAILBOXES, (write.account_id, ids)))


def _empty(write: AccountWrite, email_ids: Sequence[int], doomed: frozenset[int]) -> None:
    loaded = load_threads(write, email_ids)
    left = {email_id: loaded.emails[email_id].mailbox_ids - doomed for email_id in email_ids}
    change_emails(
        write,
        [EmailChange(email_id, mailbox_ids=others) for email_id, others in left.items() if others],
        loaded,
    )
    destroy_emails(write, [email_id for email_id, others in left.items() if not others], loaded)


def subscribe(write: AccountWrite, user_id: int, subscriptions: Mapping[int, bool]) -> None:
    """Set Mailbox.isSubscribed of one user, "stored separately per user" (RFC 8621 §2): mailbox → subscribed or not."""
    [rows] = write.run((SUBSCRIPTIONS, (write.account_id, user_id, list(subscriptions))))
    subscribed = {row[0] for row in rows}
    changed = {
        mailbox_id: wanted
        for mailbox_id, wanted in subscriptions.items()
        if wanted != (mailbox_id in subscribed)
    }
    if not changed:
        return
    for mailbox_id in changed:
        write.updated("Mailbox", mailbox_id)
    write.run((SAVE_SUBSCRIPTIONS, (write.account_id, user_id, list(changed), list(changed.values()))))
