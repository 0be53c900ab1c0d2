"""One attempt to deliver one submission: to the relay, or into accounts of this service where there is none."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.addresses import normalise_address, normalise_domain, split_address
from jmapcore.blobs.storage import read_blob
from jmapcore.store import database
from jmapcore.store.database import execute, read
from mail.delivery.deliver import deliver
from mail.message.originators import originators
from mail.message.scan import header_fields
from mail.outbound import offers
from mail.outbound.keys import signed, signing_key
from mail.outbound.outgoing import Outgoing, outgoing
from mail.outbound.pauses import Pause
from mail.outbound.persistence import persist
from mail.outbound.queue import UNSURE, Claim, note_taken
from mail.outbound.relay import TOO_MANY, Addressee, LeaseLostError, RelayConnection, RelayError, Transaction
from mail.outbound.relay_address import Relay
from mail.outbound.replies import Answer
from mail.outbound.reporting import make_reports
from mail.outbound.reports import parameter
from mail.outbound.settling import NO, QUEUED, UNKNOWN, YES, Outcome, settle
from mail.sending import own_addresses_statement
from mail.submissions import return_address

logger = logging.getLogger("mail.outbound")

LOAD = """
    SELECT s.envelope, s.delivery_status, s.blob_id, s.send_at, s.envelope_id, s.reports, b.size, q.taken, q.give_up_at,
        q.attempts, (
            SELECT u.is_suspended OR coalesce(t.is_suspended, false) FROM accounts_user AS u
            LEFT JOIN accounts_tenant AS t ON t.id = u.tenant_id WHERE u.id = s.user_id)
    FROM submission_queue AS q
    JOIN email_submission AS s ON s.account_id = %s AND s.id = q.id
    LEFT JOIN blob AS b ON b.account_id = %s AND b.id = s.blob_id
    WHERE q.account_id = %s AND q.id = %s"""
LOCAL_DOMAINS = "SELECT name FROM accounts_domain WHERE name = ANY(%s::text[])"

LARGE = 2_000_000
"""Octets beyond which messages are sent one at a time by a process, so that memory stays bounded."""
MOST_TRANSACTIONS = 20
"""Transactions for one message, where the relay takes so many recipients at once and no more (RFC 5321 §4.5.3.1.10)."""

NOT_SIGNED_IN = frozenset({530, 534, 535, 538})
"""What a relay says to somebody whom it does not know: no matter of the message, which waits until somebody sees to it."""

NO_RELAY = Answer(550, "5.7.1 This service sends no mail to other hosts: it has no relay")
TAKEN = Answer(250, "2.0.0 Taken; what was said with it is lost")
SUSPENDED = Answer(451, "4.7.1 Whoever submitted it is suspended; it waits")
SUSPENDED_PAUSE = timedelta(minutes=10)
LATER = Answer(451, "4.3.0 Not possible now, it is tried again")

_large = threading.BoundedSemaphore(1)


@dataclass(slots=True)
class Loaded:
    """A submission, as it is read at the beginning of an attempt."""

    envelope: Mapping[str, Any]
    status: Mapping[str, Any]
    blob_id: int | None
    send_at: datetime
    token: str
    reports: Sequence[Mapping[str, Any]]
    size: int
    taken: Sequence[int]
    give_up_at: datetime | None
    attempts: int
    is_suspended: bool | None
    """Whether the user who submitted it is shut out; None for a user who is gone."""

    @property
    def open_places(self) -> list[int]:
        """The places of recipients of whom nothing final is recorded."""
        return [
            place
            for place, recipient in enumerate(self.envelope["rcptTo"])
            if self.status[recipient["email"]]["delivered"] == QUEUED
        ]

    @property
    def is_expired(self) -> bool:
        """Whether it was tried for long enough."""
        return self.give_up_at is not None and self.give_up_at <= datetime.now(UTC)


class Sender:
    """What one thread delivers with: it keeps its connection to the relay from message to message.

    `holds` says whether a lease is still ours, `stopping` is set as the process ends.
    """

    def __init__(
        self,
        pause: Pause,
        holds: Callable[[Claim], bool] = lambda claim: True,
        stopping: threading.Event | None = None,
    ) -> None:
        self.pause = pause
        self.holds = holds
        self.stopping = stopping or threading.Event()
        self._connection: RelayConnection | None = None

    def close(self, *, politely: bool = True) -> None:
        """End the connection to the relay."""
        if self._connection is not None:
            self._connection.close(politely=politely)

    def close_if_idle(self) -> None:
        """End the connection to the relay where it was not used of late."""
        if self._connection is not None:
            self._connection.close_if_idle()

    def deliver(self, claim: Claim) -> None:
        """Attempt what was claimed, and record what became of it. Raises `StoppedError`."""
        loaded = persist(lambda connection: load(connection, claim), self.stopping)
        if loaded is None or loaded.attempts != claim.attempts:
            return
        if loaded.blob_id is None:
            # The record says that it is over; `verify_account` would say the same of the row.
            persist(
                lambda connection: settle(connection, claim, {}, next_at=datetime.now(UTC), made=()),
                self.stopping,
            )
            return
        with _large if loaded.size > LARGE else nullcontext():
            self._deliver(claim, loaded)

    def _deliver(self, claim: Claim, loaded: Loaded) -> None:
        message: Outgoing | None = None
        retry_at = datetime.now(UTC) + _gap(claim.attempts)
        outcomes = {
            place: Outcome(TAKEN, UNKNOWN) for place in loaded.open_places if place in set(loaded.taken)
        }
        places = [place for place in loaded.open_places if place not in outcomes]
        if places and loaded.is_expired:
            outcomes |= {place: _given_up(loaded, place) for place in places}
        elif places and loaded.is_suspended:
            outcomes |= dict.fromkeys(places, Outcome(SUSPENDED, QUEUED))
            retry_at = datetime.now(UTC) + SUSPENDED_PAUSE
        elif places:
            message = message_of(claim, loaded, self.stopping)
            attempt = _Attempt(claim, loaded, message, self)
            outcomes |= attempt.run(places)
            retry_at = attempt.retry_at or retry_at
        settled = persist(
            lambda connection: settle(connection, claim, outcomes, next_at=retry_at), self.stopping
        )
        if settled.is_over:
            return
        message = message or message_of(claim, loaded, self.stopping)
        relay: Relay | None = settings.MAIL_RELAY
        made = make_reports(claim, loaded, settled.reports, message, relay, self.stopping)
        persist(lambda connection: settle(connection, claim, {}, next_at=retry_at, made=made), self.stopping)

    def connection_to(self, relay: Relay) -> RelayConnection:
        """The connection of this thread to the relay."""
        if self._connection is None or self._connection.relay != relay:
            self.close()
            self._connection = RelayConnection(relay, lambda features: offers.learn(relay.name, features))
        return self._connection


def load(connection: database.Connection, claim: Claim) -> Loaded | None:
    """Read a submission that was claimed; None where it is gone."""
    account_id = claim.account_id
    (rows,) = read(connection, account_id, (LOAD, (account_id, account_id, account_id, claim.id)))
    return Loaded(*rows[0]) if rows else None


def _gap(attempts: int) -> timedelta:
    """The time until the next attempt after so many; a tenth more or less, so that what failed together comes back apart."""
    gaps: Sequence[int] = settings.MAIL_RETRY_SECONDS
    seconds = gaps[min(max(attempts, 1), len(gaps)) - 1]
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311  # nothing secret


def _given_up(loaded: Loaded, place: int) -> Outcome:
    last = loaded.status[loaded.envelope["rcptTo"][place]["email"]]["smtpReply"]
    return Outcome(Answer(554, f"5.4.7 Given up after days; the last answer was: {last}"), NO)


def message_of(claim: Claim, loaded: Loaded, stopping: threading.Event) -> Outgoing:
    """The message as it leaves, but for the signature."""
    account_id, blob_id = claim.account_id, loaded.blob_id
    assert blob_id is not None
    raw = persist(lambda connection: read_blob(connection, account_id, blob_id), stopping)
    assert raw is not None  # a foreign key keeps it

    def receipt_address(address: str) -> str | None:
        return own_return_address(account_id, address, loaded.token, stopping)

    sender = loaded.envelope["mailFrom"]["email"]
    domain = split_address(sender)[1] or settings.MAIL_HOST_NAME
    return outgoing(
        raw,
        domain=normalise_domain(domain) or settings.MAIL_HOST_NAME,
        moment=loaded.send_at,
        token=loaded.token,
        receipt_address=receipt_address,
    )


def own_return_address(account_id: int, address: str, token: str, stopping: threading.Event) -> str | None:
    """The return address with the token, where both it and the address lead to the account; else None."""
    made = return_address(address, token)
    normal = normalise_address(address)
    if made is None or normal is None:
        return None
    statement = own_addresses_statement(account_id, [normal, made])
    rows = persist(lambda connection: execute(connection, *statement).fetchall(), stopping)
    return made if len(rows) == 2 else None


class _Attempt:
    """An attempt for the recipients of one submission of whom nothing final is known."""

    def __init__(self, claim: Claim, loaded: Loaded, message: Outgoing, sender: Sender) -> None:
        self.claim = claim
        self.loaded = loaded
        self.message = message
        self.sender = sender
        self.retry_at: datetime | None = None
        """When to try again, where that is not a matter of the attempts so far."""

    def run(self, places: Sequence[int]) -> dict[int, Outcome]:
        """What became of the recipients at these places of the envelope."""
        relay: Relay | None = settings.MAIL_RELAY
        if relay is None:
            return self._here(places)
        return self._by(relay, places)

    def _recipient(self, place: int) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.loaded.envelope["rcptTo"][place]
        return found

    # Into accounts of this service

    def _here(self, places: Sequence[int]) -> dict[int, Outcome]:
        domains = {
            place: normalise_domain(self._recipient(place)["email"].rpartition("@")[2]) or ""
            for place in places
        }
        asked = sorted(set(domains.values()))
        rows = persist(
            lambda connection: execute(connection, LOCAL_DOMAINS, (asked,)).fetchall(), self.sender.stopping
        )
        ours = {row[0] for row in rows}
        local = [place for place in places if domains[place] in ours]
        outcomes = {place: Outcome(NO_RELAY, NO) for place in places if domains[place] not in ours}
        if local:
            found = deliver(
                self.message.octets,
                [self._recipient(place)["email"] for place in local],
                return_path=self._return_path(),
                is_stopping=self.sender.stopping.is_set,
            )
            for place, each in zip(local, found, strict=True):
                reply = each.reply
                delivered = YES if reply.is_positive else NO if reply.is_final else QUEUED
                outcomes[place] = Outcome(Answer(reply.code, f"{reply.status} {reply.text}"), delivered)
        return outcomes

    def _return_path(self) -> str:
        """The sender; with the token, where a receipt goes there, for the two should be one (RFC 8098 §2.1)."""
        sender: str = self.loaded.envelope["mailFrom"]["email"]
        if not self.message.asks_for_receipt:
            return sender
        return self._with_token(sender)

    def _with_token(self, sender: str) -> str:
        made = own_return_address(self.claim.account_id, sender, self.loaded.token, self.sender.stopping)
        return made or sender

    # By a relay

    def _by(self, relay: Relay, places: Sequence[int]) -> dict[int, Outcome]:
        outcomes: dict[int, Outcome] = {}
        connection = self.sender.connection_to(relay)
        octets = self._signed()
        remaining = list(places)
        try:
            knows_dsn = "dsn" in connection.extensions
            for _ in range(MOST_TRANSACTIONS):
                answers = connection.send(self._transaction(remaining, octets, knows_dsn=knows_dsn))
                found = {
                    place: self._outcome(place, answer, knows_dsn=knows_dsn)
                    for place, answer in zip(remaining, answers, strict=True)
                }
                taken = [place for place, each in found.items() if each.delivered == UNKNOWN]
                if taken:
                    self._note(taken)
                outcomes |= found
                self._judge(answers)
                remaining = [place for place, each in found.items() if each.answer.code == TOO_MANY]
                if not taken or not remaining:
                    break
        except RelayError as error:
            logger.warning("the relay cannot be used: %s", error.answer.code)
            self.sender.pause.failed()
            self.retry_at = self._after_pause() if error.was_silent else None
            if error.is_unsure:
                self._note([UNSURE])
            outcomes |= {place: Outcome(error.answer, QUEUED) for place in remaining}
        except LeaseLostError:
            logger.warning("the lease of a submission was lost while it was sent")
            outcomes |= {place: Outcome(LATER, QUEUED) for place in remaining}
        return outcomes

    def _note(self, places: Sequence[int]) -> None:
        persist(lambda connection: note_taken(connection, self.claim, places), self.sender.stopping)

    def _judge(self, answers: Sequence[Answer]) -> None:
        """What answers say of the relay itself."""
        if all(answer.code == 421 or answer.code in NOT_SIGNED_IN for answer in answers):
            self.sender.pause.failed()
            self.retry_at = self._after_pause()
        else:
            self.sender.pause.succeeded()

    def _after_pause(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.sender.pause.seconds)

    def _outcome(self, place: int, answer: Answer, *, knows_dsn: bool) -> Outcome:
        if answer.is_positive:
            return Outcome(answer, UNKNOWN, tells_more=knows_dsn)
        is_final = answer.is_permanent and answer.code not in NOT_SIGNED_IN
        return Outcome(answer, NO if is_final else QUEUED)

    def _signed(self) -> bytes:
        fields = header_fields(self.message.header, 0, len(self.message.header))
        authors = originators(fields).from_
        domain = split_address(normalise_address(authors[0][0]) or "")[1] if authors and authors[0] else ""
        if not domain:
            return self.message.octets
        key = persist(lambda connection: signing_key(connection, domain), self.sender.stopping)
        return self.message.octets if key is None else signed(self.message.octets, domain, *key)

    def _transaction(self, places: Sequence[int], octets: bytes, *, knows_dsn: bool) -> Transaction:
        mail_from = self.loaded.envelope["mailFrom"]
        sender: str = mail_from["email"]
        envelope_id = parameter(mail_from, "ENVID")
        names = {name.upper() for name in mail_from["parameters"] or {}}
        if sender and (envelope_id or not knows_dsn or self.message.asks_for_receipt):
            sender = self._with_token(sender)
        return Transaction(
            sender=wire_address(sender),
            recipients=[self._addressee(place) for place in places],
            octets=octets,
            has_international_header=self.message.has_international_header,
            wants_smtputf8="SMTPUTF8" in names,
            returned=parameter(mail_from, "RET"),
            envelope_id=envelope_id or self.loaded.token,
            is_ours=lambda: self.sender.holds(self.claim),
        )

    def _addressee(self, place: int) -> Addressee:
        recipient = self._recipient(place)
        return Addressee(
            wire_address(recipient["email"]), parameter(recipient, "NOTIFY"), parameter(recipient, "ORCPT")
        )


def wire_address(address: str) -> str:
    """An address as a command has it: its domain in A-labels, so that an ASCII local part asks for no SMTPUTF8."""
    local_part, at, domain = address.rpartition("@")
    return f"{local_part}@{normalise_domain(domain) or domain}" if at else address
