"""Notifications made ready to be sent, before the lock is taken (RFC 9007 §2.1, RFC 8098)."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.addresses import normalise_address
from jmapcore.blobs import storage
from jmapcore.blobs.backends import BlobGoneError
from jmapcore.blobs.prefixes import read_prefixes
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import (
    ForbiddenSet,
    InvalidArguments,
    InvalidProperties,
    NotFound,
    RequestTooLarge,
    SetError,
    TooLarge,
)
from jmapcore.protocol.wire import object_number
from jmapcore.store.database import Connection, Row, read
from mail.message.addresses import Address
from mail.message.compose_content import Octets
from mail.message.compose_words import ComposeError, octets
from mail.message.encoded_words import LONGEST_FIELD, unfolded
from mail.message.headers import as_addresses, as_message_ids, as_text
from mail.message.scan import Fields, header_fields
from mail.receipts.composing import Notification, compose_notification, default_subject, default_text, typed
from mail.sending import ANY, covers, is_mailbox
from mail.types.errors import ForbiddenFrom
from mail.types.mdn import GivenMDN

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

KEYWORD = "$mdnsent"
MOST_RECIPIENTS = 10
"""Addresses in Disposition-Notification-To: nobody asks for more in good faith."""
MOST_OCTETS = 200_000_000
"""Octets of the messages that the notifications of one call enclose."""
LONGEST_HEADER = 1_000_000
"""Octets of a header that are read."""
BATCH_OCTETS = 16_000_000
"""Octets of headers, or of notifications, that one call keeps in memory."""
_LONGEST_ID = 900
_LONGEST_ORIGINAL_RECIPIENT = 900

IDENTITY = "SELECT name, email FROM identity WHERE account_id = %s AND id = %s"
# 9 and 10 are the start and the end of the header in a part's entry of `mail.message.structure`.
EMAILS = """
    SELECT e.id, s.blob_id, e.size, s.body_json::json #>> '{0,0}', (s.body_json::json #>> '{0,9}')::int,
        (s.body_json::json #>> '{0,10}')::int
    FROM email AS e JOIN email_static AS s ON s.account_id = %s AND s.id = e.id
    WHERE e.account_id = %s AND e.id = ANY(%s::int[])"""

_REQUIRED = re.compile(r"=\s*required\b", re.IGNORECASE)
_TYPED = re.compile(r"[A-Za-z0-9-]{1,60}\s*;\s*\S.*")

_at_once = threading.Semaphore(1)
"""Notifications that enclose large messages are composed one at a time."""


@dataclass(frozen=True, slots=True)
class SendingIdentity:
    """The name and address of an Identity; the address may be `*@domain`."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A message whose sender asks to be told what becomes of it."""

    email_id: int
    blob_id: int
    size: int
    type: str
    fields: Mapping[str, list[bytes]]
    """By their names in lower case."""

    def last(self, name: str) -> bytes | None:
        """The last field of a name."""
        return self.fields[name][-1] if name in self.fields else None


@dataclass(frozen=True, slots=True)
class Ready:
    """A notification that can be queued; `mdn` has all properties as they are now."""

    email_id: int
    mdn: dict[str, Any]
    own: tuple[str, ...]
    """The addresses, in their normal spelling, that must be the account's."""
    recipients: tuple[str, ...]
    content: storage.Content


def identity_of(context: RequestContext, access: AccountAccess, identity_id: str) -> SendingIdentity:
    """The Identity that a call names. "If the … identityId given cannot be found, the method call is rejected"."""
    number = object_number("i", identity_id)
    rows: Sequence[Row] = []
    if number is not None:
        (rows,) = read(context.connection, access.account_id, (IDENTITY, (access.account_id, number)))
    if not rows:
        raise InvalidArguments("there is no such Identity")
    return SendingIdentity(*rows[0])


def prepare_notifications(
    context: RequestContext,
    access: AccountAccess,
    identity: SendingIdentity,
    given: Mapping[str, GivenMDN],
    refused: dict[str, SetError],
) -> dict[str, Ready]:
    """Compose what can be sent, by creation id; what cannot is refused. Raises `RequestTooLarge`."""
    numbers = {key: object_number("e", each.for_email_id) for key, each in given.items()}
    wanted = {number for number in numbers.values() if number is not None}
    asking = _asking(context.connection, access.account_id, wanted) if wanted else {}
    enclosed = [
        asking[number].size
        for key, number in numbers.items()
        if number in asking and given[key].include_original_message
    ]
    if sum(enclosed) > MOST_OCTETS:
        raise RequestTooLarge(f"more than {MOST_OCTETS} octets")
    maker = _Maker(access, identity, datetime.now(UTC))
    ready: dict[str, Ready] = {}
    for key, each in given.items():
        checkpoint()
        try:
            message = asking.get(numbers[key] or 0)
            if message is None:
                raise NotFound
            ready[key] = maker.ready(each, message)
        except SetError as error:
            refused[key] = error
    return ready


def _asking(connection: Connection, account_id: int, numbers: set[int]) -> dict[int, Asking]:
    """These Emails, as far as they exist and their headers can be read; so many headers at a time that memory stays bounded."""
    (rows,) = read(connection, account_id, (EMAILS, (account_id, account_id, sorted(numbers))))
    found: dict[int, Asking] = {}
    batch: list[Row] = []
    for row in rows:
        if row[5] > LONGEST_HEADER:
            continue
        if batch and sum(each[5] for each in batch) + row[5] > BATCH_OCTETS:
            found |= _read(connection, account_id, batch)
            batch = []
        batch.append(row)
    return found | _read(connection, account_id, batch)


def _read(connection: Connection, account_id: int, batch: Sequence[Row]) -> dict[int, Asking]:
    raw = read_prefixes(connection, account_id, {row[1]: row[5] for row in batch}) if batch else {}
    found = {}
    for row in batch:
        checkpoint()
        fields: dict[str, list[bytes]] = {}
        for name, value in _fields(raw.get(row[1], b""), row):
            fields.setdefault(name.lower(), []).append(value)
        found[row[0]] = Asking(row[0], row[1], row[2], row[3], fields)
    return found


def _fields(raw: bytes, row: Row) -> Fields:
    return header_fields(raw, row[4], row[5])


@dataclass(slots=True)
class _Maker:
    """Makes the notifications of one call; `_kept` octets of them are in memory."""

    access: AccountAccess
    identity: SendingIdentity
    now: datetime
    _kept: int = 0

    def ready(self, given: GivenMDN, message: Asking) -> Ready:
        """One notification. Raises `SetError`."""
        recipients = asked_recipients(message)
        sender = self._sender(message)
        final = given.final_recipient or sender
        own = [normalise_address(sender), normalise_address(final)]
        if None in own:
            raise ForbiddenFrom
        notification = _notification(
            given, message, {"name": self.identity.name, "email": sender}, final, recipients
        )
        raw = self._composed(notification, given, message)
        return Ready(
            email_id=message.email_id,
            mdn=_properties(given, message, notification),
            own=tuple(address for address in own if address is not None),
            recipients=tuple(dict.fromkeys(each["email"] or "" for each in recipients)),
            content=self._content(raw),
        )

    def _sender(self, message: Asking) -> str:
        """The Identity's address; of one for a whole domain, that to which the message was sent. Raises `ForbiddenFrom`."""
        if not self.identity.email.startswith(f"{ANY}@"):
            return self.identity.email
        for name in ("to", "cc", "bcc", "delivered-to"):
            for value in message.fields.get(name, ()):
                for each in as_addresses(value[:LONGEST_FIELD]):
                    if covers(self.identity.email, each["email"] or ""):
                        return normalise_address(each["email"] or "") or ""
        raise ForbiddenFrom

    def _composed(self, notification: Notification, given: GivenMDN, message: Asking) -> bytes:
        largest: int = settings.MAIL_MAX_SIZE_SUBMISSION
        original, size = None, 0
        if given.include_original_message:
            size = message.size
            account_id, blob_id = self.access.account_id, message.blob_id
            original = Octets(size, lambda: storage.chunks(account_id, blob_id, 0, size))
        if size + len(notification.text) > largest:
            raise TooLarge(maxSize=largest)
        domain = (notification.sender["email"] or "").rpartition("@")[2]
        try:
            with _at_once if size > storage.SMALL else nullcontext():
                raw = compose_notification(notification, original, self.now, domain)
        except ComposeError:
            raise InvalidProperties(["forEmailId"]) from None
        except (BlobGoneError, LookupError):
            raise NotFound from None
        if len(raw) > largest:
            raise TooLarge(maxSize=largest)
        return raw

    def _content(self, raw: bytes) -> storage.Content:
        """The octets, ready to be stored: written ahead where there are many."""
        digest = storage.blob_hash(raw)
        self._kept += len(raw)
        if len(raw) > storage.SMALL or self._kept > BATCH_OCTETS:
            self._kept -= len(raw)
            return storage.write_ahead(self.access.account_id, digest, len(raw), [raw])
        [content] = storage.prepare(self.access.account_id, [(digest, raw)])
        return content


def asked_recipients(message: Asking) -> list[Address]:
    """Who asks to be notified (RFC 8098 §2.1).

    Raises `NotFound` where a message "has no valid "Disposition-Notification-To" header field", `ForbiddenSet` where RFC 8098
    forbids an answer: to a notification (§2.1), and to a sender who requires what is not known here (§2.2).
    """
    asked = message.fields.get("disposition-notification-to", [])
    # "A message that contains more than one … is invalid": nobody knows whom the answer would tell.
    if len(asked) != 1 or len(asked[0]) > LONGEST_FIELD:
        raise NotFound
    addresses = as_addresses(asked[0])
    if not 0 < len(addresses) <= MOST_RECIPIENTS or not all(
        is_mailbox(each["email"] or "") for each in addresses
    ):
        raise NotFound
    if message.type == "multipart/report":
        raise ForbiddenSet("a notification is not notified of")
    options = message.fields.get("disposition-notification-options", [])
    if any(_REQUIRED.search(unfolded(value)) for value in options):
        raise ForbiddenSet("the sender requires what this server does not know")
    return addresses


def _notification(
    given: GivenMDN, message: Asking, sender: Address, final: str, recipients: list[Address]
) -> Notification:
    subject = message.last("subject")
    kind = given.disposition["type"]
    ids = as_message_ids(message.last("message-id") or b"") or []
    references = as_message_ids(message.last("references") or message.last("in-reply-to") or b"") or []
    return Notification(
        sender=sender,
        recipients=recipients,
        subject=given.subject or default_subject(kind, None if subject is None else as_text(subject)),
        text=default_text(kind, final) if given.text_body is None else given.text_body,
        action_mode=given.disposition["actionMode"],
        sending_mode=given.disposition["sendingMode"],
        type=kind,
        final_recipient=typed(final),
        original_recipient=_original_recipient(message),
        original_message_id=f"<{ids[0]}>" if ids and octets(ids[0]) <= _LONGEST_ID else None,
        reporting_ua=given.reporting_ua,
        extensions=given.extension_fields,
        message_id=ids,
        references=references,
    )


def _original_recipient(message: Asking) -> str | None:
    """What the final host noted of the envelope (RFC 8098 §2.3)."""
    value = message.last("original-recipient")
    text = (
        "" if value is None or len(value) > _LONGEST_ORIGINAL_RECIPIENT else " ".join(unfolded(value).split())
    )
    return text if _TYPED.fullmatch(text) else None


def _properties(given: GivenMDN, message: Asking, notification: Notification) -> dict[str, Any]:
    return {
        "forEmailId": f"e{message.email_id}",
        "subject": notification.subject,
        "textBody": notification.text,
        "includeOriginalMessage": given.include_original_message,
        "reportingUA": notification.reporting_ua,
        "disposition": given.disposition,
        "mdnGateway": None,
        "originalRecipient": notification.original_recipient,
        "finalRecipient": notification.final_recipient,
        "originalMessageId": notification.original_message_id,
        "error": None,
        "extensionFields": given.extension_fields or None,
    }
