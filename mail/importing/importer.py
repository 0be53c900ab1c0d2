"""Storing what the readers read: in batches, each message once, whatever exists left as the user made it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from jmapcore.blobs import storage
from jmapcore.blobs.backends import Borrow
from jmapcore.store import database
from jmapcore.store.usage import OverQuotaError
from jmapcore.store.write import AccountWrite, account_write
from mail.importing.placement import place_folders
from mail.importing.source_message import LeftOut, Skipped, SourceMessage
from mail.ingest import NewEmail, PreparedEmail, add_messages, at_most_tomorrow, prepare
from mail.membership import EmailChange, change_emails, load_threads
from mail.message.summary import Summary
from mail.search_languages import languages_of
from mail.types.capability import MAX_KEYWORDS_PER_EMAIL

BATCH = 100
"""Messages that are stored in one write …"""
BATCH_SIZE = 16_000_000
"""… unless they have more octets than this."""

EMAILS_OF_BLOBS = """
    SELECT blob_id, max(id) FROM email_static WHERE account_id = %s AND blob_id = ANY(%b::int[]) GROUP BY blob_id"""
_REFUSED = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded)


@dataclass(slots=True)
class Report:
    """What an import did.

    `imported` Emails are new. `already_there` were in the account before and stay untouched. `met_again`
    counts messages whose bytes this run had imported from another place. `damaged` are imported ones, as
    origin and sentence.
    """

    imported: int = 0
    already_there: int = 0
    met_again: int = 0
    deleted: int = 0
    damaged: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[Skipped] = field(default_factory=list)

    def leave_out(self, skipped: Skipped) -> None:
        """Count what the user had deleted, and list everything else."""
        if skipped.kind is LeftOut.DELETED:
            self.deleted += 1
        else:
            self.left_out.append(skipped)


@dataclass(slots=True)
class _Pending:
    """One message of the batch, with all the folders and keywords it was met with."""

    prepared: PreparedEmail
    origin: str
    received_at: datetime | None
    problem: str | None
    folders: set[tuple[str, ...]]
    keywords: set[str]
    met: int = 1


def received_at(source: SourceMessage, summary: Summary) -> datetime | None:
    """Return when a message was received, at most tomorrow:

    by its Received field, the mbox `From ` line, Date, or its file's time.
    """
    found = _received_at(source, summary)
    return None if found is None else at_most_tomorrow(found, datetime.now(UTC).replace(microsecond=0))


def _received_at(source: SourceMessage, summary: Summary) -> datetime | None:
    if summary.received_at_from_trace is not None:
        return summary.received_at_from_trace
    if source.from_line_date is not None:
        return source.from_line_date
    try:
        sent_at = summary.sent_at
        return datetime.fromisoformat(sent_at).astimezone(UTC) if sent_at else source.file_time
    except (ValueError, OverflowError):  # year 1, east of Greenwich
        return source.file_time


class Importer:
    """Imports into one account. `owner_id` is subscribed to the mailboxes that are created.

    Messages are recognised by their bytes: met again in the run, they are added to the other mailbox and keep
    the keywords of both; those that the account had before the run are left as they are.
    """

    def __init__(self, account_id: int, owner_id: int | None, borrow: Borrow = database.connection) -> None:
        self.report = Report()
        self._account_id = account_id
        self._owner_id = owner_id
        self._borrow = borrow
        with borrow() as connection:
            self._languages = languages_of(connection, account_id)
        self._pending: dict[bytes, _Pending] = {}
        self._pending_size = 0
        self._mine: set[bytes] = set()

    def run(self, found: Iterable[SourceMessage | Skipped], progress: Callable[[], None]) -> Report:
        """Import everything; `progress` is called after each item.

        Raises `TooManyMailboxesError` and errors of the database; what was stored before stays.
        """
        for item in found:
            if isinstance(item, Skipped):
                self.report.leave_out(item)
            else:
                self._take(item)
            progress()
        self._flush()
        return self.report

    def _take(self, source: SourceMessage) -> None:
        prepared = prepare(source.raw, self._languages)
        pending = self._pending.get(prepared.hash)
        if pending is None:
            self._pending[prepared.hash] = _Pending(
                prepared,
                source.origin,
                received_at(source, prepared.summary),
                source.problem,
                {source.folder, *source.further_folders},
                set(source.keywords),
            )
            self._pending_size += prepared.size
        else:
            pending.folders |= {source.folder, *source.further_folders}
            pending.keywords |= source.keywords
            pending.met += 1
        if len(self._pending) >= BATCH or self._pending_size >= BATCH_SIZE:
            self._flush()

    def _flush(self) -> None:
        batch = list(self._pending.values())
        self._pending = {}
        self._pending_size = 0
        if batch:
            self._store(batch)

    def _store(self, batch: list[_Pending]) -> None:
        """Store a batch;

        where the database refuses a value, message by message, so that one holds up no others.
        Raises `OverQuotaError` for a message that has no room any more.
        """
        try:
            self._write(batch)
        except _REFUSED as error:
            if len(batch) == 1:
                reason = f"The database refuses the message ({type(error).__name__})."
                self.report.leave_out(Skipped(batch[0].origin, LeftOut.UNREADABLE, reason))
                return
            for pending in batch:
                self._store([pending])
        except OverQuotaError:
            if len(batch) == 1:
                raise
            # As many of them as there is room for.
            for pending in batch:
                self._store([pending])

    def _write(self, batch: list[_Pending]) -> None:
        contents = self._contents(batch)
        with self._borrow() as connection, account_write(self._account_id, connection) as write:
            existing = self._existing(write, [pending.prepared.hash for pending in batch])
            new = [pending for pending in batch if pending.prepared.hash not in existing]
            again = {
                existing[pending.prepared.hash]: pending
                for pending in batch
                if pending.prepared.hash in existing and pending.prepared.hash in self._mine
            }
            folders = {folder for pending in (*new, *again.values()) for folder in pending.folders}
            placed = place_folders(write, folders, self._owner_id) if folders else {}
            # Before new messages come in: these may merge Threads, which gives Emails other ids.
            _unite(write, again, placed)
            # Whoever imports runs the service: a soft limit is for users.
            write.usage.is_arrival = True
            add_messages(
                write,
                [
                    NewEmail(
                        prepared=pending.prepared,
                        mailbox_ids=sorted({placed[folder] for folder in pending.folders}),
                        keywords=_most(frozenset(), pending.keywords),
                        received_at=pending.received_at,
                        content=contents.get(pending.prepared.hash),
                    )
                    for pending in new
                ],
            )
        self._account_for(batch, new, list(again.values()))

    def _contents(self, batch: list[_Pending]) -> dict[bytes, storage.Content]:
        """Make the bytes ready for the write, outside of it;

        large ones that the account has not yet are stored.
        """
        small = [pending.prepared for pending in batch if pending.prepared.size <= storage.SMALL]
        large = [pending.prepared for pending in batch if pending.prepared.size > storage.SMALL]
        contents = storage.prepare(
            self._account_id, [(prepared.hash, prepared.raw) for prepared in small], self._borrow
        )
        if large:
            with self._borrow() as connection:
                known = storage.find(connection, self._account_id, [prepared.hash for prepared in large])
            contents += [
                storage.write_ahead(
                    self._account_id, prepared.hash, prepared.size, [prepared.raw], self._borrow
                )
                for prepared in large
                if prepared.hash not in known
            ]
        return {content.hash: content for content in contents}

    def _existing(self, write: AccountWrite, hashes: list[bytes]) -> dict[bytes, int]:
        """Return the Email that holds these bytes, by their hash."""
        blobs = storage.find(write, self._account_id, hashes)
        if not blobs:
            return {}
        [rows] = write.run((EMAILS_OF_BLOBS, (self._account_id, list(blobs.values()))))
        emails = {row[0]: row[1] for row in rows}
        return {digest: emails[blob_id] for digest, blob_id in blobs.items() if blob_id in emails}

    def _account_for(self, batch: list[_Pending], new: list[_Pending], again: list[_Pending]) -> None:
        """Note what a write that was committed did."""
        report = self.report
        report.imported += len(new)
        report.met_again += sum(pending.met for pending in again) + sum(pending.met - 1 for pending in new)
        report.already_there += len(batch) - len(new) - len(again)
        report.damaged += [(pending.origin, pending.problem) for pending in new if pending.problem]
        self._mine.update(pending.prepared.hash for pending in new)


def _unite(write: AccountWrite, again: dict[int, _Pending], placed: dict[tuple[str, ...], int]) -> None:
    """Add Emails of this run to the mailboxes and give them the keywords they were met with once more."""
    if not again:
        return
    mailbox_ids = {placed[folder] for pending in again.values() for folder in pending.folders}
    loaded = load_threads(write, list(again), mailbox_ids)
    changes = [
        EmailChange(
            id=email_id,
            keywords=_most(loaded.emails[email_id].keywords, pending.keywords),
            mailbox_ids=loaded.emails[email_id].mailbox_ids | {placed[folder] for folder in pending.folders},
        )
        for email_id, pending in again.items()
    ]
    change_emails(write, changes, loaded)


def _most(keywords: frozenset[str], further: set[str]) -> frozenset[str]:
    """The keywords together, as many of the further ones as an Email may have."""
    return keywords | frozenset(sorted(further - keywords)[: MAX_KEYWORDS_PER_EMAIL - len(keywords)])
