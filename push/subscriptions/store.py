"""The rows of subscriptions: how they are read, and how processes share the work of pushing to them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from jmapcore.store.database import Connection, Row, run
from push.sealing import SealError, seal, unseal
from push.subscriptions.message_encryption import ReceiverKeys, parse_keys

LEASE_SECONDS = 90
"""More than one push takes, with all its messages; a process that is silent for longer is thought dead."""

_PURPOSE = "endpoint"

COLUMNS = """s.id, s.user_id, s.number, s.owner, s.sealed_endpoint, s.device_client_id, s.types, s.email_push, s.expires_at,
    s.vapid_key_id, s.code, s.is_code_sent, s.is_verified"""
QUEUE_COLUMNS = "s.sent, s.arrived, s.notices, s.failures, s.gap_seconds, s.lease"

OF_USER = f"""
    SELECT {COLUMNS} FROM push_subscription AS s
    WHERE s.user_id = %s AND s.owner = %s AND (s.expires_at IS NULL OR s.expires_at > now()) ORDER BY s.id"""  # noqa: S608  # our own columns
INSERT = """
    INSERT INTO push_subscription (user_id, number, owner, sealed_endpoint, device_client_id, types, email_push,
        expires_at, vapid_key_id, code, is_code_sent, is_verified, sent, seen, arrived, notices, failures, gap_seconds, due_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, false, false, '{}', '{}'::jsonb, '{}', 1, 0, 0, now())"""
UPDATE = """
    UPDATE push_subscription SET types = %s, email_push = %s, expires_at = %s, is_verified = %s, notices = notices + 1,
        due_at = CASE WHEN %s THEN coalesce(due_at, greatest(now(), not_before)) ELSE due_at END
    WHERE user_id = %s AND number = %s"""
DELETE = "DELETE FROM push_subscription WHERE user_id = %s AND number = ANY(%b::int[])"

CALL = """
    UPDATE push_subscription AS s
    SET notices = s.notices + 1, due_at = coalesce(s.due_at, greatest(now(), s.not_before))
    WHERE s.is_verified AND (s.due_at IS NULL OR s.lease IS NOT NULL) AND s.user_id IN (
        SELECT a.owner_id FROM accounts_account AS a WHERE a.id = ANY(%b::bigint[])
        UNION ALL
        SELECT g.user_id FROM accounts_grant AS g WHERE g.account_id = ANY(%b::bigint[]))"""
CLAIM = f"""
    UPDATE push_subscription AS s SET lease = %s, leased_until = now() + make_interval(secs => %s)
    WHERE s.id IN (
        SELECT d.id FROM push_subscription AS d
        WHERE d.due_at <= now() AND (d.leased_until IS NULL OR d.leased_until < now())
        ORDER BY d.due_at LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING {COLUMNS}, {QUEUE_COLUMNS}"""  # noqa: S608  # our own columns
FINISH = """
    UPDATE push_subscription SET sent = %s, seen = %s::text::jsonb, arrived = %s, is_code_sent = is_code_sent OR %s,
        failures = %s, gap_seconds = %s, lease = NULL, leased_until = NULL, not_before = now() + make_interval(secs => %s),
        due_at = CASE WHEN %s OR notices <> %s THEN now() + make_interval(secs => %s) END
    WHERE id = %s AND lease = %s"""
RELEASE = """
    UPDATE push_subscription SET lease = NULL, leased_until = NULL, due_at = now() + make_interval(secs => %s)
    WHERE id = %s AND lease = %s"""
DESTROY = "DELETE FROM push_subscription WHERE id = %s"
NEXT_DUE = """
    SELECT extract(epoch FROM min(d.due_at) - now())::float8 FROM push_subscription AS d
    WHERE d.due_at IS NOT NULL AND (d.leased_until IS NULL OR d.leased_until < now())"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to push, and the keys to encrypt with, as the client gave them."""

    url: str
    keys: dict[str, str] | None

    @property
    def receiver_keys(self) -> ReceiverKeys | None:
        """The keys, decoded."""
        return None if self.keys is None else parse_keys(self.keys["p256dh"], self.keys["auth"])

    def sealed(self) -> bytes:
        """As it is stored."""
        return seal(orjson.dumps([self.url, self.keys]), _PURPOSE)

    @classmethod
    def unsealed(cls, sealed: bytes) -> Endpoint | None:
        """From what is stored; None where that cannot be opened any more."""
        try:
            return cls(*orjson.loads(unseal(bytes(sealed), _PURPOSE)))
        except SealError:
            return None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A row."""

    id: int
    user_id: int
    number: int
    owner: str
    sealed_endpoint: bytes
    device_client_id: str
    types: list[str] | None
    email_push: dict[str, dict[str, Any]] | None
    expires_at: datetime | None
    vapid_key_id: int | None
    code: str
    is_code_sent: bool
    is_verified: bool

    def endpoint(self) -> Endpoint | None:
        """Where to push; None where that cannot be opened any more."""
        return Endpoint.unsealed(self.sealed_endpoint)

    def is_over(self, now: datetime) -> bool:
        """Whether it has expired."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Claimed:
    """A subscription that this process pushes to, while its lease lasts."""

    subscription: Subscription
    sent: dict[str, dict[str, str]]
    arrived: dict[str, int]
    notices: int
    failures: int
    gap_seconds: float
    lease: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What the client has been told by now: states by account and type, the newest change of each account that was looked at,
    and the numbers in the logs of accounts up to which arrivals were told of."""

    sent: dict[str, dict[str, str]]
    seen: dict[str, str]
    arrived: dict[str, int]


def subscriptions_of(connection: Connection, user_id: int, owner: str) -> list[Subscription]:
    """The subscriptions of a credential, oldest first."""
    [result] = run(connection, (OF_USER, (user_id, owner)))
    return [subscription(row) for row in result.fetchall()]


def subscription(row: Row) -> Subscription:
    """A subscription from a row of `COLUMNS`."""
    values = [*row[:6], orjson.loads(row[6]), orjson.loads(row[7]), *row[8:13]]
    return Subscription(*values)


def call(connection: Connection, account_ids: Sequence[int]) -> int:
    """Put the subscriptions of all who see these accounts into the queue; how many that were not waiting already."""
    ids = list(account_ids)
    [result] = run(connection, (CALL, (ids, ids)))
    return result.rowcount


def claim(connection: Connection, most: int) -> list[Claimed]:
    """Take those that are due and that nobody else is pushing to, the longest waiting first."""
    lease = secrets.randbits(62)
    [result] = run(connection, (CLAIM, (lease, LEASE_SECONDS, most)))
    return [
        Claimed(subscription(row), orjson.loads(row[13]), orjson.loads(row[14]), *row[15:19])
        for row in result.fetchall()
    ]


def finish(
    connection: Connection,
    claimed: Claimed,
    progress: Progress,
    *,
    code_sent: bool = False,
    failures: int = 0,
    gap_seconds: float = 0.0,
    pause_seconds: float = 0.0,
    again: bool = False,
) -> bool:
    """Note what was told and let the subscription go; whether it was still this process's.

    It is due again after the pause where `again` says so, or where it was called for meanwhile.
    """
    parameters = (
        orjson.dumps(progress.sent).decode(),
        orjson.dumps(progress.seen).decode(),
        orjson.dumps(progress.arrived).decode(),
        code_sent,
        failures,
        gap_seconds,
        pause_seconds,
        again,
        claimed.notices,
        pause_seconds,
        claimed.subscription.id,
        claimed.lease,
    )
    [result] = run(connection, (FINISH, parameters))
    return result.rowcount == 1


def release(connection: Connection, claimed: Claimed, seconds: float) -> None:
    """Let it go for so long, with nothing noted."""
    run(connection, (RELEASE, (seconds, claimed.subscription.id, claimed.lease)))


def destroy(connection: Connection, subscription_id: int) -> None:
    """Delete a subscription, with its URL and its keys."""
    run(connection, (DESTROY, (subscription_id,)))


def next_due(connection: Connection) -> timedelta | None:
    """How long it is until the next one is due; None where none waits."""
    [result] = run(connection, (NEXT_DUE, ()))
    for (seconds,) in _present(result.fetchall()):
        return timedelta(seconds=seconds)
    return None


def _present(rows: Sequence[Row]) -> Iterator[Row]:
    return (row for row in rows if row[0] is not None)
