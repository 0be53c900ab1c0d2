"""The queue of submissions: who claims a row has a lease of it, and notes at once what has left.

A claim is known by the number of attempts that it counted: whoever finds another number has lost its lease to somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jmapcore.store.database import Connection, Statement, execute

LEASE = timedelta(seconds=20)
"""For how long a claim holds; whoever is still at work renews it. After it the rows of a worker that was killed come back."""

UNSURE = -1
"""In `taken`, the place of nobody: somebody may have taken the message without our hearing of it, so it cannot be undone."""

# A lease that ran out was of somebody who may have died just after the relay took the message.
# now() and not clock_timestamp(), which no index would serve; each statement is a transaction of its own.
CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT account_id, id FROM submission_queue WHERE due_at <= now() ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
    UPDATE submission_queue AS q SET attempts = q.attempts + 1, leased_until = now() + %s, due_at = now() + %s,
        taken = CASE WHEN q.leased_until IS NOT NULL AND NOT -1 = ANY(q.taken) THEN q.taken || -1 ELSE q.taken END
    FROM due WHERE q.account_id = due.account_id AND q.id = due.id
    RETURNING q.account_id, q.id, q.attempts"""
CLAIM_EXPIRED = """
    WITH due AS MATERIALIZED (
        SELECT account_id, id FROM submission_queue WHERE due_at <= now() AND give_up_at <= now()
        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
    UPDATE submission_queue AS q SET attempts = q.attempts + 1, leased_until = now() + %s, due_at = now() + %s,
        taken = CASE WHEN q.leased_until IS NOT NULL AND NOT -1 = ANY(q.taken) THEN q.taken || -1 ELSE q.taken END
    FROM due WHERE q.account_id = due.account_id AND q.id = due.id
    RETURNING q.account_id, q.id, q.attempts"""
RENEW = """
    UPDATE submission_queue AS q SET leased_until = now() + %s, due_at = now() + %s
    FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS c (account_id, id, attempts)
    WHERE q.account_id = c.account_id AND q.id = c.id AND q.attempts = c.attempts AND q.leased_until IS NOT NULL
    RETURNING q.account_id, q.id, q.attempts"""
RETURN = """
    UPDATE submission_queue AS q SET leased_until = NULL, due_at = now(), attempts = q.attempts - 1
    FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS c (account_id, id, attempts)
    WHERE q.account_id = c.account_id AND q.id = c.id AND q.attempts = c.attempts AND q.leased_until IS NOT NULL"""
NOTE_TAKEN = """
    UPDATE submission_queue SET taken = taken || %s::int[] WHERE account_id = %s AND id = %s"""
NEXT_DUE = "SELECT extract(epoch FROM min(due_at) - now())::float8 FROM submission_queue"
LOCK_ROW = """
    SELECT attempts, taken, give_up_at, told_delay FROM submission_queue WHERE account_id = %s AND id = %s FOR UPDATE"""
DEFER = """
    UPDATE submission_queue SET leased_until = NULL, due_at = %s WHERE account_id = %s AND id = %s"""
LEAVE = "DELETE FROM submission_queue WHERE account_id = %s AND id = %s"


@dataclass(frozen=True, slots=True)
class Claim:
    """A submission that is ours to deliver for the length of a lease."""

    account_id: int
    id: int
    attempts: int

    @property
    def key(self) -> tuple[int, int]:
        """The submission."""
        return self.account_id, self.id


def claim(connection: Connection, most: int, *, expired_only: bool = False) -> list[Claim]:
    """Claim up to `most` rows that are due, the longest due first; with `expired_only` those alone that are to be given up."""
    rows = execute(connection, CLAIM_EXPIRED if expired_only else CLAIM, (most, LEASE, LEASE))
    return [Claim(*row) for row in rows]


def renew(connection: Connection, claims: Sequence[Claim]) -> set[Claim]:
    """Renew the leases of claims; those that are still ours."""
    rows = execute(connection, RENEW, (LEASE, LEASE, *_columns(claims)))
    return {Claim(*row) for row in rows}


def give_back(connection: Connection, claims: Sequence[Claim]) -> None:
    """Give back claims with which nothing was done: they are due again, as if nobody had claimed them."""
    execute(connection, RETURN, _columns(claims))


def _columns(claims: Sequence[Claim]) -> tuple[list[int], list[int], list[int]]:
    return (
        [each.account_id for each in claims],
        [each.id for each in claims],
        [each.attempts for each in claims],
    )


def note_taken(connection: Connection, claim: Claim, places: Sequence[int]) -> None:
    """Note that the message has left for these recipients, by their places in the envelope.

    The first thing after the relay's answer, without the account's lock: until it is committed, a worker that is killed will
    send the message again. It holds whoever has the lease now.
    """
    execute(connection, NOTE_TAKEN, (list(places), claim.account_id, claim.id))


def next_due(connection: Connection) -> float | None:
    """Seconds until something is due, below 0 if it was already; None where nothing is queued."""
    row = execute(connection, NEXT_DUE).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def lock_statement(claim: Claim) -> Statement:
    """What locks the row of a claim, and reads (attempts, taken, give_up_at, told_delay)."""
    return LOCK_ROW, (claim.account_id, claim.id)


def defer_statement(claim: Claim, due_at: datetime) -> Statement:
    """What ends a lease: the row is due again at a moment."""
    return DEFER, (due_at, claim.account_id, claim.id)


def leave_statement(claim: Claim) -> Statement:
    """What takes the row out of the queue."""
    return LEAVE, (claim.account_id, claim.id)
