"""Submissions (RFC 8621 §7): rows that say what is sent, and the queue that says what is still to be delivered.

A submission is a row first: whatever delivers (`mail.outbound`) finds it by the queue. Nothing here looks at what may be sent;
that is the type's business.

Each submission has a token that nobody can guess. Receipts of it (DSN, MDN) are known by the token and by nothing else: it is the
ENVID (RFC 3461) where the client gave none and the relay takes one. Where an ENVID cannot do, it stands in the return address,
`alice+re-TOKEN@example.com`, and so it does in the address that is asked for a disposition notification.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.addresses import MAXIMUM_LOCAL_PART_OCTETS, normalise_address, split_address
from jmapcore.blobs.unreferenced import schedule_statements
from jmapcore.store.write import AccountWrite
from mail.fragments import json_text
from mail.outbound.waking import wake

TYPE = "EmailSubmission"

ADD_SUBMISSIONS = """
    INSERT INTO email_submission (account_id, id, user_id, identity_id, email_id, thread_id, blob_id, envelope, send_at,
        undo_status, delivery_status, dsn_blob_ids, mdn_blob_ids, is_destroyed, envelope_id)
    SELECT %s, n.id, %s, n.identity_id, n.email_id, n.thread_id, n.blob_id, n.envelope::jsonb, n.send_at,
        'pending', n.delivery_status::jsonb, '[]', '[]', %s, n.envelope_id
    FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::text[], %s::timestamptz[], %s::text[], %s::text[])
        AS n (id, identity_id, email_id, thread_id, blob_id, envelope, send_at, delivery_status, envelope_id)"""
ENQUEUE = """
    INSERT INTO submission_queue (account_id, id, due_at, give_up_at)
    SELECT %s, n.id, n.due_at, greatest(n.due_at, clock_timestamp()) + %s
    FROM unnest(%s::int[], %s::timestamptz[]) AS n (id, due_at)"""
# Whoever has a lease may be talking to a relay; a lease that ran out is one of somebody who may have died after doing so.
HOLD_BACK = """
    SELECT q.id, s.blob_id FROM submission_queue AS q
    JOIN email_submission AS s ON s.account_id = %s AND s.id = q.id
    WHERE q.account_id = %s AND q.id = ANY(%s::int[]) AND q.leased_until IS NULL AND q.taken = '{}' FOR UPDATE OF q"""
LEAVE_QUEUE = "DELETE FROM submission_queue WHERE account_id = %s AND id = ANY(%s::int[])"
CANCEL = """
    UPDATE email_submission AS s SET undo_status = 'canceled', delivery_status = n.delivery_status::jsonb, blob_id = NULL
    FROM unnest(%s::int[], %s::text[]) AS n (id, delivery_status) WHERE s.account_id = %s AND s.id = n.id"""
HIDE = """
    UPDATE email_submission SET is_destroyed = true
    WHERE account_id = %s AND id = ANY(%s::int[]) AND blob_id IS NOT NULL"""
DROP = "DELETE FROM email_submission WHERE account_id = %s AND id = ANY(%s::int[]) AND blob_id IS NULL"
FORGET_REPORTS = """
    DELETE FROM submission_report WHERE account_id = %s AND submission_id = ANY(%s::int[]) RETURNING blob_id"""
MOVE = """
    UPDATE email_submission AS s SET email_id = n.id, thread_id = n.thread_id
    FROM unnest(%s::int[], %s::int[], %s::int[]) AS n (old_id, id, thread_id)
    WHERE s.account_id = %s AND s.email_id = n.old_id RETURNING s.id, s.is_destroyed"""

QUEUED = {"smtpReply": "250 2.1.5 Queued", "delivered": "queued", "displayed": "unknown"}
CANCELED = {"smtpReply": "554 5.7.1 Canceled by the sender", "delivered": "no", "displayed": "unknown"}
"""DeliveryStatus objects of what no relay has seen (RFC 8621 §7)."""

DELIVERY_TIME = timedelta(days=5)
"""For how long delivery is tried from the moment at which a message was due (RFC 5321 §4.5.4.1)."""

_TOKEN = re.compile(r"[a-z2-7]{20}")
_DETAIL = re.compile(r"[^@]*\+re-([a-z2-7]{20})@[^@]*")


def new_token() -> str:
    """A token for a submission: 100 random bits, in letters that stay what they are in an address and in an ENVID."""
    return base64.b32encode(secrets.token_bytes(13)).decode("ascii").lower()[:20]


def is_token(text: str) -> bool:
    """Whether a text, an ENVID that came back for one, has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def return_address(address: str, token: str) -> str | None:
    """The address with the token in its detail: what is sent there tells of which submission it speaks.

    None where there is no such address, as the local part becomes too long, or as there is no address to begin with.
    """
    normal = normalise_address(address)
    if normal is None:
        return None
    local_part, domain = split_address(normal)
    made = f"{local_part}+re-{token}"
    return f"{made}@{domain}" if len(made.encode()) <= MAXIMUM_LOCAL_PART_OCTETS else None


def token_of_address(address: str) -> str | None:
    """The token in an address that `return_address` made, in any spelling; None for any other address."""
    normal = normalise_address(address)
    match = _DETAIL.fullmatch(normal) if normal is not None else None
    return match[1] if match is not None else None


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
    token: str = field(default_factory=new_token)


def submit(write: AccountWrite, user_id: int, submissions: Sequence[Submission]) -> None:
    """Store submissions under ids that the caller took, and queue them for the moment at which each is due."""
    _store(write, user_id, submissions, is_hidden=False)
    for each in submissions:
        write.created(TYPE, each.id)


def submit_hidden(
    write: AccountWrite, *, user_id: int, blob_id: int, envelope: Mapping[str, Any], send_at: datetime
) -> int:
    """Queue a message that the service itself sends; the number of its submission, which no client ever sees.

    `envelope` is as on the wire with every member; `blob_id` the whole message, of this account. The row goes with the end of
    the delivery. Nothing is counted against the limits of the user, for whom the message is sent.
    """
    [number] = write.new_ids()
    status = {recipient["email"]: QUEUED for recipient in envelope["rcptTo"]}
    _store(write, user_id, [Submission(number, 0, 0, 0, blob_id, envelope, send_at, status)], is_hidden=True)
    return number


def _store(write: AccountWrite, user_id: int, submissions: Sequence[Submission], *, is_hidden: bool) -> None:
    if not submissions:
        return
    ids = [each.id for each in submissions]
    moments = [each.send_at for each in submissions]
    if min(moments) <= datetime.now(UTC):
        write.on_commit.append(wake)
    write.defer(
        (
            ADD_SUBMISSIONS,
            (
                write.account_id,
                user_id,
                is_hidden,
                ids,
                [each.identity_id for each in submissions],
                [each.email_id for each in submissions],
                [each.thread_id for each in submissions],
                [each.blob_id for each in submissions],
                [json_text(each.envelope) for each in submissions],
                moments,
                [json_text(each.delivery_status) for each in submissions],
                [each.token for each in submissions],
            ),
        ),
        (ENQUEUE, (write.account_id, DELIVERY_TIME, ids, moments)),
    )


def hold_back(write: AccountWrite, ids: Sequence[int]) -> dict[int, int]:
    """Those of the submissions that nobody is delivering and that have left for nobody yet, with their blobs.

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
    (reports,) = write.run((FORGET_REPORTS, (write.account_id, list(ids))))
    if reports:
        write.defer(*schedule_statements(write.account_id, sorted({row[0] for row in reports})))
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
