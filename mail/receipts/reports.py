"""Reports about mail that was sent, read out of messages that anybody may have written (RFC 3464, RFC 8098, RFC 6522, RFC 6533).

Pure: from the structure that `mail.message.scan` found to what the report says. What is read is bounded, whatever comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mail.message.encoded_words import decode_words, unfolded, without_controls
from mail.message.scan import Message, Part, header_fields
from mail.message.transfer import decode

MOST_OCTETS = 2_000_000
"""Octets of a report that are read: with a thousand recipients it has some 300,000."""
MOST_RECIPIENTS = 2_000
"""Recipients that are looked at, twice as many as a submission may have."""
MOST_FIELDS = 100
"""Fields of a disposition notification that are kept."""
LONGEST_VALUE = 2_000
"""Characters of a field that are kept."""

_DELIVERY = frozenset({"message/delivery-status", "message/global-delivery-status"})
_DISPOSITION = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_ORIGINAL = frozenset({"message/rfc822", "message/global"})
_MOST_PARTS = 10

_EMPTY_LINES = re.compile(rb"\r?\n(?:\r?\n)+")
_COMMENT = re.compile(r"\([^()]*+\)")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]{1,60}")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_KNOWN = frozenset(
    {
        "disposition",
        "reporting-ua",
        "mdn-gateway",
        "original-recipient",
        "final-recipient",
        "original-message-id",
    }
)
_DISPOSITION_FIELD = re.compile(
    r"\s*(manual-action|automatic-action)\s*/\s*(mdn-sent-manually|mdn-sent-automatically)\s*;"
    r"\s*(deleted|dispatched|displayed|processed)\s*(?:/.*)?"
)


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """What a delivery status notification says of one recipient (RFC 3464 §2.3). Addresses are without their type."""

    original: str
    final: str
    action: str
    """In lower case."""
    status: str
    """An enhanced status code, or empty."""
    diagnostic: str
    """The SMTP reply, where that is what the Diagnostic-Code is; else empty."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A delivery status notification (RFC 3464)."""

    envelope_id: str
    """The ENVID of the message that it is about, or empty."""
    recipients: tuple[ReportedRecipient, ...]


@dataclass(frozen=True, slots=True)
class DispositionReport:
    """A message disposition notification (RFC 8098 §3); values are as they stand there, in one line. Empty: there is none."""

    action_mode: str
    sending_mode: str
    type: str
    """The three parts of the Disposition field, in lower case."""
    reporting_ua: str = ""
    mdn_gateway: str = ""
    original_recipient: str = ""
    final_recipient: str = ""
    original_message_id: str = ""
    errors: tuple[str, ...] = ()
    extensions: dict[str, str] = field(default_factory=dict)
    has_original: bool = False
    """Whether the message that it is about is its third part."""


Report = DeliveryReport | DispositionReport


def is_report(message: Message) -> bool:
    """Whether a message could be a report: "a top-level content-type of "multipart/report"" (RFC 8621 §7)."""
    return message.root.type == "multipart/report"


def read_report(message: Message) -> Report | None:
    """What a message reports; None where it is no report, or one that says nothing that can be understood."""
    if not is_report(message):
        return None
    for part in message.root.parts[:_MOST_PARTS]:
        if part.type in _DELIVERY:
            return _delivery_report(_content(message, part))
        if part.type in _DISPOSITION:
            has_original = any(each.type in _ORIGINAL for each in message.root.parts[:_MOST_PARTS])
            return _disposition_report(_content(message, part), has_original=has_original)
    return None


def _content(message: Message, part: Part) -> bytes:
    """The beginning of a part's content."""
    # Each octet is at most three in base64 or quoted-printable, and line ends.
    end = min(part.body_end, part.body_start + 4 * MOST_OCTETS)
    return decode(part.encoding, message.raw[part.body_start : end])[:MOST_OCTETS]


def _groups(content: bytes) -> Iterator[dict[str, str]]:
    """The groups of fields between empty lines: names in lower case, the first of each, values in one line."""
    pieces = _EMPTY_LINES.split(content.lstrip(b"\r\n"), MOST_RECIPIENTS + 1)
    for piece in pieces[: MOST_RECIPIENTS + 1]:
        group: dict[str, str] = {}
        for name, value in header_fields(piece, 0, len(piece)):
            if name.lower() not in group:
                group[name.lower()] = _line(value)
        yield group


def _line(value: bytes) -> str:
    """A field's value in one line."""
    return without_controls(" ".join(unfolded(value[: 4 * LONGEST_VALUE]).split()))[:LONGEST_VALUE]


def _delivery_report(content: bytes) -> DeliveryReport | None:
    groups = list(_groups(content))
    message = groups[0]
    recipients = tuple(
        ReportedRecipient(
            original=typed_address(group.get("original-recipient", "")),
            final=typed_address(group.get("final-recipient", "")),
            action=_COMMENT.sub("", group["action"]).strip().lower(),
            status=found[0] if (found := _STATUS.search(group.get("status", ""))) else "",
            diagnostic=_smtp_reply(group.get("diagnostic-code", "")),
        )
        for group in groups
        # Without it nothing is said. Some hosts forget the empty line after the fields of the message.
        if "action" in group
    )
    if not recipients:
        return None
    return DeliveryReport(message.get("original-envelope-id", ""), recipients)


def typed_address(value: str) -> str:
    """The address of an `address-type; address` (RFC 3464 §2.1.2); the whole value where there is no type."""
    kind, semicolon, address = value.partition(";")
    if not semicolon or not _ADDRESS_TYPE.fullmatch(kind.strip()):
        address = value
    address = address.strip()
    if not address.endswith(")") and " " not in address:
        return address.strip("<>")
    return _COMMENT.sub("", address).strip().strip("<>")


def _smtp_reply(value: str) -> str:
    kind, _, text = value.partition(";")
    return text.strip() if kind.strip().lower() == "smtp" else ""


def _disposition_report(content: bytes, *, has_original: bool) -> DispositionReport | None:
    content = content.lstrip(b"\r\n")
    values: dict[str, str] = {}
    errors: list[str] = []
    extensions: dict[str, str] = {}
    for name, octets in header_fields(content, 0, len(content))[:MOST_FIELDS]:
        lower, value = name.lower(), _line(octets)
        if lower == "error":
            errors.append(decode_words(value))
        elif lower in _KNOWN:
            values.setdefault(lower, value)
        else:
            extensions.setdefault(name, decode_words(value))
    found = _DISPOSITION_FIELD.fullmatch(_COMMENT.sub("", values.get("disposition", "")).lower())
    if found is None:
        return None
    return DispositionReport(
        action_mode=found[1],
        sending_mode=found[2],
        type=found[3],
        reporting_ua=decode_words(values.get("reporting-ua", "")),
        mdn_gateway=decode_words(values.get("mdn-gateway", "")),
        original_recipient=values.get("original-recipient", ""),
        final_recipient=values.get("final-recipient", ""),
        original_message_id=values.get("original-message-id", ""),
        errors=tuple(errors),
        extensions=extensions,
        has_original=has_original,
    )
