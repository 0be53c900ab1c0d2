"""What became of the recipients of a submission, recorded in the account's write: status, notifications that are due, the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from jmapcore.blobs.unreferenced import schedule_statements
from jmapcore.store.database import Connection
from jmapcore.store.write import AccountWrite, UnknownAccountError, account_write
from mail.fragments import json_text
from mail.outbound.queue import Claim, defer_statement, leave_statement, lock_statement
from mail.outbound.replies import Answer
from mail.outbound.reports import DELAYED, DELIVERED, FAILED, RELAYED, noted, parameter, wanted
from mail.submissions import TYPE

QUEUED, YES, NO, UNKNOWN = "queued", "yes", "no", "unknown"
"""Values of `delivered` (RFC 8621 §7)."""

STATE = """
    SELECT envelope, delivery_status, undo_status, reports, is_destroyed, blob_id, send_at
    FROM email_submission WHERE account_id = %s AND id = %s"""
RECORD = """
    UPDATE email_submission SET delivery_status = %s::jsonb, undo_status = %s, reports = %s::jsonb
    WHERE account_id = %s AND id = %s"""
LET_GO = "UPDATE email_submission SET blob_id = NULL WHERE account_id = %s AND id = %s"
DROP = "DELETE FROM email_submission WHERE account_id = %s AND id = %s"
TELL_DELAY = "UPDATE submission_queue SET told_delay = true WHERE account_id = %s AND id = %s"

REPORT_TIME = timedelta(days=5)
"""For how long a notification is tried to be delivered."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient."""

    answer: Answer
    delivered: str
    """As in DeliveryStatus."""
    tells_more: bool = False
    """Whether whoever has the message tells of its delivery himself, if he is asked to (a relay that knows DSN)."""


@dataclass(frozen=True, slots=True)
class Settled:
    """How things stand after the write."""

    is_over: bool
    """The submission has left the queue, or is not ours any more: there is nothing left to do."""
    reports: Sequence[Mapping[str, Any]] = ()
    """Notifications that are due, as `reports.noted` has them; the lease goes on for them."""


@dataclass(slots=True)
class _Row:
    """The two rows of a submission, as they are under the lock."""

    envelope: Mapping[str, Any]
    status: dict[str, Any]
    undo_status: str
    reports: list[dict[str, Any]]
    is_destroyed: bool
    blob_id: int | None
    send_at: datetime
    told_delay: bool


def settle(
    connection: Connection,
    claim: Claim,
    outcomes: Mapping[int, Outcome],
    *,
    next_at: datetime,
    made: Sequence[Mapping[str, Any]] | None = None,
) -> Settled:
    """Record outcomes, by the place of a recipient in the envelope, in one write; nothing where the lease is somebody else's.

    What is not over is due again at `next_at`, and the lease ends. But where notifications are due it goes on, for the caller
    makes them now and comes back with those that he `made` (or gave up), which may be none.
    """
    account_id = claim.account_id
    state = (STATE, (account_id, claim.id))
    try:
        with account_write(account_id, connection, [lock_statement(claim), state]) as write:
            locked, rows = write.prelude
            if not locked or not rows or locked[0][0] != claim.attempts:
                return Settled(is_over=True)
            return _record(write, claim, _Row(*rows[0], *locked[0][3:]), outcomes, next_at, made)
    except UnknownAccountError:
        return Settled(is_over=True)


def _record(
    write: AccountWrite,
    claim: Claim,
    row: _Row,
    outcomes: Mapping[int, Outcome],
    next_at: datetime,
    made: Sequence[Mapping[str, Any]] | None,
) -> Settled:
    account_id, number = claim.account_id, claim.id
    if row.blob_id is None:
        write.defer(leave_statement(claim))
        return Settled(is_over=True)
    now = datetime.now(UTC).replace(microsecond=0)
    before = (dict(row.status), row.undo_status)
    actions = _apply(row, outcomes, now)
    row.reports = [each for each in row.reports if each not in (made or ())]
    if actions:
        row.reports.append(noted(now, actions))
    is_ended = all(each["delivered"] != QUEUED for each in row.status.values())
    if is_ended or any(each["delivered"] in (YES, UNKNOWN) for each in row.status.values()):
        row.undo_status = "final"
    is_over = is_ended and not row.reports
    if not (is_over and row.is_destroyed):
        recorded = (json_text(row.status), row.undo_status, json_text(row.reports), account_id, number)
        write.defer((RECORD, recorded))
        if (row.status, row.undo_status) != before and not row.is_destroyed:
            write.updated(TYPE, number)
    if is_over:
        write.defer(leave_statement(claim), (DROP if row.is_destroyed else LET_GO, (account_id, number)))
        write.defer(*schedule_statements(account_id, [row.blob_id]))
    elif made is None and row.reports:
        if _tells_delay(actions):
            write.defer((TELL_DELAY, (account_id, number)))
    else:
        write.defer(defer_statement(claim, next_at))
        is_over = True
    return Settled(is_over, row.reports)


def _apply(row: _Row, outcomes: Mapping[int, Outcome], now: datetime) -> dict[int, tuple[str, Answer]]:
    """Change the status of recipients; what the sender is to be told, by place."""
    actions: dict[int, tuple[str, Answer]] = {}
    recipients = row.envelope["rcptTo"]
    is_late = (now - row.send_at).total_seconds() >= settings.MAIL_DELAY_NOTICE_SECONDS
    for place, outcome in outcomes.items():
        email = recipients[place]["email"]
        status = row.status.get(email)
        if status is None or status["delivered"] != QUEUED:
            continue
        row.status[email] = {**status, "smtpReply": str(outcome.answer), "delivered": outcome.delivered}
        action = _action(outcome)
        if action == DELAYED and (not is_late or row.told_delay):
            continue
        if action is not None and wanted(action, parameter(recipients[place], "NOTIFY")):
            actions[place] = (action, outcome.answer)
    # Nobody is told of what has no sender (RFC 5321 §4.5.5).
    return actions if row.envelope["mailFrom"]["email"] else {}


def _action(outcome: Outcome) -> str | None:
    if outcome.tells_more:
        return None
    return {QUEUED: DELAYED, NO: FAILED, YES: DELIVERED, UNKNOWN: RELAYED}[outcome.delivered]


def _tells_delay(actions: Mapping[int, tuple[str, Answer]]) -> bool:
    return any(action == DELAYED for action, _ in actions.values())
