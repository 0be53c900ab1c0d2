"""Changing what an Email is in: its keywords, its mailboxes, its existence (RFC 8621 §4.1.1, §4.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from jmapcore.blobs.unreferenced import schedule
from jmapcore.store.database import Row, Statement
from jmapcore.store.rows import Change, Insertion, Removal
from jmapcore.store.write import AccountWrite
from mail import email_search
from mail.counters import Member, settle
from mail.fragments import (
    indexed_keywords,
    is_unread,
    keywords_json,
    keywords_text,
    mailboxes_json,
    normalise_keywords,
)

THREADS_OF_EMAILS = """
    SELECT e.id, e.thread_id, e.received_at, e.keywords, e.mailbox_ids,
        (SELECT array_agg(b.id) FROM mailbox AS b WHERE b.account_id = %s AND b.role = 'trash')
    FROM email AS e
    WHERE e.account_id = %s AND e.id = ANY(ARRAY(
        SELECT m.email_id FROM email_mailbox AS m WHERE m.account_id = %s AND m.thread_id = ANY(ARRAY(
            SELECT x.thread_id FROM email AS x WHERE x.account_id = %s AND x.id = ANY(%s::int[])))))"""
"""Arrays are looked up in one pass over an index, where a join would go to it for each row."""
THREADS = """
    SELECT e.id, e.thread_id, e.received_at, e.keywords, e.mailbox_ids FROM email AS e
    WHERE e.account_id = %s AND e.id = ANY(ARRAY(
        SELECT m.email_id FROM email_mailbox AS m WHERE m.account_id = %s AND m.thread_id = ANY(%s::int[])))"""
KNOWN_MAILBOXES = """
    SELECT id, role = 'trash' FROM mailbox WHERE account_id = %s AND (role = 'trash' OR id = ANY(%s::int[]))"""

KEYWORDS_FORM = "string_to_array({}, ' ')"
MAILBOX_IDS_FORM = "string_to_array({}, ' ')::int[]"
"""`unnest` knows no arrays of ragged arrays."""

SAVE_KEYWORDS = Change(
    "email",
    {"keywords": "text", "keywords_json": "text"},
    {"id": "int"},
    forms={"keywords": KEYWORDS_FORM},
)
SAVE_MAILBOXES = Change(
    "email",
    {"mailbox_ids": "text", "mailboxes_json": "text"},
    {"id": "int"},
    forms={"mailbox_ids": MAILBOX_IDS_FORM},
)
ADD_EMAIL_KEYWORDS = Insertion(
    "email_keyword", {"keyword": "text", "received_at": "timestamptz", "email_id": "int", "thread_id": "int"}
)
DROP_EMAIL_KEYWORDS = Removal(
    "email_keyword", {"keyword": "text", "received_at": "timestamptz", "email_id": "int"}
)
ADD_EMAIL_MAILBOXES = Insertion(
    "email_mailbox",
    {"mailbox_id": "int", "received_at": "timestamptz", "email_id": "int", "thread_id": "int"},
)
DROP_EMAIL_MAILBOXES = Removal(
    "email_mailbox", {"mailbox_id": "int", "received_at": "timestamptz", "email_id": "int"}
)
DROP_STATIC = "DELETE FROM email_static WHERE account_id = %s AND id = ANY(%s::int[]) RETURNING blob_id"
DROP_EMAILS = "DELETE FROM email WHERE account_id = %s AND id = ANY(%s::int[]) RETURNING size"


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
        self._dropped_mailboxes: list[tuple[object, ...]] = []
        self._added_mailboxes: list[tuple[object, ...]] = []
        self._dropped_keywords: list[tuple[object, ...]] = []
        self._added_keywords: list[tuple[object, ...]] = []

    def add(self, new: Member) -> None:
        """The rows of a new Email."""
        tail = (new.received_at, new.id, new.thread_id)
        self._added_mailboxes += [(mailbox_id, *tail) for mailbox_id in new.mailbox_ids]
        self._added_keywords += [(keyword, *tail) for keyword in indexed_keywords(new.keywords)]

    def drop(self, old: Member) -> None:
        """The rows of an Email that goes."""
        tail = (old.received_at, old.id)
        self._dropped_mailboxes += [(mailbox_id, *tail) for mailbox_id in old.mailbox_ids]
        self._dropped_keywords += [(keyword, *tail) for keyword in indexed_keywords(old.keywords)]

    def change(self, old: Member, new: Member) -> None:
        """What has to go and to come as an Email changes."""
        tail = (old.received_at, old.id)
        if old.mailbox_ids != new.mailbox_ids:
            gone, come = old.mailbox_ids - new.mailbox_ids, new.mailbox_ids - old.mailbox_ids
            self._dropped_mailboxes += [(mailbox_id, *tail) for mailbox_id in gone]
            self._added_mailboxes += [(mailbox_id, *tail, new.thread_id) for mailbox_id in come]
        if old.keywords != new.keywords:
            had, has = indexed_keywords(old.keywords), indexed_keywords(new.keywords)
            self._dropped_keywords += [(keyword, *tail) for keyword in had - has]
            self._added_keywords += [(keyword, *tail, new.thread_id) for keyword in has - had]

    def statements(self, account_id: int) -> list[Statement]:
        """What drops and adds them."""
        found: list[Statement] = []
        if self._dropped_mailboxes:
            found.append(DROP_EMAIL_MAILBOXES.of(account_id, self._dropped_mailboxes))
        if self._added_mailboxes:
            found.append(ADD_EMAIL_MAILBOXES.of(account_id, self._added_mailboxes))
        if self._dropped_keywords:
            found.append(DROP_EMAIL_KEYWORDS.of(account_id, self._dropped_keywords))
        if self._added_keywords:
            found.append(ADD_EMAIL_KEYWORDS.of(account_id, self._added_keywords))
        return found


def threads_statements(
    account_id: int, email_ids: Sequence[int], mailbox_ids: Iterable[int] = ()
) -> list[Statement]:
    """What reads the Threads of these Emails, the trash, and which of the mailboxes exist."""
    statements: list[Statement] = [(THREADS_OF_EMAILS, (*[account_id] * 4, list(email_ids)))]
    wanted = list(mailbox_ids)
    if wanted:
        statements.append((KNOWN_MAILBOXES, (account_id, wanted)))
    return statements


def loaded_threads(rows: Sequence[Sequence[Row]]) -> LoadedThreads:
    """What the rows of `threads_statements` say."""
    members, *mailboxes = rows
    loaded = LoadedThreads()
    loaded.take(members)
    loaded.trash = frozenset(members[0][5] or ()) if members else frozenset()
    for found in mailboxes:
        loaded.take_mailboxes(found)
    return loaded


def load_threads(
    write: AccountWrite, email_ids: Sequence[int], mailbox_ids: Iterable[int] = ()
) -> LoadedThreads:
    """Read, in one round trip, the Threads of these Emails, the trash, and which of the mailboxes exist."""
    return loaded_threads(write.run(*threads_statements(write.account_id, email_ids, mailbox_ids)))


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
        changed[change.id] = Member(old.id, old.thread_id, old.received_at, keywords, mailbox_ids)
    _save(write, loaded, {key: new for key, new in changed.items() if new != loaded.emails[key]})


def _mailboxes_of(loaded: LoadedThreads) -> frozenset[int]:
    return frozenset[int]().union(*(member.mailbox_ids for member in loaded.emails.values()))


def _save(write: AccountWrite, loaded: LoadedThreads, changed: dict[int, Member]) -> None:
    if not changed:
        return
    index = IndexRows()
    keywords: list[Member] = []
    mailboxes: list[Member] = []
    moved: dict[int, list[Member]] = {}
    """The Threads of which a count may move; a keyword that says nothing of reading moves none."""
    for email_id, new in changed.items():
        old = loaded.emails[email_id]
        write.updated("Email", email_id)
        index.change(old, new)
        if old.keywords != new.keywords:
            keywords.append(new)
        if old.mailbox_ids != new.mailbox_ids:
            mailboxes.append(new)
        if old.mailbox_ids != new.mailbox_ids or is_unread(old.keywords) != is_unread(new.keywords):
            moved[old.thread_id] = loaded.threads[old.thread_id]
    statements: list[Statement] = []
    if keywords:
        rows = [(*keyword_values(member), member.id) for member in keywords]
        statements.append(SAVE_KEYWORDS.of(write.account_id, rows))
    if mailboxes:
        rows = [(*mailbox_values(member), member.id) for member in mailboxes]
        statements.append(SAVE_MAILBOXES.of(write.account_id, rows))
    statements += index.statements(write.account_id)
    touched = {new.thread_id: loaded.threads[new.thread_id] for new in changed.values()}
    after = _with(touched, changed)
    statements += settle(write, moved, {thread_id: after[thread_id] for thread_id in moved}, loaded.trash)
    write.defer(*statements)
    _remember(loaded, after)


def _with(threads: dict[int, list[Member]], changed: dict[int, Member]) -> dict[int, list[Member]]:
    return {
        thread_id: [changed.get(member.id, member) for member in members]
        for thread_id, members in threads.items()
    }


def _remember(loaded: LoadedThreads, after: dict[int, list[Member]]) -> None:
    """Let `loaded` say what is true now, so that the caller may go on with it."""
    for thread_id, members in after.items():
        loaded.emails.update({member.id: member for member in members})
        loaded.threads[thread_id] = members


def keyword_values(member: Member) -> tuple[str, str]:
    """An Email's keywords separated by spaces, and their JSON."""
    return keywords_text(member.keywords), keywords_json(member.keywords)


def mailbox_values(member: Member) -> tuple[str, str]:
    """An Email's mailbox ids separated by spaces, and their JSON."""
    return " ".join(map(str, sorted(member.mailbox_ids))), mailboxes_json(member.mailbox_ids)


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
        index.drop(loaded.emails[email_id])
    before = {
        loaded.emails[email_id].thread_id: loaded.threads[loaded.emails[email_id].thread_id]
        for email_id in doomed
    }
    after = {
        thread_id: [member for member in members if member.id not in doomed]
        for thread_id, members in before.items()
    }
    ids = list(doomed)
    statics, *_, dropped = write.run(
        (DROP_STATIC, (write.account_id, ids)),
        (email_search.DROP, (write.account_id, ids)),
        *index.statements(write.account_id),
        *settle(write, before, after, loaded.trash),
        (DROP_EMAILS, (write.account_id, ids)),
    )
    write.use(-sum(row[0] for row in dropped), -len(dropped))
    schedule(write, sorted({row[0] for row in statics}))
    for email_id in ids:
        del loaded.emails[email_id]
    loaded.threads.update(after)
