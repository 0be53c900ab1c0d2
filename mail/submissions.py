"""Submissions (RFC 8621 §7): rows that say what is sent, and the queue that says what is still to be delivered.

A submission is a row first: whatever delivers finds it by the queue. Nothing here looks at what may be sent; that is the type's
business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jmapcore.blobs.unreferenced import schedule_statements
from jmapcore.store.write import AccountWrite
from mail.fragments import json_text

TYPE = "EmailSubmission"

ADD_SUBMISSIONS = """
    INSERT INTO email_submission (account_id, id, user_id, identity_id, email_id, thread_id, blob_id, envelope, send_at,
        undo_status, delivery_status, dsn_blob_ids, mdn_blob_ids, is_destroyed)
    SELECT %s, n.id, %s, n.identity_id, n.email_id, n.thread_id, n.blob_id, n.envelope::jsonb, n.send_at,
        'pending', n.delivery_status::jsonb, '[]', '[]', false
    FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::text[], %s::timestamptz[], %s::text[])
        AS n (id, identity_id, email_id, thread_id, blob_id, envelope, send_at, delivery_status)"""
ENQUEUE = """
    INSERT INTO submission_queue (account_id, id, due_at)
    SELECT %s, n.id, n.due_at FROM unnest(%s::int[], %s::timestamptz[]) AS n (id, due_at)"""
HOLD_BACK = """
    SELECT q.id, s.blob_id FROM submission_queue AS q
    JOIN email_submission AS s ON s.account_id = %s AND s.id = q.id
    WHERE q.account_id = %s AND q.id = ANY(%s::int[]) AND q.attempts = 0 FOR UPDATE OF q"""
LEAVE_QUEUE = "DELETE FROM submission_queue WHERE account_id = %s AND id = ANY(%s::int[])"
CANCEL = """
    UPDATE email_submission AS s SET undo_status = 'canceled', delivery_status = n.delivery_status::jsonb, blob_id = NULL
    FROM unnest(%s::int[], %s::text[]) AS n (id, delivery_status) WHERE s.account_id = %s AND s.id = n.id"""
HIDE = """
    UPDATE email_submission SET is_destroyed = true
    WHERE account_id = %s AND id = ANY(%s::int[]) AND blob_id IS NOT NULL"""
DROP = "DELETE FROM email_submission WHERE account_id = %s AND id = ANY(%s::int[]) AND blob_id IS NULL"
MOVE = """
    UPDATE email_submission AS s SET email_id = n.id, thread_id = n.thread_id
    FROM unnest(%s::int[], %s::int[], %s::int[]) AS n (old_id, id, thread_id)
    WHERE s.account_id = %s AND s.email_id = n.old_id RETURNING s.id, s.is_destroyed"""

QUEUED = {"smtpReply": "250 2.1.5 Queued", "delivered": "queued", "displayed": "unknown"}
CANCELED = {"smtpReply": "554 5.7.1 Canceled by the sender", "delivered": "no", "displayed": "unknown"}
"""DeliveryStatus objects of what no relay has seen (RFC 8621 §7)."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission to be stored; `envelope` is an Envelope as on the wire, with every member."""

    id: int
    identity_id: int
    email_id: int
    thread_id: int
    blob_id: int
    envelope: Mapping[str, Any]
    send_at: datetime
    delivery_status: Mapping[str, Any]


def submit(write: AccountWrite, user_id: int, submissions: Sequence[Submission]) -> None:
    """Store submissions under ids that the caller took, and queue them for the moment at which each is due."""
    if not submissions:
        return
    ids = [each.id for each in submissions]
    moments = [each.send_at for each in submissions]
    write.defer(
        (
            ADD_SUBMISSIONS,
            (
                write.account_id,
                user_id,
                ids,
                [each.identity_id for each in submissions],
                [each.email_id for each in submissions],
                [each.thread_id for each in submissions],
                [each.blob_id for each in submissions],
                [json_text(each.envelope) for each in submissions],
                moments,
                [json_text(each.delivery_status) for each in submissions],
            ),
        ),
        (ENQUEUE, (write.account_id, ids, moments)),
    )
    for number in ids:
        write.created(TYPE, number)


def hold_back(write: AccountWrite, ids: Sequence[int]) -> dict[int, int]:
    """Those of the submissions that nothing has tried to deliver, with their blobs.

    Their rows of the queue are locked until the write ends: whoever claims rows passes them by.
    """
    if not ids:
        return {}
    (rows,) = write.run((HOLD_BACK, (write.account_id, write.account_id, list(ids))))
    return {row[0]: row[1] for row in rows}


def cancel(
    write: AccountWrite, delivery_status: Mapping[int, Mapping[str, Any]], blob_ids: Sequence[int]
) -> None:
    """Cancel submissions that were held back: they leave the queue, and let go of their messages."""
    ids = list(delivery_status)
    write.defer(
        (LEAVE_QUEUE, (write.account_id, ids)),
        (CANCEL, (ids, [json_text(status) for status in delivery_status.values()], write.account_id)),
        *schedule_statements(write.account_id, sorted(set(blob_ids))),
    )
    for number in ids:
        write.updated(TYPE, number)


def destroy_submissions(write: AccountWrite, ids: Sequence[int]) -> None:
    """Destroy the records: doing so "MUST NOT affect the deliveries" that they represent (RFC 8621 §7.5)."""
    if not ids:
        return
    write.defer((HIDE, (write.account_id, list(ids))), (DROP, (write.account_id, list(ids))))
    for number in ids:
        write.destroyed(TYPE, number)


def move_submissions(
    write: AccountWrite, old_ids: Sequence[int], ids: Sequence[int], thread_ids: Sequence[int]
) -> None:
    """Let submissions name the Emails that took the place of others, as Threads were merged (RFC 8621 §3)."""
    (rows,) = write.run((MOVE, (list(old_ids), list(ids), list(thread_ids), write.account_id)))
    for number, is_destroyed in rows:
        if not is_destroyed:
            write.updated(TYPE, number)
