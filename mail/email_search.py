"""The rows of `email_search`: which words an Email is found by. Written in the same write as the Email itself.

What a row says is made by `mail.search` before the write. A row is never changed but to follow its Email to another id.
"""

from __future__ import annotations

from collections.abc import Sequence

from jmapcore.store.database import Statement
from jmapcore.store.rows import Insertion
from mail.counters import Member
from mail.search.lexemes import of_account

ADD = Insertion(
    "email_search",
    {"id": "int", "thread_id": "int", "received_at": "timestamptz", "tsv": "text"},
    forms={"tsv": "{}::tsvector"},
)
MOVE = """
    UPDATE email_search AS q SET id = n.id, thread_id = n.thread_id
    FROM unnest(%s::int[], %s::int[], %s::int[]) AS n (id, old_id, thread_id)
    WHERE q.account_id = %s AND q.id = n.old_id"""
DROP = "DELETE FROM email_search WHERE account_id = %s AND id = ANY(%s::int[])"
SAVE = """
    INSERT INTO email_search (account_id, id, thread_id, received_at, tsv)
    SELECT %s, e.id, e.thread_id, e.received_at, n.tsv::tsvector
    FROM unnest(%s::int[], %s::text[]) AS n (id, tsv) JOIN email AS e ON e.id = n.id
    WHERE e.account_id = %s
    ON CONFLICT (id, account_id) DO UPDATE SET
        thread_id = excluded.thread_id, received_at = excluded.received_at, tsv = excluded.tsv
    WHERE (email_search.thread_id, email_search.received_at, email_search.tsv)
        IS DISTINCT FROM (excluded.thread_id, excluded.received_at, excluded.tsv)"""
DIFFERENT = """
    SELECT e.id FROM unnest(%s::int[], %s::text[]) AS n (id, tsv) JOIN email AS e ON e.id = n.id
    LEFT JOIN email_search AS q ON q.account_id = %s AND q.id = n.id
    WHERE e.account_id = %s AND (q.thread_id, q.received_at, q.tsv)
        IS DISTINCT FROM (e.thread_id, e.received_at, n.tsv::tsvector)
    ORDER BY e.id"""
"""Of these Emails and what must be found of them, those whose row is another or is not there."""
DEAD = """
    SELECT q.id FROM email_search AS q WHERE q.account_id = %(account)s AND NOT EXISTS (
        SELECT 1 FROM email AS e WHERE e.account_id = %(account)s AND e.id = q.id) ORDER BY q.id"""


def add(account_id: int, members: Sequence[Member], rendered: Sequence[str]) -> Statement:
    """What adds the rows of new Emails; `rendered` is `mail.search.message_text.index` of each."""
    rows = [
        (member.id, member.thread_id, member.received_at, of_account(text, account_id))
        for member, text in zip(members, rendered, strict=True)
    ]
    return ADD.of(account_id, rows)


def save(account_id: int, ids: Sequence[int], rendered: Sequence[str]) -> Statement:
    """What writes the rows of Emails anew, of those that are there; rows that say the same already stay."""
    return SAVE, (account_id, list(ids), [of_account(text, account_id) for text in rendered], account_id)


def different(account_id: int, ids: Sequence[int], rendered: Sequence[str]) -> Statement:
    """What finds the Emails whose row is not what it must be."""
    texts = [of_account(text, account_id) for text in rendered]
    return DIFFERENT, (list(ids), texts, account_id, account_id)
