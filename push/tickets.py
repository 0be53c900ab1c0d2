"""Tickets: what a browser puts into the URL of a connection, for it can send no Authorization header there.

A ticket stands for the credential that it was fetched with, and ends with it. One for a WebSocket works once. One for an event
source works for the first time within a minute, and after that for as long as its credential does, since browsers reconnect to
the same URL by themselves. Only a digest is stored, and in PostgreSQL: Redis may be emptied.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum

from accounts.credentials import checksum
from accounts.standing import Standing, standings
from jmapcore.store.database import Connection, run

FIRST_USE_SECONDS = 60
MOST_TICKETS = 500
"""Of one user; the oldest go first."""
_SECRET_BYTES = 32

ISSUE = (
    "INSERT INTO push_ticket (checksum, transport, user_id, credential, proof) VALUES (%s, %s, %s, %s, %s)"
)
FORGET_OLDEST = """
    DELETE FROM push_ticket WHERE checksum IN (
        SELECT checksum FROM push_ticket WHERE user_id = %s ORDER BY issued_at DESC OFFSET %s::int
    )"""
USE_ONCE = """
    DELETE FROM push_ticket
    WHERE checksum = %s AND transport = %s AND issued_at > statement_timestamp() - make_interval(secs => %s::int)
    RETURNING credential, proof"""
USE = """
    UPDATE push_ticket SET first_used_at = coalesce(first_used_at, statement_timestamp())
    WHERE checksum = %s AND transport = %s
          AND (first_used_at IS NOT NULL OR issued_at > statement_timestamp() - make_interval(secs => %s::int))
    RETURNING credential, proof"""
FORGET_UNUSED = """
    DELETE FROM push_ticket
    WHERE first_used_at IS NULL AND issued_at < statement_timestamp() - make_interval(secs => %s::int)"""
USED = "SELECT checksum, credential, proof FROM push_ticket WHERE checksum > %s ORDER BY checksum LIMIT 1000"
FORGET = "DELETE FROM push_ticket WHERE checksum = ANY(%s::text[])"


class Transport(Enum):
    """What a ticket opens."""

    EVENT_SOURCE = "eventsource"
    WEB_SOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The credential that a ticket stands for, and the proof that it is still the same."""

    credential: str
    proof: str


def issue(connection: Connection, transport: Transport, standing: Standing) -> str:
    """A new ticket for who holds this credential."""
    ticket = secrets.token_urlsafe(_SECRET_BYTES)
    user_id = standing.caller.user_id
    row = (checksum(ticket), transport.value, user_id, standing.credential, standing.proof)
    run(connection, (ISSUE, row), (FORGET_OLDEST, (user_id, MOST_TICKETS)))
    return ticket


def redeem(connection: Connection, transport: Transport, ticket: str) -> Redeemed | None:
    """What a ticket stands for; None for one that is unknown, expired, used up, or for another transport."""
    statement = USE_ONCE if transport is Transport.WEB_SOCKET else USE
    [result] = run(connection, (statement, (checksum(ticket), transport.value, FIRST_USE_SECONDS)))
    row = result.fetchone()
    return None if row is None else Redeemed(*row)


def sweep(connection: Connection) -> int:
    """Delete tickets that were not used in time, and those whose credential is over; how many they were."""
    [unused] = run(connection, (FORGET_UNUSED, (FIRST_USE_SECONDS,)))
    count = unused.rowcount
    last = ""
    while rows := run(connection, (USED, (last,)))[0].fetchall():
        last = rows[-1][0]
        good = standings(connection, {row[1] for row in rows})
        over = [row[0] for row in rows if row[1] not in good or good[row[1]].proof != row[2]]
        if over:
            count += run(connection, (FORGET, (over,)))[0].rowcount
    return count
