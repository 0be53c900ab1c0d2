"""How Emails are fetched, queried and written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jmapcore.protocol.errors import SetError
from jmapcore.protocol.wire import format_utc, object_number
from jmapcore.store.database import Statement
from jmapcore.store.plan import PlannedUpdate, Record, SetPlan
from jmapcore.store.query import Query, Window, WindowRequest
from jmapcore.store.reading import Reading
from jmapcore.store.storage import Fetched, Storage
from jmapcore.store.write import AccountWrite
from mail.counters import Member
from mail.fragments import normalise_keywords
from mail.membership import (
    KNOWN_MAILBOXES,
    EmailChange,
    LoadedThreads,
    change_emails,
    destroy_emails,
    loaded_threads,
    threads_statements,
)
from mail.types import email_query
from mail.types.capability import MAX_KEYWORDS_PER_EMAIL, MAX_MAILBOXES_PER_EMAIL
from mail.types.email_bodies import load_bodies
from mail.types.email_copy import prepare_copies
from mail.types.email_create import prepare_creates
from mail.types.email_enter import PRELUDE, enter, enter_prelude
from mail.types.email_fetch import fetch_emails, load_properties
from mail.types.email_properties import BODY_PROPERTIES
from mail.types.errors import TooManyKeywords, TooManyMailboxes

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

EXISTING = "SELECT id FROM email WHERE account_id = %s AND id = ANY(%b::int[])"

_OF_MEMBERS = frozenset({"id", "threadId", "receivedAt", "keywords", "mailboxIds"})
"""What the rows say that a write loads anyhow."""


class EmailStorage(Storage):
    """The tables of Emails, written by `mail.membership` and `mail.ingest`."""

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """These Emails, or all."""
        return fetch_emails(reading, ids, properties, arguments, limit)

    def results(self, reading: Reading, query: Query) -> list[int]:
        """All Emails that match, in order."""
        return email_query.results(reading, query)

    def window(self, reading: Reading, query: Query, request: WindowRequest) -> Window:
        """A part of the results."""
        return email_query.window(reading, query, request)

    def places(
        self, reading: Reading, query: Query, numbers: Collection[int]
    ) -> tuple[list[tuple[int, int]], int]:
        """Where these Emails are in the results."""
        return email_query.places(reading, query, numbers)

    def matching(self, reading: Reading, query: Query, numbers: Collection[int]) -> list[int]:
        """Which of these Emails match a filter."""
        return email_query.matching(reading, query, numbers)

    def affected(self, reading: Reading, query: Query, since: int, changed: Collection[int]) -> set[int]:
        """The other Emails of the Threads that changed, where Threads matter."""
        return email_query.affected(reading, query, since, changed)

    def prepare(
        self, context: RequestContext, access: AccountAccess, creates: Mapping[str, Record]
    ) -> tuple[dict[str, Any], dict[str, SetError]]:
        """Compose the new messages."""
        return prepare_creates(context, access, creates)

    def prepare_copies(
        self,
        context: RequestContext,
        source: AccountAccess,
        access: AccountAccess,
        creates: Mapping[str, Record],
        originals: Mapping[str, int],
    ) -> tuple[dict[str, Any], dict[str, SetError]]:
        """Carry the messages over."""
        return prepare_copies(context, source, access, creates, originals)

    def create_prelude(
        self, access: AccountAccess, creates: Mapping[str, Record], prepared: Mapping[str, Any]
    ) -> Sequence[Statement]:
        """What entering the new messages looks at."""
        return enter_prelude(access.account_id, creates, prepared)

    def existing(self, write: AccountWrite, ids: Collection[int]) -> set[int]:
        """Which of these Emails exist."""
        if not ids:
            return set()
        (rows,) = write.run((EXISTING, (write.account_id, list(ids))))
        return {row[0] for row in rows}

    def prelude(
        self, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> Sequence[Statement]:
        """The Threads of these Emails."""
        return threads_statements(access.account_id, ids)

    def load(
        self, write: AccountWrite, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> dict[int, Record]:
        """These Emails under the lock, with the Threads they are in, which `apply` needs."""
        loaded = loaded_threads(write.prelude[:1])  # the rest is of creates
        write.kept[EmailStorage] = loaded
        make = _changing if _CHANGING.issuperset(names) else _record
        records = {number: make(loaded.emails[number]) for number in ids if number in loaded.emails}
        if further := set(names) - _OF_MEMBERS:
            # "an entire Foo object is also a valid PatchObject" (RFC 8620 §5.3), so what never changes is compared.
            stored = load_properties(write.run, write.account_id, ids, sorted(further))
            bodies = sorted(further.intersection(BODY_PROPERTIES))
            made = load_bodies(write.run, write.account_id, ids, bodies) if bodies else {}
            for number, record in stored.items():
                records[number] = {**record, **made.get(number, {}), **records[number]}
        return records

    @contextmanager
    def writing(
        self, context: RequestContext, access: AccountAccess, prelude: Sequence[Statement] = ()
    ) -> Iterator[AccountWrite]:
        """The block in which Emails are written; what it was opened with may have seen the mailboxes already."""
        with super().writing(context, access, prelude) as write:
            if prelude and prelude[-1][0] is KNOWN_MAILBOXES:
                write.kept[KNOWN_MAILBOXES] = frozenset(row[0] for row in write.prelude[-1])
            yield write

    def apply(self, plan: SetPlan) -> None:
        """Write keywords, mailboxes and destroys, then creates."""
        updates = [update for update in plan.updates.values() if update.changed]
        passing = {create.id for create in plan.passing}
        destroys = [number for number in plan.destroys if number not in passing]
        if updates or destroys:
            self._change(plan, updates, destroys)
        if plan.creates or plan.passing:
            enter(plan, None if updates or destroys else plan.write.prelude[-PRELUDE:])

    @staticmethod
    def _change(plan: SetPlan, updates: Sequence[PlannedUpdate], destroys: Sequence[int]) -> None:
        loaded: LoadedThreads = plan.write.kept[EmailStorage]
        changes = [
            EmailChange(
                update.id,
                frozenset(update.new["keywords"]) if "keywords" in update.changed else None,
                _mailboxes(update.new["mailboxIds"]) if "mailboxIds" in update.changed else None,
            )
            for update in updates
        ]
        # That they exist was checked with the plan, under the same lock.
        loaded.mailbox_ids |= frozenset[int]().union(*(change.mailbox_ids or () for change in changes))
        if changes:
            change_emails(plan.write, changes, loaded)
        if destroys:
            destroy_emails(plan.write, destroys, loaded)


_CHANGING = frozenset({"id", "keywords", "mailboxIds"})


def _changing(member: Member) -> Record:
    return {
        "id": f"e{member.id}",
        "keywords": dict.fromkeys(member.keywords, True),
        "mailboxIds": {f"m{number}": True for number in member.mailbox_ids},
    }


def _record(member: Member) -> Record:
    return {
        **_changing(member),
        "threadId": f"t{member.thread_id}",
        "receivedAt": format_utc(member.received_at),
    }


def _mailboxes(wire: Mapping[str, Any]) -> frozenset[int]:
    numbers = (object_number("m", text) for text in wire)
    return frozenset(number for number in numbers if number is not None)


def checked_record(access: AccountAccess, record: Record, changed: frozenset[str]) -> Mapping[str, Any]:
    """Bounds the number of keywords and mailboxes; `$recent` is never stored. Raises `TooManyKeywords`, `TooManyMailboxes`."""
    if "mailboxIds" in changed and len(record["mailboxIds"]) > MAX_MAILBOXES_PER_EMAIL:
        raise TooManyMailboxes
    if "keywords" not in changed:
        return {}
    keywords = normalise_keywords(record["keywords"])
    if len(keywords) > MAX_KEYWORDS_PER_EMAIL:
        raise TooManyKeywords
    return {"keywords": dict.fromkeys(sorted(keywords), True)}
