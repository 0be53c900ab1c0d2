"""How EmailSubmissions are fetched, queried and written, and what is done with their Emails afterwards (RFC 8621 §7.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from jmapcore.blobs.content import in_batches
from jmapcore.blobs.prefixes import read_prefixes
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import SetError
from jmapcore.protocol.wire import format_utc, object_number
from jmapcore.store.database import Connection, Row, Statement, read
from jmapcore.store.model_storage import ModelStorage
from jmapcore.store.plan import Record, SetPlan
from jmapcore.store.query import Query
from jmapcore.store.reading import Reading
from jmapcore.store.write import AccountWrite
from mail.message.originators import originators
from mail.message.scan import header_fields
from mail.models import EmailSubmission
from mail.submissions import QUEUED, Submission, cancel, destroy_submissions, submit
from mail.types.email import EMAIL
from mail.types.submission_checks import ACCEPTED, HELD_BACK, Accepted, Message
from mail.types.submission_query import query_statement

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

LONGEST_HEADER = 1_000_000
"""Octets of a header that are read at most; no relay takes one that is longer."""

# 9 and 10 are the start and the end of the header in a part's entry of `mail.message.structure`.
MESSAGES = """
    SELECT e.id, e.thread_id, s.blob_id, e.size, (s.body_json::json #>> '{0,9}')::int, (s.body_json::json #>> '{0,10}')::int
    FROM email AS e JOIN email_static AS s ON s.account_id = %s AND s.id = e.id
    WHERE e.account_id = %s AND e.id = ANY(%s::int[])"""

_CREATED_IDS = object()
"""Key of `AccountWrite.kept`: the creation ids of the request."""


class EmailSubmissionStorage(ModelStorage):
    """The table `email_submission`, written by `mail.submissions`."""

    def __init__(self) -> None:
        super().__init__(EmailSubmission, shown="NOT is_destroyed")

    def results(self, reading: Reading, query: Query) -> list[int]:
        """All submissions that match, in order."""
        (rows,) = reading.run(query_statement(reading.account_id, query))
        return [row[0] for row in rows]

    def prepare(
        self, context: RequestContext, access: AccountAccess, creates: Mapping[str, Record]
    ) -> tuple[dict[str, Any], dict[str, SetError]]:
        """The Emails to be sent, with what their headers say of whom they are from and to."""
        named = {key: record.get("emailId") for key, record in creates.items()}
        numbers = {
            key: object_number("e", context.resolve_id(text))
            for key, text in named.items()
            if type(text) is str
        }
        wanted = {number for number in numbers.values() if number is not None}
        messages = _messages(context.connection, access.account_id, sorted(wanted)) if wanted else {}
        return {key: messages[number] for key, number in numbers.items() if number in messages}, {}

    @contextmanager
    def writing(
        self, context: RequestContext, access: AccountAccess, prelude: Sequence[Statement] = ()
    ) -> Iterator[AccountWrite]:
        """The block in which a /set writes; it knows what creation ids stand for."""
        with super().writing(context, access, prelude) as write:
            write.kept[_CREATED_IDS] = context.created_ids
            yield write

    def apply(self, plan: SetPlan) -> None:
        """Store and queue what is new, cancel what is undone, and say which changes of Emails follow."""
        write = plan.write
        accepted: dict[int, Accepted] = write.kept[ACCEPTED]
        new = [_submission(create.record, create.id, accepted[create.id]) for create in plan.creates.values()]
        submit(write, plan.access.user_id, new)
        unsent = {
            number: update.new["deliveryStatus"]
            for number, update in plan.updates.items()
            if "undoStatus" in update.changed
        }
        if unsent:
            cancel(write, unsent, [write.kept[HELD_BACK][number] for number in unsent])
        destroy_submissions(write, list(plan.destroys))
        plan.implicit += _implicit(plan, write.kept[_CREATED_IDS])


def _messages(connection: Connection, account_id: int, numbers: Sequence[int]) -> dict[int, Message]:
    """These Emails, as far as they exist; so many headers at a time that memory stays bounded."""
    (rows,) = read(connection, account_id, (MESSAGES, (account_id, account_id, list(numbers))))
    found = {row[0]: Message(row[0], row[1], row[2], row[3], None) for row in rows if row[5] > LONGEST_HEADER}
    for batch in in_batches((row for row in rows if row[5] <= LONGEST_HEADER), itemgetter(5)):
        found |= _read(connection, account_id, batch)
    return found


def _read(connection: Connection, account_id: int, batch: Sequence[Row]) -> dict[int, Message]:
    raw = read_prefixes(connection, account_id, {row[2]: row[5] for row in batch})
    found: dict[int, Message] = {}
    for row in batch:
        checkpoint()
        fields = header_fields(raw.get(row[2], b""), row[4], row[5])
        found[row[0]] = Message(row[0], row[1], row[2], row[3], originators(fields))
    return found


def _submission(record: Record, number: int, accepted: Accepted) -> Submission:
    """What is stored; the record gets the properties that the server sets."""
    message, envelope = accepted.message, accepted.envelope
    record |= {
        "threadId": f"t{message.thread_id}",
        "envelope": envelope,
        "sendAt": format_utc(accepted.send_at),
        "deliveryStatus": {recipient["email"]: QUEUED for recipient in envelope["rcptTo"]},
        "dsnBlobIds": [],
        "mdnBlobIds": [],
    }
    return Submission(
        id=number,
        identity_id=int(record["identityId"][1:]),
        email_id=message.email_id,
        thread_id=message.thread_id,
        blob_id=message.blob_id,
        envelope=envelope,
        send_at=accepted.send_at,
        delivery_status=record["deliveryStatus"],
    )


def _implicit(plan: SetPlan, created_ids: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The "single implicit Email/set call" of onSuccessUpdateEmail and onSuccessDestroyEmail, if there is anything to do."""
    emails = _emails(plan)
    known = {**created_ids, **plan.created_ids()}

    def email_of(key: str) -> str | None:
        number = object_number(plan.type.letter, known.get(key[1:], key) if key[:1] == "#" else key)
        return None if number is None else emails.get(number)

    update: dict[str, dict[str, Any]] = {}
    for key, patch in (plan.arguments["onSuccessUpdateEmail"] or {}).items():
        email = email_of(key)
        if email is not None:
            update[email] = {**update.get(email, {}), **patch}
    wanted = map(email_of, plan.arguments["onSuccessDestroyEmail"] or [])
    destroy = list(dict.fromkeys(email for email in wanted if email is not None))
    if not update and not destroy:
        return []
    arguments = {name: argument.default for name, argument in EMAIL.arguments.get("set", {}).items()}
    arguments |= {"accountId": plan.arguments["accountId"], "ifInState": None, "create": None}
    return [("Email/set", {**arguments, "update": update or None, "destroy": destroy or None})]


def _emails(plan: SetPlan) -> dict[int, str]:
    """The Emails of the submissions that were created, updated or destroyed."""
    emails = {create.id: create.record["emailId"] for create in plan.creates.values()}
    emails |= {number: update.old["emailId"] for number, update in plan.updates.items()}
    return emails | {number: destroy.old["emailId"] for number, destroy in plan.destroys.items()}
