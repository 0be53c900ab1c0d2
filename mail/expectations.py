"""What every derived row must be, said in SQL, independently of the code that maintains them.

The truth is `email` (keywords, mailbox_ids, thread_id, received_at) and the role of mailboxes. All else follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from jmapcore.blobs.references import is_referenced


@dataclass(frozen=True, slots=True)
class Expectation:
    """A table, the columns compared (`key` first: they identify a row), and the query of what they must be.

    `owned` tells that rows come and go with what they are derived from; else only the columns after the key are
    brought up to date. `type_name` names the objects of which a client sees the columns, the first of `key` being
    the id; None where no client does.
    """

    table: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    expected: str
    owned: bool
    type_name: str | None = None
    volatile: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All that is compared."""
        return self.key + self.values

    def differences(self) -> str:
        """The query of all differences: the columns, and whether the row is expected (else it is there and wrong)."""
        columns = ", ".join(self.columns)
        actual = f"SELECT {columns} FROM {self.table} WHERE account_id = %(account)s"  # noqa: S608  # our own names
        return f"""
            WITH expected ({columns}) AS ({self.expected})
            SELECT w.*, true FROM (SELECT * FROM expected EXCEPT ALL {actual}) AS w
            UNION ALL SELECT s.*, false FROM ({actual} EXCEPT ALL SELECT * FROM expected) AS s
            ORDER BY {", ".join(str(position + 1) for position in range(len(self.columns) + 1))}"""  # noqa: S608  # our own names


EMAIL = Expectation(
    table="email",
    key=("id",),
    values=("keywords", "keywords_json", "mailboxes_json"),
    expected="""
        SELECT e.id, c.keywords,
            '{' || coalesce((SELECT string_agg(to_json(k.k)::text || ':true', ',' ORDER BY k.k COLLATE "C")
                FROM unnest(c.keywords) AS k (k)), '') || '}',
            '{' || coalesce((SELECT string_agg('"m' || m.id || '":true', ',' ORDER BY m.id)
                FROM unnest(e.mailbox_ids) AS m (id)), '') || '}'
        FROM email AS e, LATERAL (
            SELECT coalesce(array_agg(d.k ORDER BY d.k COLLATE "C"), '{}') AS keywords
            FROM (SELECT DISTINCT lower(k) AS k FROM unnest(e.keywords) AS k WHERE lower(k) <> '$recent') AS d
        ) AS c
        WHERE e.account_id = %(account)s""",
    owned=False,
    type_name="Email",
)
EMAIL_MAILBOX = Expectation(
    table="email_mailbox",
    key=("email_id", "mailbox_id", "received_at"),
    values=("thread_id",),
    expected="""
        SELECT e.id, m.id, e.received_at, e.thread_id FROM email AS e, unnest(e.mailbox_ids) AS m (id)
        WHERE e.account_id = %(account)s""",
    owned=True,
)
EMAIL_KEYWORD = Expectation(
    table="email_keyword",
    key=("email_id", "keyword", "received_at"),
    values=("thread_id",),
    expected="""
        SELECT e.id, k.k, e.received_at, e.thread_id
        FROM email AS e, unnest(CASE WHEN '$seen' = ANY(e.keywords) THEN array_remove(e.keywords, '$seen')
            ELSE e.keywords || '%%unseen'::text END) AS k (k)
        WHERE e.account_id = %(account)s""",
    owned=True,
)
THREAD = Expectation(
    table="thread",
    key=("id",),
    values=("email_ids_json",),
    expected="""
        SELECT e.thread_id, '["e' || string_agg(e.id::text, '","e' ORDER BY e.received_at, e.id) || '"]'
        FROM email AS e WHERE e.account_id = %(account)s GROUP BY e.thread_id""",
    owned=True,
    type_name="Thread",
)
THREAD_MAILBOX = Expectation(
    table="thread_mailbox",
    key=("thread_id", "mailbox_id"),
    values=("latest_at", "latest_email_id", "total"),
    expected="""
        SELECT e.thread_id, m.id, max(e.received_at),
            (array_agg(e.id ORDER BY e.received_at DESC, e.id DESC))[1], count(*)::int
        FROM email AS e, unnest(e.mailbox_ids) AS m (id)
        WHERE e.account_id = %(account)s GROUP BY e.thread_id, m.id""",
    owned=True,
)
COUNTS = Expectation(
    table="mailbox",
    key=("id",),
    values=("total_emails", "unread_emails", "total_threads", "unread_threads"),
    expected="""
        WITH member AS (
            SELECT e.thread_id, e.mailbox_ids, NOT e.keywords && ARRAY['$seen', '$draft'] AS unread,
                e.mailbox_ids <@ (SELECT coalesce(array_agg(t.id), '{}') FROM mailbox AS t
                    WHERE t.account_id = %(account)s AND t.role = 'trash') AS only_in_trash
            FROM email AS e WHERE e.account_id = %(account)s
        ), thread_state AS (
            SELECT thread_id, bool_or(unread AND NOT only_in_trash) AS unread FROM member GROUP BY thread_id
        ), in_mailbox AS (
            SELECT m.id AS mailbox_id, e.thread_id, count(*) AS emails, count(*) FILTER (WHERE e.unread) AS unread
            FROM member AS e, unnest(e.mailbox_ids) AS m (id) GROUP BY m.id, e.thread_id
        )
        SELECT b.id, coalesce(sum(i.emails), 0)::int, coalesce(sum(i.unread), 0)::int, count(i.thread_id)::int,
            (count(*) FILTER (WHERE CASE WHEN b.role = 'trash' THEN i.unread > 0 ELSE s.unread END))::int
        FROM mailbox AS b
        LEFT JOIN in_mailbox AS i ON i.mailbox_id = b.id
        LEFT JOIN thread_state AS s ON s.thread_id = i.thread_id
        WHERE b.account_id = %(account)s GROUP BY b.id""",
    owned=False,
    type_name="Mailbox",
    volatile=True,
)
SUBMISSION_REPORT = Expectation(
    table="submission_report",
    key=("submission_id", "blob_id"),
    values=(),
    expected="""
        SELECT DISTINCT s.id, substr(r.id, 2)::int
        FROM email_submission AS s, jsonb_array_elements_text(s.dsn_blob_ids || s.mdn_blob_ids) AS r (id)
        WHERE s.account_id = %(account)s AND NOT s.is_destroyed""",
    owned=True,
)
EXPECTATIONS = (EMAIL, EMAIL_MAILBOX, EMAIL_KEYWORD, THREAD, THREAD_MAILBOX, COUNTS, SUBMISSION_REPORT)
"""In the order in which a repair goes: what an expectation reads is right before it."""

WITHOUT_MAILBOX = """
    SELECT e.id, array(
        SELECT DISTINCT m.id FROM unnest(e.mailbox_ids) AS m (id)
        JOIN mailbox AS b ON b.id = m.id AND b.account_id = %(account)s ORDER BY m.id)
    FROM email AS e WHERE e.account_id = %(account)s AND e.mailbox_ids <> array(
        SELECT DISTINCT m.id FROM unnest(e.mailbox_ids) AS m (id)
        JOIN mailbox AS b ON b.id = m.id AND b.account_id = %(account)s ORDER BY m.id)
        OR e.account_id = %(account)s AND e.mailbox_ids = '{}'
    ORDER BY e.id"""
"""Emails whose mailbox_ids are not the sorted ids of existing mailboxes, at least one; and those that are left."""

WITHOUT_STATIC = """
    SELECT e.id FROM email AS e WHERE e.account_id = %(account)s AND NOT EXISTS (
        SELECT 1 FROM email_static AS s WHERE s.account_id = %(account)s AND s.id = e.id) ORDER BY e.id"""

DEAD_REFERENCES = """
    SELECT r.hash, r.thread_id FROM thread_ref AS r WHERE r.account_id = %(account)s AND NOT EXISTS (
        SELECT 1 FROM email_mailbox AS m WHERE m.account_id = %(account)s AND m.thread_id = r.thread_id)
    ORDER BY r.thread_id, r.hash"""

TREE = "SELECT id, parent_id FROM mailbox WHERE account_id = %(account)s ORDER BY id"


def unswept_blobs() -> str:
    """The query of blobs that nothing refers to and that the sweep would never look at."""
    return f"""
        SELECT b.id FROM blob AS b WHERE b.account_id = %(account)s
            AND NOT {is_referenced("b.account_id", "b.id")}
            AND NOT EXISTS (SELECT 1 FROM blob_sweep AS s WHERE s.account_id = %(account)s AND s.blob_id = b.id)
        ORDER BY b.id"""  # noqa: S608  # names of registered tables, checked there
