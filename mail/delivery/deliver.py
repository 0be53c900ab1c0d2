"""`deliver`: a message into the accounts of its recipients. LMTP, local submissions and bounces all come through here.

A message is parsed once. Each account gets its own copy, in a write of its own, for the fields put before it differ and an
account's data are the account's (docs/adr/0205).
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import psycopg
from django.conf import settings
from psycopg_pool import PoolTimeout

from jmapcore.blobs import storage
from jmapcore.blobs.backends import Borrow
from jmapcore.store import database
from jmapcore.store.database import Statement, read
from jmapcore.store.usage import OverQuotaError
from jmapcore.store.write import AccountWrite, UnknownAccountError, account_write
from mail.arrival import mail_arrived
from mail.delivery import hooks
from mail.delivery.hooks import Arrived
from mail.delivery.incoming import Incoming, take_apart
from mail.delivery.outcome import (
    AWAY,
    BUSY,
    DELIVERED,
    DUPLICATE,
    FULL,
    FULL_FOR_NOW,
    LOOP,
    REFUSED,
    UNKNOWN,
    Outcome,
    Reply,
)
from mail.delivery.placing import find_place, standing_of, standing_statements
from mail.delivery.recipients import Recipient, resolve_recipients
from mail.delivery.trace import MOST_RECEIVED, check_path, new_transaction_id, received_field, trace_fields
from mail.fragments import json_text
from mail.importing.placement import TooManyMailboxesError
from mail.ingest import (
    AddedEmail,
    NewEmail,
    PreparedEmail,
    add_messages,
    prepare,
    search_text,
    threads_statements,
)

logger = logging.getLogger("mail.delivery")

JUNK = "$junk"

SEEN_BEFORE = """
    SELECT 1 FROM delivered_message
    WHERE account_id = %s AND hash = %s AND delivered_at > now() - interval '24 hours'"""
REMEMBER = """
    INSERT INTO delivered_message (account_id, hash) VALUES (%s, %s)
    ON CONFLICT (account_id, hash) DO UPDATE SET delivered_at = now()"""

_UNAVAILABLE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_REFUSED_BY_DATABASE = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded)

_large = threading.BoundedSemaphore(1)
"""Messages beyond `storage.SMALL` are parsed and stored one at a time, so that memory stays bounded."""


def deliver(
    message: bytes,
    recipients: Sequence[str | Recipient],
    *,
    return_path: str,
    hop: str | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
    borrow: Borrow = database.connection,
) -> list[Outcome]:
    """Deliver a message with CRLF line ends to accounts of this service; what became of each recipient, in order.

    `recipients` are addresses in any spelling, or what `resolve_recipients` made of them. `return_path` is the envelope's sender,
    empty for the null sender (RFC 5321 §4.5.5). `hop` is what the Received field says of the way here (`from … by … with … id …`,
    folded by CRLF and a tab); by default that the message was here already.

    An outcome that is positive is committed. Everything that can go wrong with one recipient is in its outcome and touches no
    other: unknown (550 5.1.1), suspended (550 5.2.1), full (452 4.2.2 or 552 5.2.2, `MAIL_OVER_QUOTA`), a loop (554 5.4.6), a
    database that is away (451 4.3.0). The same message within 24 hours is stored once, and answered as the first was. Once
    `is_stopping()` the recipients that are left get 451 4.3.2. Raises ValueError for control characters in an address.
    """
    check_path(return_path)
    named = [given for given in recipients if isinstance(given, str)]
    try:
        resolved = dict(zip(named, resolve_recipients(named, borrow), strict=True)) if named else {}
    except _UNAVAILABLE as error:
        logger.warning("recipients are not known now: %s", type(error).__name__)
        resolved = dict.fromkeys(named, AWAY)
    with _large if len(message) > storage.SMALL else nullcontext():
        delivery = _Delivery(take_apart(message), return_path, hop or _here(), len(recipients) == 1, borrow)
        outcomes = []
        for given in recipients:
            found = resolved[given] if isinstance(given, str) else given
            address = given if isinstance(given, str) else given.address
            if isinstance(found, Reply):
                outcomes.append(Outcome(address, found))
            elif is_stopping():
                outcomes.append(Outcome(address, BUSY))
            else:
                outcomes.append(replace(delivery.to(found), recipient=address))
        return outcomes


def _here() -> str:
    return f"by {settings.MAIL_HOST_NAME} (jmapsite) id {new_transaction_id()}"


@dataclass(slots=True)
class _Ready:
    """The message as one recipient gets it."""

    email: PreparedEmail
    pieces: tuple[bytes, ...]
    content: storage.Content | None = None


@dataclass(slots=True)
class _Delivery:
    """One message on its way to its recipients."""

    incoming: Incoming
    return_path: str
    hop: str
    is_only: bool
    borrow: Borrow
    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    prepared: PreparedEmail | None = None
    """As it is for the recipient that came first, whose fields were so long, and whose searches know these languages."""
    first_length: int = 0
    first_languages: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    """What it is found by in accounts of other languages."""
    is_junk: bool = False

    def to(self, recipient: Recipient) -> Outcome:
        """Deliver to one recipient."""
        if self.incoming.received > MOST_RECEIVED or recipient.address in self.incoming.delivered_to:
            return Outcome(recipient.address, LOOP)
        try:
            return self._store(recipient)
        except UnknownAccountError:
            reply = UNKNOWN
        except OverQuotaError:
            reply = FULL if settings.MAIL_OVER_QUOTA == "552" else FULL_FOR_NOW
        except TooManyMailboxesError:
            reply = FULL_FOR_NOW
        except _REFUSED_BY_DATABASE as error:
            # Without its text, which may quote the message.
            logger.error("the database refuses a message: %s %s", type(error).__name__, error.sqlstate)
            reply = REFUSED
        except _UNAVAILABLE as error:
            logger.warning("a delivery has to wait: %s", type(error).__name__)
            reply = AWAY
        except Exception:
            # Whatever it is, the sender still has the message and tries again.
            logger.exception("a delivery to account %d failed", recipient.account_id)
            reply = AWAY
        return Outcome(recipient.address, reply)

    def _store(self, recipient: Recipient) -> Outcome:
        ready = self._ready(recipient)
        if ready is None:
            return Outcome(recipient.address, DUPLICATE, recipient.account_id)
        try:
            arrived = self._write(recipient, ready, with_hooks=True)
        except _HookError:
            arrived = self._write(recipient, ready, with_hooks=False)
        if arrived is None:
            return Outcome(recipient.address, DUPLICATE, recipient.account_id)
        for hook in hooks.after_delivery:
            try:
                hook(arrived)
            except Exception:
                logger.exception("after a delivery to account %d", recipient.account_id)
        return Outcome(recipient.address, DELIVERED, recipient.account_id, arrived.email_id)

    def _ready(self, recipient: Recipient) -> _Ready | None:
        """Parse, and have the octets ready for the write; None where they are large and the account has them already."""
        ready = self._for(recipient)
        email, account_id = ready.email, recipient.account_id
        if email.size <= storage.SMALL:
            [ready.content] = storage.prepare(account_id, [(email.hash, b"".join(ready.pieces))], self.borrow)
            return ready
        with self.borrow() as connection:
            [before] = read(connection, account_id, (SEEN_BEFORE, (account_id, self.incoming.hash)))
        if before:
            return None
        ready.content = storage.write_ahead(account_id, email.hash, email.size, ready.pieces, self.borrow)
        return ready

    def _for(self, recipient: Recipient) -> _Ready:
        received = received_field(self.hop, recipient.address if self.is_only else None, self.moment)
        head = trace_fields(self.return_path, recipient.address, received)
        if self.incoming.raw[:1] in (b" ", b"\t"):
            # Not a header: what follows must not become a part of our last field.
            head += b"\r\n"
        pieces = (head, self.incoming.raw)
        if self.prepared is None:
            self.prepared = replace(prepare(b"".join(pieces), recipient.search_languages), raw=b"")
            self.first_length = len(head)
            self.first_languages = recipient.search_languages
            self.is_junk = self.incoming.is_junk(settings.MAIL_JUNK_FIELDS)
            if self.prepared.summary.body_structure[0][0] == "multipart/report":
                _ = self.incoming.scanned
            return _Ready(self.prepared, pieces)
        email = self._shifted(pieces, len(head) - self.first_length)
        if recipient.search_languages != self.first_languages:
            email = replace(email, search=self._found_by(pieces, recipient.search_languages))
        return _Ready(email, pieces)

    def _found_by(self, pieces: tuple[bytes, ...], languages: str) -> str:
        """What the message is found by in an account of other languages: no field that is put before it is searched."""
        if languages not in self.texts:
            self.texts[languages] = search_text(b"".join(pieces), languages)
        return self.texts[languages]

    def _shifted(self, pieces: tuple[bytes, ...], shift: int) -> PreparedEmail:
        """What parsing would give with fields of another length before the message."""
        assert self.prepared is not None
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        email = replace(self.prepared, hash=digest.digest(), size=self.prepared.size + shift)
        if not shift:
            return email
        root, *parts = email.summary.body_structure
        # The header section of the whole begins where it did.
        structure = [
            [*root[:10], *(at + shift for at in root[10:13]), *root[13:]],
            *([*part[:9], *(at + shift for at in part[9:13]), *part[13:]] for part in parts),
        ]
        return replace(email, body_json=json_text(structure))

    def _write(self, recipient: Recipient, ready: _Ready, *, with_hooks: bool) -> Arrived | None:
        """Add the Email; None where the account was given the message before."""
        account_id = recipient.account_id
        prelude: list[Statement] = [
            *threads_statements(account_id, [ready.email], [])[:2],
            *standing_statements(account_id, self.incoming.hash, recipient.detail),
        ]
        with self.borrow() as connection, account_write(account_id, connection, prelude) as write:
            references, members, rows, *named = write.prelude
            standing = standing_of(rows, named)
            if standing.came_before:
                return None
            place = find_place(write, recipient, standing, is_junk=self.is_junk)
            email = NewEmail(
                ready.email,
                [place.mailbox_id],
                (JUNK,) if self.is_junk else (),
                self.moment,
                content=ready.content,
            )
            write.usage.is_arrival = True
            # No blob of the account has these octets: the name of the transaction is among them.
            [added] = add_messages(write, [email], [references, members, place.known], [])
            mail_arrived(write, added.id)
            write.defer((REMEMBER, (account_id, self.incoming.hash)))
            arrived = self._arrived(recipient, ready, added, place.mailbox_id, answers=standing.answers)
            if with_hooks:
                _call_hooks(write, arrived)
        return arrived

    def _arrived(
        self, recipient: Recipient, ready: _Ready, added: AddedEmail, mailbox_id: int, *, answers: bool
    ) -> Arrived:
        return Arrived(
            account_id=recipient.account_id,
            owner_id=recipient.owner_id,
            email_id=added.id,
            thread_id=added.thread_id,
            blob_id=added.blob_id,
            recipient=recipient.address,
            return_path=self.return_path,
            received_at=self.moment,
            mailbox_id=mailbox_id,
            is_junk=self.is_junk,
            answers=answers,
            incoming=self.incoming,
            prepared=ready.email,
        )


class _HookError(Exception):
    """A hook failed within the write."""


def _call_hooks(write: AccountWrite, arrived: Arrived) -> None:
    try:
        for hook in hooks.in_write:
            hook(write, arrived)
    except (psycopg.OperationalError, OverQuotaError):
        raise
    except Exception as error:
        logger.exception("a hook of a delivery failed; the message is delivered without")
        raise _HookError from error
