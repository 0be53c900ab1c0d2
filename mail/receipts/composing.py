"""A message disposition notification as a message (RFC 8098 §3), composed as any other is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mail.message.addresses import Address
from mail.message.compose import Draft, compose
from mail.message.compose_content import Octets
from mail.message.compose_fields import Field, addresses_value, text_value
from mail.message.compose_parts import DraftPart
from mail.message.compose_reply import reply_fields
from mail.message.compose_words import checked, folded

EXTENSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
KNOWN_FIELDS = frozenset(
    {
        "reporting-ua",
        "mdn-gateway",
        "original-recipient",
        "final-recipient",
        "original-message-id",
        "disposition",
        "error",
    }
)
"""What no extension field may be called (RFC 8098 §3.1.1)."""

_SENDING_MODES = {
    "mdn-sent-manually": "MDN-sent-manually",
    "mdn-sent-automatically": "MDN-sent-automatically",
}
_ORIGINAL = "original"
_SUBJECTS = {"displayed": "Read", "deleted": "Deleted", "dispatched": "Passed on", "processed": "Processed"}
_DEFAULT_SUBJECT = "your message"
_LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification to be composed. Addresses with their type are as in the fields: `rfc822; bob@example.org`."""

    sender: Address
    recipients: Sequence[Address]
    subject: str
    text: str
    action_mode: str
    sending_mode: str
    type: str
    """The parts of the disposition as RFC 9007 writes them."""
    final_recipient: str
    original_recipient: str | None = None
    original_message_id: str | None = None
    """With its angle brackets."""
    reporting_ua: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    message_id: Sequence[str] = ()
    references: Sequence[str] = ()
    """Of the message that it is about."""


def default_subject(kind: str, subject: str | None) -> str:
    """The subject of a notification for which nobody wrote one."""
    shown = "".join(each for each in subject or "" if each.isprintable()).strip()[:_LONGEST_SUBJECT]
    return f"{_SUBJECTS[kind]}: {shown or _DEFAULT_SUBJECT}"


def default_text(kind: str, recipient: str) -> str:
    """The text of a notification for which nobody wrote one (RFC 8098 §3: "a human-readable explanation")."""
    return f"Your message to {recipient} was {kind}.\n\nThis is no guarantee that it has been read or understood.\n"


def typed(address: str) -> str:
    """An address with its type (RFC 8098 §3.2.4, RFC 6533 §3)."""
    return f"{'rfc822' if address.isascii() else 'utf-8'}; {address}"


def compose_notification(
    notification: Notification, original: Octets | None, now: datetime, domain: str
) -> bytes:
    """The message; `original` is the one that it is about, where it is to be the third part.

    Raises `ComposeError` for what fits into no field.
    """
    fields: list[Field] = [
        ("From", addresses_value("From", [notification.sender]) or ""),
        ("To", addresses_value("To", notification.recipients) or ""),
        ("Subject", text_value("Subject", notification.subject)),
        ("Auto-Submitted", " auto-replied"),
        *reply_fields(notification.message_id, notification.references),
    ]
    report = _report(notification)
    kind = "disposition-notification" if report.isascii() else "global-disposition-notification"
    parts = [DraftPart("text/plain", text=notification.text), DraftPart(f"message/{kind}", text=report)]
    if original is not None:
        parts.append(DraftPart("message/rfc822", blob_id=_ORIGINAL))
    root = DraftPart(
        "multipart/report", type_parameters=[("report-type", "disposition-notification")], parts=parts
    )
    blobs = {} if original is None else {_ORIGINAL: original}
    return compose(Draft(fields, root), blobs, now, domain)


def _report(notification: Notification) -> str:
    """The fields of the second part, in the order of RFC 8098 §3.1."""
    fields: list[Field] = []
    if notification.reporting_ua:
        fields.append(("Reporting-UA", text_value("Reporting-UA", notification.reporting_ua)))
    if notification.original_recipient:
        fields.append(_plain("Original-Recipient", notification.original_recipient))
    fields.append(_plain("Final-Recipient", notification.final_recipient))
    if notification.original_message_id:
        fields.append(_plain("Original-Message-ID", notification.original_message_id))
    mode = f"{notification.action_mode}/{_SENDING_MODES[notification.sending_mode]}"
    fields.append(("Disposition", f" {mode}; {notification.type}"))
    fields += [(name, text_value(name, value)) for name, value in notification.extensions.items()]
    return "".join(f"{name}:{value}\r\n" for name, value in fields)


def _plain(name: str, value: str) -> Field:
    return name, folded(name, [f" {word}" for word in checked(value).split(" ")])
