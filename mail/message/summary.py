"""What an Email is asked for most often, computed once when its message comes in (RFC 8621 §4.1)."""

from dataclasses import dataclass
from datetime import datetime

from mail.message.addresses import Address
from mail.message.bodies import body_lists, has_attachment, preview_of
from mail.message.dates import as_date, received_date
from mail.message.headers import as_addresses, as_message_ids, as_text
from mail.message.scan import Fields, Message, scan
from mail.message.structure import CompactStructure, compact_structure
from mail.message.subject import base_subject

#: References of a message that count for threading, from its end.
THREAD_REFERENCES = 50
#: Received fields that are tried for a date.
MOST_RECEIVED = 100


@dataclass(slots=True)
class Summary:
    """The convenience properties of §4.1.3, those of §4.1.4 that lists show, and what threading needs.

    `sent_at` is RFC 3339 text, `size` octets, `body_structure` the list of `structure.compact_structure`;
    `thread_message_ids` are those of Message-ID, In-Reply-To and the last References, each once.
    `received_at_from_trace` is as the sender's hosts wrote it: it may lie in the future.
    """

    message_id: list[str] | None
    in_reply_to: list[str] | None
    references: list[str] | None
    sender: list[Address] | None
    from_: list[Address] | None
    to: list[Address] | None
    cc: list[Address] | None
    bcc: list[Address] | None
    reply_to: list[Address] | None
    subject: str | None
    sent_at: str | None
    has_attachment: bool
    preview: str
    size: int
    received_at_from_trace: datetime | None
    base_subject: str
    thread_message_ids: list[str]
    body_structure: CompactStructure


def summarise(raw: bytes) -> Summary:
    """Scan a message and compute its summary."""
    return summarise_message(scan(raw))


def summarise_message(message: Message, *, detect: bool | None = None) -> Summary:
    """The summary of a scanned message; `detect` is that of `charsets.decode_text`, for the preview."""
    headers = message.root.headers
    last = {name.lower(): value for name, value in headers}
    text_body, _, attachments = body_lists(message.root)
    message_id = _message_ids(last, "message-id")
    in_reply_to = _message_ids(last, "in-reply-to")
    references = _message_ids(last, "references")
    subject = as_text(last["subject"]) if "subject" in last else None
    return Summary(
        message_id=message_id,
        in_reply_to=in_reply_to,
        references=references,
        sender=_addresses(last, "sender"),
        from_=_addresses(last, "from"),
        to=_addresses(last, "to"),
        cc=_addresses(last, "cc"),
        bcc=_addresses(last, "bcc"),
        reply_to=_addresses(last, "reply-to"),
        subject=subject,
        sent_at=as_date(last["date"]) if "date" in last else None,
        has_attachment=has_attachment(attachments),
        preview=preview_of(message.raw, text_body, detect=detect),
        size=len(message.raw),
        received_at_from_trace=_received_at(headers),
        base_subject=base_subject(subject or ""),
        thread_message_ids=_thread_message_ids(message_id, in_reply_to, references),
        body_structure=compact_structure(message),
    )


def _addresses(last: dict[str, bytes], name: str) -> list[Address] | None:
    value = last.get(name)
    return None if value is None else as_addresses(value)


def _message_ids(last: dict[str, bytes], name: str) -> list[str] | None:
    value = last.get(name)
    return None if value is None else as_message_ids(value)


def _received_at(headers: Fields) -> datetime | None:
    """The date of the topmost Received field that has one: the last host that the message passed."""
    received = [value for name, value in headers if name[0] in "Rr" and name.lower() == "received"]
    return next(filter(None, map(received_date, received[:MOST_RECEIVED])), None)


def _thread_message_ids(*lists: list[str] | None) -> list[str]:
    return list(dict.fromkeys(message_id for ids in lists for message_id in (ids or [])[-THREAD_REFERENCES:]))
