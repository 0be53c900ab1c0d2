"""Changing what an Email is in: its keywords, its mailboxes, its existence (RFC 8621 §4.1.1, §4.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from jmapcore.blobs.unreferenced import schedule
from jmapcore.store.database import Row, Statement
from jmapcore.store.write import AccountWrite
from mail.counters import Member, settle
from mail.fragments import indexed_keywords, keywords_json, mailboxes_json, normalise_keywords

THREADS_OF_EMAILS = """
    SELECT e.id, e.thread_id, e.received_at, e.keywords, e.mailbox_ids FROM email AS e
    WHERE e.account_id = %s AND e.id IN (
        SELECT m.email_id FROM email_mailbox AS m WHERE m.account_id = %s AND m.thread_id IN (
            SELECT x.thread_id FROM email AS x WHERE x.account_id = %s AND x.id = ANY(%s::int[])))"""
THREADS = """
    SELECT e.id, e.thread_id, e.received_at, e.keywords, e.mailbox_ids FROM email AS e
    WHERE e.account_id = %s AND e.id IN (
        SELECT m.email_id FROM email_mailbox AS m WHERE m.account_id = %s AND m.thread_id = ANY(%s::int[]))"""
KNOWN_MAILBOXES = """
    SELECT id, role = 'trash' FROM mailbox WHERE account_id = %s AND (role = 'trash' OR id = ANY(%s::int[]))"""

SAVE_KEYWORDS = """
    UPDATE email AS e SET keywords = string_to_array(n.keywords, ' '), keywords_json = n.keywords_json
    FROM unnest(%s::int[], %s::text[], %s::text[]) AS n (id, keywords, keywords_json)
    WHERE e.account_id = %s AND e.id = n.id"""
SAVE_MAILBOXES = """
    UPDATE email AS e
    SET mailbox_ids = string_to_array(n.mailbox_ids, ' ')::int[], mailboxes_json = n.mailboxes_json
    FROM unnest(%s::int[], %s::text[], %s::text[]) AS n (id, mailbox_ids, mailboxes_json)
    WHERE e.account_id = %s AND e.id = n.id"""
ADD_EMAIL_KEYWORDS = """
    INSERT INTO email_keyword (account_id, keyword, received_at, email_id, thread_id)
    SELECT %s, n.keyword, n.received_at, n.email_id, n.thread_id
    FROM unnest(%s::text[], %s::timestamptz[], %s::int[], %s::int[]) AS n (keyword, received_at, email_id, thread_id)"""
DROP_EMAIL_KEYWORDS = """
    DELETE FROM email_keyword AS k USING unnest(%s::text[], %s::timestamptz[], %s::int[])
        AS d (keyword, received_at, email_id)
    WHERE k.account_id = %s AND k.keyword = d.keyword AND k.received_at = d.received_at AND k.email_id = d.email_id"""
ADD_EMAIL_MAILBOXES = """
    INSERT INTO email_mailbox (account_id, mailbox_id, received_at, email_id, thread_id)
    SELECT %s, n.mailbox_id, n.received_at, n.email_id, n.thread_id
    FROM unnest(%s::int[], %s::timestamptz[], %s::int[], %s::int[]) AS n (mailbox_id, received_at, email_id, thread_id)"""
DROP_EMAIL_MAILBOXES = """
    DELETE FROM email_mailbox AS m USING unnest(%s::int[], %s::timestamptz[], %s::int[])
        AS d (mailbox_id, received_at, email_id)
    WHERE m.account_id = %s AND m.mailbox_id = d.mailbox_id AND m.received_at = d.received_at
        AND m.email_id = d.email_id"""
DROP_STATIC = "DELETE FROM email_static WHERE account_id = %s AND id = ANY(%s::int[]) RETURNING blob_id"
DROP_EMAILS = "DELETE FROM email WHERE account_id = %s AND id = ANY(%s::int[])"


class UnknownEmailError(LookupError):
    """An Email that a write names is not in the account; `ids` are all of these."""

    def __init__(self, ids: Iterable[int]) -> None:
        self.ids = frozenset(ids)
        super().__init__(f"no such emails: {sorted(self.ids)}")


class UnknownMailboxError(LookupError):
    """A mailbox that a write names is not in the account; `ids` are all of these."""

    def __init__(self, ids: Iterable[int]) -> None:
        self.ids = frozenset(ids)
        super().__init__(f"no such mailboxes: {sorted(self.ids)}")


@dataclass(frozen=True, slots=True)
class EmailChange:
    """The final keywords and mailboxes of an Email; None leaves them as they are."""

    id: int
    keywords: frozenset[str] | None = None
    mailbox_ids: frozenset[int] | None = None


@dataclass(slots=True)
class LoadedThreads:
    """Whole Threads as they stand under the lock, and which mailbox is the trash."""

    emails: dict[int, Member] = field(default_factory=dict)
    threads: dict[int, list[Member]] = field(default_factory=dict)
    trash: frozenset[int] = frozenset()
    mailbox_ids: frozenset[int] = frozenset()
    """Those of the mailboxes asked for that exist."""

    def take(self, rows: Iterable[Row]) -> None:
        """Add rows of `THREADS` or `THREADS_OF_EMAILS`."""
        for row in rows:
            member = Member(row[0], row[1], row[2], frozenset(row[3]), frozenset(row[4]))
            self.emails[member.id] = member
            self.threads.setdefault(member.thread_id, []).append(member)

    def take_mailboxes(self, rows: Iterable[Row]) -> None:
        """Add rows of `KNOWN_MAILBOXES`."""
        found = list(rows)
        self.mailbox_ids = frozenset(row[0] for row in found)
        self.trash = frozenset(row[0] for row in found if row[1])


class IndexRows:
    """Rows of email_mailbox and email_keyword that a write adds and drops."""

    def __init__(self) -> None:
        self._mailboxes: tuple[list[tuple[object, ...]], list[tuple[object, ...]]] = ([], [])
        self._keywords: tuple[list[tuple[object, ...]], list[tuple[object, ...]]] = ([], [])

    def compare(self, old: Member | None, new: Member | None) -> None:
        """What has to go and to come as `old` becomes `new`, which has the same id; None where there is no such Email."""
        had_mailboxes = old.mailbox_ids if old else frozenset[int]()
        has_mailboxes = new.mailbox_ids if new else frozenset[int]()
        had_keywords = indexed_keywords(old.keywords) if old else frozenset[str]()
        has_keywords = indexed_keywords(new.keywords) if new else frozenset[str]()
        if old:
            tail: tuple[object, ...] = (old.received_at, old.id)
            self._mailboxes[0].extend((mailbox_id, *tail) for mailbox_id in had_mailboxes - has_mailboxes)
            self._keywords[0].extend((keyword, *tail) for keyword in had_keywords - has_keywords)
        if new:
            tail = (new.received_at, new.id, new.thread_id)
            self._mailboxes[1].extend((mailbox_id, *tail) for mailbox_id in has_mailboxes - had_mailboxes)
            self._keywords[1].extend((keyword, *tail) for keyword in has_keywords - had_keywords)

    def statements(self, account_id: int) -> list[Statement]:
        """What drops and adds them."""
        found: list[Statement] = []
        for (drop, add), (dropped, added) in (
            ((DROP_EMAIL_MAILBOXES, ADD_EMAIL_MAILBOXES), self._mailboxes),
            ((DROP_EMAIL_KEYWORDS, ADD_EMAIL_KEYWORDS), self._keywords),
        ):
            if dropped:
                found.append((drop, (*_columns(dropped), account_id)))
            if added:
                found.append((add, (account_id, *_columns(added))))
        return found


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def load_threads(
    write: AccountWrite, email_ids: Sequence[int], mailbox_ids: Iterable[int] = ()
) -> LoadedThreads:
    """Read, in one round trip, the Threads of these Emails, the trash, and which of the mailboxes exist."""
    account_id = write.account_id
    members, mailboxes = write.run(
        (THREADS_OF_EMAILS, (account_id, account_id, account_id, list(email_ids))),
        (KNOWN_MAILBOXES, (account_id, list(mailbox_ids))),
    )
    loaded = LoadedThreads()
    loaded.take(members)
    loaded.take_mailboxes(mailboxes)
    return loaded


def change_emails(
    write: AccountWrite, changes: Sequence[EmailChange], loaded: LoadedThreads | None = None
) -> None:
    """Give Emails new keywords and mailboxes, and record what changed; one that stays as it was is no change.

    `loaded` is what `load_threads` gave within this write for these Emails and mailboxes, where the caller needed it
    first. Raises `UnknownEmailError`, `UnknownMailboxError`, and ValueError for an Email without a mailbox, before it writes.
    """
    wanted = frozenset[int]().union(*(change.mailbox_ids or () for change in changes))
    if loaded is None:
        loaded = load_threads(write, [change.id for change in changes], wanted)
    if unknown := {change.id for change in changes} - loaded.emails.keys():
        raise UnknownEmailError(unknown)
    if strangers := wanted - loaded.mailbox_ids - _mailboxes_of(loaded):
        raise UnknownMailboxError(strangers)
    changed: dict[int, Member] = {}
    for change in changes:
        old = changed.get(change.id) or loaded.emails[change.id]
        keywords = old.keywords if change.keywords is None else normalise_keywords(change.keywords)
        mailbox_ids = old.mailbox_ids if change.mailbox_ids is None else change.mailbox_ids
        if not mailbox_ids:
            raise ValueError(f"email {change.id} would be in no mailbox")
        changed[change.id] = replace(old, keywords=keywords, mailbox_ids=mailbox_ids)
    _save(write, loaded, {key: new for key, new in changed.items() if new != loaded.emails[key]})


def _mailboxes_of(loaded: LoadedThreads) -> frozenset[int]:
    return frozenset[int]().union(*(member.mailbox_ids for member in loaded.emails.values()))


def _save(write: AccountWrite, loaded: LoadedThreads, changed: dict[int, Member]) -> None:
    if not changed:
        return
    index = IndexRows()
    keywords: list[Member] = []
    mailboxes: list[Member] = []
    for email_id, new in changed.items():
        old = loaded.emails[email_id]
        write.updated("Email", email_id)
        index.compare(old, new)
        if old.keywords != new.keywords:
            keywords.append(new)
        if old.mailbox_ids != new.mailbox_ids:
            mailboxes.append(new)
    before = {member.thread_id: loaded.threads[member.thread_id] for member in changed.values()}
    after = {
        thread_id: [changed.get(member.id, member) for member in members]
        for thread_id, members in before.items()
    }
    statements: list[Statement] = []
    if keywords:
        statements.append((SAVE_KEYWORDS, (*keyword_columns(keywords), write.account_id)))
    if mailboxes:
        statements.append((SAVE_MAILBOXES, (*mailbox_columns(mailboxes), write.account_id)))
    statements += index.statements(write.account_id)
    statements += settle(write, before, after, loaded.trash)
    write.run(*statements)
    _remember(loaded, after)


def _remember(loaded: LoadedThreads, after: dict[int, list[Member]]) -> None:
    """Let `loaded` say what is true now, so that the caller may go on with it."""
    for thread_id, members in after.items():
        loaded.emails.update({member.id: member for member in members})
        loaded.threads[thread_id] = members


def keyword_columns(members: Sequence[Member]) -> tuple[list[int], list[str], list[str]]:
    """Ids, keywords separated by spaces, and their JSON, for `unnest` (which knows no arrays of ragged arrays)."""
    return (
        [member.id for member in members],
        [" ".join(sorted(member.keywords)) for member in members],
        [keywords_json(member.keywords) for member in members],
    )


def mailbox_columns(members: Sequence[Member]) -> tuple[list[int], list[str], list[str]]:
    """Ids, mailbox ids separated by spaces, and their JSON, for `unnest`."""
    return (
        [member.id for member in members],
        [" ".join(map(str, sorted(member.mailbox_ids))) for member in members],
        [mailboxes_json(member.mailbox_ids) for member in members],
    )


def destroy_emails(
    write: AccountWrite, email_ids: Sequence[int], loaded: LoadedThreads | None = None
) -> None:
    """Destroy Emails, and the Threads whose last they were; their blobs are looked at by the sweep.

    `loaded` as in `change_emails`. Raises `UnknownEmailError` before it writes.
    """
    if loaded is None:
        loaded = load_threads(write, email_ids)
    doomed = dict.fromkeys(email_ids)
    if unknown := doomed.keys() - loaded.emails.keys():
        raise UnknownEmailError(unknown)
    if not doomed:
        return
    index = IndexRows()
    for email_id in doomed:
        write.destroyed("Email", email_id)
        index.compare(loaded.emails[email_id], None)
    before = {
        loaded.emails[email_id].thread_id: loaded.threads[loaded.emails[email_id].thread_id]
        for email_id in doomed
    }
    after = {
        thread_id: [member for member in members if member.id not in doomed]
        for thread_id, members in before.items()
    }
    ids = list(doomed)
    statics, *_ = write.run(
        (DROP_STATIC, (write.account_id, ids)),
        *index.statements(write.account_id),
        *settle(write, before, after, loaded.trash),
        (DROP_EMAILS, (write.account_id, ids)),
    )
    schedule(write, sorted({row[0] for row in statics}))
    for email_id in ids:
        del loaded.emails[email_id]
    loaded.threads.update(after)
