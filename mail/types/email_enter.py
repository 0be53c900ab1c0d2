"""New Emails of a /set or a /copy under the lock: what was made ready is entered, and the plan learns the ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from jmapcore.blobs.storage import ReservationLostError, find_statement
from jmapcore.protocol.errors import OverQuota, ServerUnavailable
from jmapcore.protocol.wire import object_number, parse_date
from jmapcore.store.database import Row, Statement
from jmapcore.store.plan import PlannedCreate, Record, SetPlan
from mail.ingest import AddedEmail, NewEmail, add_messages, threads_statements
from mail.membership import destroy_emails
from mail.types.email_ready import ReadyEmail

PRELUDE = 4
"""Statements of `enter_prelude`."""


def enter_prelude(
    account_id: int, creates: Mapping[str, Record], ready: Mapping[str, ReadyEmail]
) -> list[Statement]:
    """What `enter` looks at: the blobs that are there, the Threads that the messages may join, and the mailboxes."""
    wanted = {number for key in ready for number in _numbers(creates[key].get("mailboxIds") or ())}
    emails = [each.email for each in ready.values()]
    return [
        find_statement(account_id, list({email.hash for email in emails})),
        *threads_statements(account_id, emails, wanted),
    ]


def enter(plan: SetPlan, rows: Sequence[Sequence[Row]] | None) -> None:
    """Add the planned Emails as far as the quota goes, and give the plan what the response says of them.

    `rows` are those of `enter_prelude`; None where the plan has changed Emails since. What the call creates and destroys is
    entered and destroyed as well: it had an id, a Thread and a blob. Raises `ServerUnavailable`.
    """
    sizes = {each.creation_id: each.prepared.email.size for each in (*plan.creates.values(), *plan.passing)}
    for key in plan.write.usage.beyond(sizes):
        plan.fail_create(key, OverQuota())
    planned = [*plan.creates.values(), *plan.passing]
    emails = [_new_email(create) for create in planned]
    if rows is not None and not {number for email in emails for number in email.mailbox_ids} <= {
        row[0] for row in rows[-1]
    }:
        rows = None  # mailboxes of the same request, or those that an update put the new Email into
    blobs, threads = (None, None) if rows is None else (rows[0], rows[1:])
    try:
        added = add_messages(plan.write, emails, threads, blobs)
    except ReservationLostError:
        # Content that the account had was swept before the lock was ours. Asked for again it will be written.
        raise ServerUnavailable("content was swept meanwhile") from None
    for create, email in zip(planned, added, strict=True):
        _note(plan, create, email)
    if plan.passing:
        destroy_emails(plan.write, [create.id for create in plan.passing])


def _new_email(create: PlannedCreate) -> NewEmail:
    ready: ReadyEmail = create.prepared
    given = create.record["receivedAt"]
    return NewEmail(
        prepared=ready.email,
        mailbox_ids=sorted(_numbers(create.record["mailboxIds"])),
        keywords=create.record["keywords"],
        # "default: time of creation on server" (RFC 8621 §4.1.1), whatever Received fields say.
        received_at=datetime.now(UTC).replace(microsecond=0) if given is None else parse_date(given),
        content=ready.content,
    )


def _note(plan: SetPlan, create: PlannedCreate, email: AddedEmail) -> None:
    """The Email has the id under which it was entered, which a merge of Threads may have changed within the call."""
    if create.id in plan.updates:
        update = plan.updates.pop(create.id)
        update.id = email.id
        plan.updates[email.id] = update
    if create.id in plan.destroys:
        destroy = plan.destroys.pop(create.id)
        destroy.id = email.id
        plan.destroys[email.id] = destroy
    create.id = email.id
    create.record |= {"blobId": f"b{email.blob_id}", "threadId": f"t{email.thread_id}", "size": email.size}


def _numbers(wire: Iterable[str]) -> set[int]:
    numbers = (object_number("m", text) for text in wire)
    return {number for number in numbers if number is not None}
