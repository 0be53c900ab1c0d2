"""How an Email is born, by import, copy, delivery or creation: `add_messages`, and no other way.

`prepare` parses, outside of the lock. `add_messages` finds the Threads, merges those that a message joins, and writes
every row of the new Emails, in three round trips for any number of messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from jmapcore.blobs import storage
from jmapcore.store.database import Row, Statement
from jmapcore.store.rows import Insertion
from jmapcore.store.write import AccountWrite
from mail import email_search
from mail.counters import Member, settle
from mail.fragments import (
    FORMAT,
    json_text,
    normalise_keywords,
    static_json,
    static_lines,
)
from mail.membership import (
    KEYWORDS_FORM,
    KNOWN_MAILBOXES,
    MAILBOX_IDS_FORM,
    IndexRows,
    LoadedThreads,
    UnknownMailboxError,
    keyword_values,
    mailbox_values,
)
from mail.message.scan import scan
from mail.message.summary import Summary, summarise_message
from mail.search.message_text import index
from mail.search_languages import words_for
from mail.submissions import move_submissions
from mail.threading import Assignment, reference_hashes

FULL_THREAD = 10_000
"""Octets of emailIds beyond which a Thread is not even looked at, some more than `threading.LARGEST_THREAD` ids."""

REFERENCES = """
    SELECT r.hash, r.thread_id FROM thread_ref AS r JOIN thread AS t ON t.account_id = %s AND t.id = r.thread_id
    WHERE r.account_id = %s AND r.hash = ANY(%s::bigint[]) AND octet_length(t.email_ids_json) < %s"""
MEMBERS = """
    SELECT e.id, e.thread_id, e.received_at, e.keywords, e.mailbox_ids FROM email AS e
    WHERE e.account_id = %s AND e.id = ANY(ARRAY(
        SELECT m.email_id FROM email_mailbox AS m WHERE m.account_id = %s AND m.thread_id = ANY(ARRAY(
            SELECT t.id FROM thread_ref AS r JOIN thread AS t ON t.account_id = %s AND t.id = r.thread_id
            WHERE r.account_id = %s AND r.hash = ANY(%s::bigint[]) AND octet_length(t.email_ids_json) < %s))))"""
ADD_EMAILS = Insertion(
    "email",
    {
        "id": "int",
        "thread_id": "int",
        "received_at": "timestamptz",
        "size": "int",
        "keywords": "text",
        "keywords_json": "text",
        "mailbox_ids": "text",
        "mailboxes_json": "text",
    },
    forms={"keywords": KEYWORDS_FORM, "mailbox_ids": MAILBOX_IDS_FORM},
)
ADD_STATIC = Insertion(
    "email_static",
    {"id": "int", "blob_id": "int", "format": "int", "static_json": "text", "body_json": "text"},
)
ADD_REFERENCES = Insertion(
    "thread_ref", {"hash": "bigint", "thread_id": "int"}, conflict="ON CONFLICT DO NOTHING"
)
MOVE_REFERENCES = """
    INSERT INTO thread_ref (account_id, hash, thread_id)
    SELECT r.account_id, r.hash, n.larger
    FROM unnest(%s::int[], %s::int[]) AS n (smaller, larger) JOIN thread_ref AS r ON r.thread_id = n.smaller
    WHERE r.account_id = %s
    ON CONFLICT DO NOTHING"""
MOVE_EMAILS = """
    INSERT INTO email (account_id, id, thread_id, received_at, size, keywords, keywords_json, mailbox_ids,
        mailboxes_json)
    SELECT e.account_id, n.id, n.thread_id, e.received_at, e.size, e.keywords, e.keywords_json, e.mailbox_ids,
        e.mailboxes_json
    FROM unnest(%s::int[], %s::int[], %s::int[]) AS n (id, old_id, thread_id) JOIN email AS e ON e.id = n.old_id
    WHERE e.account_id = %s"""
MOVE_STATIC = """
    UPDATE email_static AS s SET id = n.id FROM unnest(%s::int[], %s::int[]) AS n (id, old_id)
    WHERE s.account_id = %s AND s.id = n.old_id"""
DROP_MOVED_EMAILS = "DELETE FROM email WHERE account_id = %s AND id = ANY(%s::int[])"


@dataclass(frozen=True, slots=True)
class PreparedEmail:
    """A message that has been parsed: all that the write needs and the lock must not wait for."""

    raw: bytes
    hash: bytes
    size: int
    summary: Summary
    static_lines: str
    body_json: str
    reference_hashes: tuple[int, ...]
    search: str
    """What it is found by, as `mail.search.message_text.index` gives it."""


@dataclass(frozen=True, slots=True)
class NewEmail:
    """A message to add. `received_at` is applied as it is; None: the topmost valid Received date, else now (RFC 8621 §4.8).

    `blob_id` is given where the account has the bytes already; else `content`, where `storage.prepare` made some;
    else the bytes are stored from `prepared`.
    """

    prepared: PreparedEmail
    mailbox_ids: Sequence[int]
    keywords: Iterable[str] = ()
    received_at: datetime | None = None
    blob_id: int | None = None
    content: storage.Content | None = None


@dataclass(frozen=True, slots=True)
class AddedEmail:
    """What RFC 8621 §4.6, §4.7 and §4.8 answer for a new Email."""

    id: int
    thread_id: int
    blob_id: int
    size: int


@dataclass(slots=True)
class _Rows:
    """The new Emails of one write, side by side."""

    members: list[Member] = field(default_factory=list)
    emails: list[NewEmail] = field(default_factory=list)
    blob_ids: list[int] = field(default_factory=list)


def prepare(raw: bytes, languages: str = "") -> PreparedEmail:
    """Parse a message, whatever it is; belongs before the write. `languages` are those of the account's searches."""
    message = scan(raw)
    summary = summarise_message(message)
    hashes = reference_hashes(
        summary.message_id, summary.in_reply_to, summary.references, summary.base_subject
    )
    return PreparedEmail(
        raw=raw,
        hash=storage.blob_hash(raw),
        size=len(raw),
        summary=summary,
        static_lines=static_lines(summary),
        body_json=json_text(summary.body_structure),
        reference_hashes=hashes,
        search=index(message, summary, words_for(languages)),
    )


def search_text(raw: bytes, languages: str) -> str:
    """What a message is found by in an account with other languages than it was prepared for (`PreparedEmail.search`)."""
    message = scan(raw)
    return index(message, summarise_message(message), words_for(languages))


def received_at(given: datetime | None, summary: Summary, now: datetime) -> datetime:
    """Email.receivedAt in UTC: what was given, else the topmost valid Received date, at most tomorrow, else now."""
    if given is not None:
        return given.astimezone(UTC)
    if summary.received_at_from_trace is None:
        return now
    return at_most_tomorrow(summary.received_at_from_trace, now)


def at_most_tomorrow(moment: datetime, now: datetime) -> datetime:
    """A moment that a message names, in UTC: what it names may be wrong, and would stand before all other mail for years."""
    return min(moment.astimezone(UTC), now + timedelta(days=1))


def add_messages(
    write: AccountWrite,
    emails: Sequence[NewEmail],
    threads: Sequence[Sequence[Row]] | None = None,
    blobs: Sequence[Row] | None = None,
) -> list[AddedEmail]:
    """Add Emails to the account; ids, Threads, blobs and sizes in the order given.

    `threads` are the rows of `threads_statements` for these Emails, or more, where the write was opened with them; `blobs`
    those of `storage.find_statement` for the contents.

    An Email that joins Threads merges the smaller into the larger. Two Emails may hold the same bytes, and each counts.
    Raises `OverQuotaError`, `UnknownMailboxError`, and ValueError for an Email without a mailbox, before it writes.
    """
    if not emails:
        return []
    if not all(email.mailbox_ids for email in emails):
        raise ValueError("an email would be in no mailbox")
    loaded, references = _load(write, emails, threads)
    write.use(sum(email.prepared.size for email in emails), len(emails))
    rows = _Rows(emails=list(emails), blob_ids=_blobs(write, emails, blobs))
    assignment = _assign(write, rows, loaded, references)
    write.defer(*_statements(write, rows, loaded, assignment))
    return [
        AddedEmail(member.id, member.thread_id, blob_id, email.prepared.size)
        for member, blob_id, email in zip(rows.members, rows.blob_ids, rows.emails, strict=True)
    ]


def threads_statements(
    account_id: int, messages: Iterable[PreparedEmail], mailbox_ids: Iterable[int]
) -> list[Statement]:
    """What reads the Threads that these messages may join, and the mailboxes; for `account_write`'s prelude."""
    hashes = list({name for message in messages for name in message.reference_hashes})
    return [
        (REFERENCES, (account_id, account_id, hashes, FULL_THREAD)),
        (MEMBERS, (*[account_id] * 4, hashes, FULL_THREAD)),
        (KNOWN_MAILBOXES, (account_id, list(mailbox_ids))),
    ]


def _load(
    write: AccountWrite, emails: Sequence[NewEmail], rows: Sequence[Sequence[Row]] | None
) -> tuple[LoadedThreads, list[tuple[int, int]]]:
    wanted = {mailbox_id for email in emails for mailbox_id in email.mailbox_ids}
    if rows is None:
        messages = [email.prepared for email in emails]
        rows = write.run(*threads_statements(write.account_id, messages, wanted))
    references, members, mailboxes = rows
    loaded = LoadedThreads()
    loaded.take(members)
    loaded.take_mailboxes(mailboxes)
    if unknown := wanted - loaded.mailbox_ids:
        raise UnknownMailboxError(unknown)
    return loaded, [(row[0], row[1]) for row in references]


def _blobs(write: AccountWrite, emails: Sequence[NewEmail], known: Sequence[Row] | None) -> list[int]:
    contents = [
        email.content or (email.prepared.hash, email.prepared.raw)
        for email in emails
        if email.blob_id is None
    ]
    ids, statements = storage.put_small_statements(write, contents, known)
    write.defer(*statements)
    stored = iter(ids)
    return [next(stored) if email.blob_id is None else email.blob_id for email in emails]


def _assign(
    write: AccountWrite, rows: _Rows, loaded: LoadedThreads, references: Iterable[tuple[int, int]]
) -> Assignment:
    assignment = Assignment(loaded.threads, references, lambda: write.new_ids()[0])
    now = datetime.now(UTC).replace(microsecond=0)
    for email in rows.emails:
        thread_id = assignment.place(email.prepared.reference_hashes)
        member = Member(
            id=write.new_ids()[0],
            thread_id=thread_id,
            received_at=received_at(email.received_at, email.prepared.summary, now),
            keywords=normalise_keywords(email.keywords),
            mailbox_ids=frozenset(email.mailbox_ids),
        )
        assignment.add(member)
        rows.members.append(member)
    if assignment.absorbed:
        # A later message may have moved an earlier one of this very batch.
        now_in = {member.id: member for members in assignment.threads.values() for member in members}
        rows.members = [now_in[member.id] for member in rows.members]
    return assignment


def _statements(
    write: AccountWrite, rows: _Rows, loaded: LoadedThreads, assignment: Assignment
) -> list[Statement]:
    account_id = write.account_id
    rows_of_indexes = IndexRows()
    moving = _move(write, loaded, assignment, rows_of_indexes)
    for member in rows.members:
        write.created("Email", member.id)
        rows_of_indexes.add(member)
    return [
        *moving,
        ADD_EMAILS.of(account_id, _email_rows(rows)),
        ADD_STATIC.of(account_id, _static_rows(rows)),
        email_search.add(account_id, rows.members, [email.prepared.search for email in rows.emails]),
        *rows_of_indexes.statements(account_id),
        *_references(account_id, rows),
        *settle(write, loaded.threads, assignment.threads, loaded.trash),
    ]


def _email_rows(rows: _Rows) -> list[tuple[object, ...]]:
    return [
        (
            member.id,
            member.thread_id,
            member.received_at,
            email.prepared.size,
            *keyword_values(member),
            *mailbox_values(member),
        )
        for member, email in zip(rows.members, rows.emails, strict=True)
    ]


def _static_rows(rows: _Rows) -> list[tuple[object, ...]]:
    return [
        (
            member.id,
            blob_id,
            FORMAT,
            static_json(blob_id, email.prepared.static_lines),
            email.prepared.body_json,
        )
        for member, blob_id, email in zip(rows.members, rows.blob_ids, rows.emails, strict=True)
    ]


def _references(account_id: int, rows: _Rows) -> list[Statement]:
    pairs = {
        (name, member.thread_id): None
        for member, email in zip(rows.members, rows.emails, strict=True)
        for name in email.prepared.reference_hashes
    }
    if not pairs:
        return []
    return [ADD_REFERENCES.of(account_id, list(pairs))]


def _move(
    write: AccountWrite, loaded: LoadedThreads, assignment: Assignment, rows_of_indexes: IndexRows
) -> list[Statement]:
    """Give the Emails of absorbed Threads their new ids (RFC 8621 §3: "deleting and reinserting")."""
    absorbed = [thread_id for thread_id in assignment.absorbed if thread_id in loaded.threads]
    if not absorbed:
        return []
    now_in = {member.id: member for members in assignment.threads.values() for member in members}
    new = [now_in[email_id] for email_id in assignment.copied]
    for member, old_id in zip(new, assignment.copied.values(), strict=True):
        write.destroyed("Email", old_id)
        write.created("Email", member.id)
        rows_of_indexes.drop(loaded.emails[old_id])
        rows_of_indexes.add(member)
    ids, old_ids = [member.id for member in new], list(assignment.copied.values())
    larger = [assignment.resolve(thread_id) for thread_id in absorbed]
    account_id = write.account_id
    thread_ids = [member.thread_id for member in new]
    move_submissions(write, old_ids, ids, thread_ids)
    return [
        (MOVE_REFERENCES, (absorbed, larger, account_id)),
        (MOVE_EMAILS, (ids, old_ids, thread_ids, account_id)),
        (email_search.MOVE, (ids, old_ids, thread_ids, account_id)),
        (MOVE_STATIC, (ids, old_ids, account_id)),
        (DROP_MOVED_EMAILS, (account_id, old_ids)),
    ]
