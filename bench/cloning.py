"""Making a small account large: its rows are copied in SQL, its blobs shared.

Every clone is the whole of what was there before, under new ids and a little older, so whatever is derived from Emails is
derived from the copies in the same way. It happens in the one write path, which gives the ids and records the changes, so
that `verify_account` finds nothing and a client that was away learns of each new Email.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jmapcore.store import database
from jmapcore.store.database import Row, Statement, read
from jmapcore.store.write import AccountWrite, account_write

EMAILS_AT_ONCE = 10_000
"""Emails that are copied in one write: a fraction of the statement timeout."""

OLDER_SECONDS = 7 * 60
"""How much older each clone is than the one before: they lie between one another, as the mail of one person does."""

_CLONES = "unnest(%s::int[], %s::int[]) AS c (shift, seconds)"
STATEMENTS = (
    f"""
    INSERT INTO thread (account_id, id, email_ids_json)
    SELECT e.account_id, e.thread_id + c.shift,
        '["e' || string_agg((e.id + c.shift)::text, '","e' ORDER BY e.received_at, e.id) || '"]'
    FROM {_CLONES}, email AS e WHERE e.account_id = %s AND e.id < %s
    GROUP BY e.account_id, e.thread_id, c.shift""",
    f"""
    INSERT INTO email (account_id, id, thread_id, received_at, size, keywords, mailbox_ids, keywords_json, mailboxes_json)
    SELECT e.account_id, e.id + c.shift, e.thread_id + c.shift, e.received_at - make_interval(secs => c.seconds), e.size,
        e.keywords, e.mailbox_ids, e.keywords_json, e.mailboxes_json
    FROM {_CLONES}, email AS e WHERE e.account_id = %s AND e.id < %s""",
    f"""
    INSERT INTO email_static (account_id, id, blob_id, format, static_json, body_json)
    SELECT s.account_id, s.id + c.shift, s.blob_id, s.format, s.static_json, s.body_json
    FROM {_CLONES}, email_static AS s WHERE s.account_id = %s AND s.id < %s""",
    f"""
    INSERT INTO email_search (account_id, id, thread_id, received_at, tsv)
    SELECT q.account_id, q.id + c.shift, q.thread_id + c.shift, q.received_at - make_interval(secs => c.seconds), q.tsv
    FROM {_CLONES}, email_search AS q WHERE q.account_id = %s AND q.id < %s""",
    f"""
    INSERT INTO email_mailbox (account_id, mailbox_id, email_id, received_at, thread_id)
    SELECT m.account_id, m.mailbox_id, m.email_id + c.shift, m.received_at - make_interval(secs => c.seconds),
        m.thread_id + c.shift
    FROM {_CLONES}, email_mailbox AS m WHERE m.account_id = %s AND m.email_id < %s""",
    f"""
    INSERT INTO thread_mailbox (account_id, mailbox_id, thread_id, latest_at, latest_email_id, total)
    SELECT t.account_id, t.mailbox_id, t.thread_id + c.shift, t.latest_at - make_interval(secs => c.seconds),
        t.latest_email_id + c.shift, t.total
    FROM {_CLONES}, thread_mailbox AS t WHERE t.account_id = %s AND t.thread_id < %s""",
    f"""
    INSERT INTO email_keyword (account_id, keyword, received_at, email_id, thread_id)
    SELECT k.account_id, k.keyword, k.received_at - make_interval(secs => c.seconds), k.email_id + c.shift,
        k.thread_id + c.shift
    FROM {_CLONES}, email_keyword AS k WHERE k.account_id = %s AND k.email_id < %s""",
    f"""
    INSERT INTO thread_ref (account_id, hash, thread_id)
    SELECT r.account_id, r.hash, r.thread_id + c.shift
    FROM {_CLONES}, thread_ref AS r WHERE r.account_id = %s AND r.thread_id < %s""",
)  # fmt: skip
COUNTS = """
    UPDATE mailbox AS m
    SET total_emails = m.total_emails + n.clones * b.total_emails,
        unread_emails = m.unread_emails + n.clones * b.unread_emails,
        total_threads = m.total_threads + n.clones * b.total_threads,
        unread_threads = m.unread_threads + n.clones * b.unread_threads
    FROM (SELECT %s::int AS clones) AS n,
        unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::int[])
            AS b (id, total_emails, unread_emails, total_threads, unread_threads)
    WHERE m.account_id = %s AND m.id = b.id"""
ORIGINAL = (
    "SELECT id, size FROM email WHERE account_id = %s ORDER BY id",
    "SELECT id FROM thread WHERE account_id = %s ORDER BY id",
    "SELECT id, total_emails, unread_emails, total_threads, unread_threads FROM mailbox"
    " WHERE account_id = %s AND total_emails > 0 ORDER BY id",
    "SELECT next_id FROM account_state WHERE account_id = %s",
)


@dataclass(frozen=True, slots=True)
class _Original:
    """What is copied: ids of Emails and Threads, rows of mailbox counts, and the id that all of them are below."""

    emails: list[int]
    threads: list[int]
    counts: list[Row]
    end: int
    octets: int


def clone_account(account_id: int, clones: int, progress: Callable[[int], object]) -> None:
    """Copy all mail of an account `clones` times within it; `progress` is told the number of new Emails.

    Raises ValueError for an account without mail.
    """
    with database.connection() as connection:
        statements: list[Statement] = [(sql, (account_id,)) for sql in ORIGINAL]
        emails, threads, counts, [[end]] = read(connection, account_id, *statements)
        original = _Original(
            [row[0] for row in emails],
            [row[0] for row in threads],
            counts,
            end,
            sum(row[1] for row in emails),
        )
        if not emails:
            raise ValueError(f"account {account_id} has no mail to copy")
        at_once = max(1, EMAILS_AT_ONCE // len(emails))
        for first in range(1, clones + 1, at_once):
            numbers = range(first, min(first + at_once, clones + 1))
            with account_write(account_id, connection) as write:
                _clone(write, original, numbers)
            progress(len(emails) * len(numbers))


def _clone(write: AccountWrite, original: _Original, numbers: range) -> None:
    lowest = min(original.emails[0], original.threads[0])
    width = original.end - lowest
    write.use(original.octets * len(numbers), len(original.emails) * len(numbers))
    new_ids = write.new_ids(width * len(numbers))
    shifts = [new_ids.start - lowest + width * place for place in range(len(numbers))]
    seconds = [number * OLDER_SECONDS for number in numbers]
    for sql in STATEMENTS:
        write.execute(sql, (shifts, seconds, write.account_id, original.end))
    columns = [list(column) for column in zip(*original.counts, strict=True)]
    write.execute(COUNTS, (len(numbers), *columns, write.account_id))
    for shift in shifts:
        for thread_id in original.threads:
            write.created("Thread", thread_id + shift)
        for email_id in original.emails:
            write.created("Email", email_id + shift)
    for row in original.counts:
        write.updated("Mailbox", row[0], volatile=True)
