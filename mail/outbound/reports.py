"""Delivery status notifications (RFC 3464) for senders on this service: what NOTIFY asks for, and the message that says it.

A notification is noted with the outcome that it tells of, and made afterwards: made again after a crash, it is the same message
to the octet, which a mailbox stores once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mail.message.compose_fields import moment_value
from mail.outbound.outgoing import Outgoing
from mail.outbound.replies import Answer

FAILED, DELAYED, RELAYED, DELIVERED = "failed", "delayed", "relayed", "delivered"
"""Actions (RFC 3464 §2.3.3)."""
_WORDS = {FAILED: "FAILURE", DELAYED: "DELAY", RELAYED: "SUCCESS", DELIVERED: "SUCCESS"}

SHORT = 50_000
"""Octets of a message up to which the whole of it comes with the news of its failure, where the sender did not say (RET)."""
LONGEST = 10_000_000
"""Octets up to which it does where the sender wants it."""

_SUBJECTS = {
    FAILED: "Your message could not be delivered",
    DELAYED: "Your message is delayed",
    RELAYED: "Your message was passed on",
    DELIVERED: "Your message was delivered",
}
_SENTENCES = {
    FAILED: "Your message could not be delivered to the following recipients. Nothing more is tried.",
    DELAYED: "Your message could not be delivered to the following recipients yet. It is still being tried: there is nothing "
    "that you have to do.",
    RELAYED: "Your message was passed on for the following recipients, to a server that tells nothing of what becomes of it.",
    DELIVERED: "Your message was delivered to the following recipients.",
}


@dataclass(frozen=True, slots=True)
class Reported:
    """What a notification says of one recipient."""

    address: str
    original: str | None
    """ORCPT, as the sender gave it."""
    action: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a notification says of the message as a whole."""

    sender: str
    """To whom it goes: the envelope's sender."""
    host: str
    """Our name."""
    token: str
    envelope_id: str | None
    """ENVID, as the sender gave it, or the token in its place."""
    sent_at: datetime
    moment: datetime
    """When it became known."""
    give_up_at: datetime | None
    remote: str | None
    """The name of the relay, where it was the one that answered."""
    returned: str | None
    """RET, as the sender gave it."""


def wanted(action: str, notify: str | None) -> bool:
    """Whether a sender wants to hear of this (RFC 3461 §4.1); who said nothing hears of failures."""
    if notify is None:
        return action == FAILED
    return _WORDS[action] in notify.upper().split(",")


def noted(moment: datetime, actions: Mapping[int, tuple[str, Answer]]) -> dict[str, Any]:
    """A notification that is due, as it is stored: `actions` by the place of a recipient in the envelope."""
    return {
        "moment": moment.isoformat(),
        "actions": [
            [place, action, answer.code, answer.text] for place, (action, answer) in sorted(actions.items())
        ],
    }


def reported(stored: Mapping[str, Any], envelope: Mapping[str, Any]) -> tuple[datetime, list[Reported]]:
    """What `noted` stored."""
    found = []
    for place, action, code, text in stored["actions"]:
        recipient = envelope["rcptTo"][place]
        original = parameter(recipient, "ORCPT")
        found.append(Reported(recipient["email"], original, action, Answer(code, text)))
    return datetime.fromisoformat(stored["moment"]), found


def parameter(address: Mapping[str, Any], name: str) -> str | None:
    """The value of a parameter of an address in an envelope, whose names are in any case."""
    for written, value in (address["parameters"] or {}).items():
        if written.upper() == name:
            return None if value is None else str(value)
    return None


def make_report(occasion: Occasion, recipients: Iterable[Reported], message: Outgoing) -> bytes:
    """The notification: multipart/report with a text, the machine's part, and the message or its header (RFC 3464, RFC 6533)."""
    recipients = list(recipients)
    mark = hashlib.sha256(
        "\n".join(
            [occasion.token, occasion.moment.isoformat(), *(each.address for each in recipients)]
        ).encode()
    ).hexdigest()
    boundary = f"report-{mark[:32]}"
    action = next(
        name
        for name in (FAILED, DELAYED, RELAYED, DELIVERED)
        if any(each.action == name for each in recipients)
    )
    head = [
        f"From: Mail Delivery <MAILER-DAEMON@{occasion.host}>",
        f"To: <{occasion.sender}>",
        f"Subject: {_SUBJECTS[action]}",
        f"Date:{moment_value(occasion.moment)}",
        f"Message-ID: <{mark[32:]}@{occasion.host}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"',
    ]
    status = _status(occasion, recipients)
    parts = [
        _part("text/plain; charset=utf-8", _text(recipients).encode()),
        _part(f"message/{'' if status.isascii() else 'global-'}delivery-status", status),
        _returned(occasion, action, message),
    ]
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    if not body.isascii():
        head.append("Content-Transfer-Encoding: 8bit")
    return "\r\n".join([*head, "", ""]).encode() + body + f"--{boundary}--\r\n".encode()


def _part(media_type: str, content: bytes) -> bytes:
    encoding = "7bit" if content.isascii() else "8bit"
    head = f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + content


def _text(recipients: Iterable[Reported]) -> str:
    lines = ["This is the mail server."]
    for action, sentence in _SENTENCES.items():
        some = [each for each in recipients if each.action == action]
        if some:
            lines += ["", sentence, ""]
            lines += [f"  <{each.address}>\r\n    {each.answer}" for each in some]
    return "\r\n".join([*lines, ""])


def _status(occasion: Occasion, recipients: Iterable[Reported]) -> bytes:
    fields = [f"Reporting-MTA: dns; {occasion.host}"]
    if occasion.envelope_id:
        fields.append(f"Original-Envelope-Id: {occasion.envelope_id}")
    fields += [f"Arrival-Date:{moment_value(occasion.sent_at)}", ""]
    for each in recipients:
        if each.original:
            fields.append(f"Original-Recipient: {each.original}")
        kind = "rfc822" if each.address.isascii() else "utf-8"
        fields += [
            f"Final-Recipient: {kind}; {each.address}",
            f"Action: {each.action}",
            f"Status: {_enhanced(each)}",
        ]
        if occasion.remote:
            fields.append(f"Remote-MTA: dns; {occasion.remote}")
        fields += [
            f"Diagnostic-Code: smtp; {each.answer}",
            f"Last-Attempt-Date:{moment_value(occasion.moment)}",
        ]
        if each.action == DELAYED and occasion.give_up_at:
            fields.append(f"Will-Retry-Until:{moment_value(occasion.give_up_at)}")
        fields.append("")
    return "\r\n".join(fields).encode()


def _enhanced(recipient: Reported) -> str:
    """The status code, of the class that belongs to the action (RFC 3464 §2.3.4)."""
    first = {FAILED: "5", DELAYED: "4"}.get(recipient.action, "2")
    return first + recipient.answer.status[1:]


def _returned(occasion: Occasion, action: str, message: Outgoing) -> bytes:
    wants_all = (occasion.returned or "").upper()
    most = {"FULL": LONGEST, "HDRS": 0}.get(wants_all, SHORT)
    is_whole = action == FAILED and len(message.octets) <= most
    is_international = message.has_international_header
    if is_whole:
        return _part("message/global" if is_international else "message/rfc822", message.octets)
    return _part("message/global-headers" if is_international else "text/rfc822-headers", message.header)
