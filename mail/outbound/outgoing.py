"""A message as it leaves: without what its writer keeps to himself, with what is missing, its line ends those of SMTP. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mail.message.compose_fields import moment_value
from mail.message.headers import as_addresses
from mail.message.scan import header_section

_BLANK_LINES = re.compile(rb"\r\n[ \t]*(?=\r\n|\Z)")
_LONE_CR = re.compile(rb"\r(?!\n)")
_LINE_END = re.compile(rb"\r\n|\r|\n")

PRIVATE = frozenset({"bcc", "resent-bcc", "return-path"})
"""Fields that no recipient gets: RFC 5322 §3.6.3 for Bcc; the last is the final server's to add (RFC 5321 §4.4)."""
_RECEIPT_TO = "disposition-notification-to"
_ANGLED = re.compile(rb"<[^<>]*>")
_LONGEST_FIELD = 100_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with CRLF line ends, ready to be signed and sent."""

    octets: bytes
    header_length: int
    """Octets of the header section, with the empty line after it."""
    asks_for_receipt: bool
    """Whether the address that is asked for a disposition notification has become the return address (RFC 8098 §2.1)."""

    @property
    def header(self) -> bytes:
        """The header section."""
        return self.octets[: self.header_length]

    @property
    def has_international_header(self) -> bool:
        """Whether the header is one of RFC 6532, which a relay has to know of."""
        return not self.header.isascii()


def with_crlf(octets: bytes) -> bytes:
    """The same lines, each ended by CR LF and by nothing else: a lone CR or LF is where one server could see the end of a message
    and the next could not."""
    ends = octets.count(b"\r\n")
    if ends == octets.count(b"\n") == octets.count(b"\r"):
        return octets
    return _LINE_END.sub(b"\r\n", octets)


def outgoing(
    raw: bytes,
    *,
    domain: str,
    moment: datetime,
    token: str,
    receipt_address: Callable[[str], str | None],
) -> Outgoing:
    """The message as it is sent, the same at each attempt. Its header are the fields that were judged as it was submitted, and no
    others: what ended the header for that scanner ends it for everybody.

    `moment` is its Date and `domain` that of its Message-ID, where it has none. `receipt_address` gives, for an address in
    Disposition-Notification-To, the one to put in its place, or None to leave it.
    """
    fields, body_start = header_section(raw)
    seen: set[str] = set()
    kept: list[bytes] = []
    asks = False
    for written, value in fields:
        name = written.lower()
        seen.add(name)
        if name in PRIVATE:
            continue
        if name == _RECEIPT_TO:
            changed = _receipt_value(value, receipt_address)
            asks = asks or changed is not None
            value = changed or value
        kept.append(written.encode("ascii") + b":" + _folded(value) + b"\r\n")
    if "date" not in seen:
        kept.append(b"Date:" + moment_value(moment).encode() + b"\r\n")
    if "message-id" not in seen:
        kept.append(b"Message-ID: <" + message_id(token, domain).encode() + b">\r\n")
    made = b"".join(kept)
    return Outgoing(made + b"\r\n" + with_crlf(raw[body_start:]), len(made) + 2, asks)


def _folded(value: bytes) -> bytes:
    """The value of a field, as it was folded.

    A CR alone, which was nothing to whoever judged the header, goes, so that it ends no line for others; so do lines of spaces,
    which some take for the end of the header.
    """
    return _BLANK_LINES.sub(b"", with_crlf(_LONE_CR.sub(b"", value)))


def message_id(token: str, domain: str) -> str:
    """The Message-ID of a submission whose message has none: its token, which is a secret, is not in it."""
    return f"{hashlib.sha256(f'Message-ID {token}'.encode()).hexdigest()[:32]}@{domain}"


def _receipt_value(value: bytes, receipt_address: Callable[[str], str | None]) -> bytes | None:
    """The value with another address in it, where it has one address alone; None where it stays as it is."""
    if len(value) > _LONGEST_FIELD:
        return None
    addresses = as_addresses(value)
    if len(addresses) != 1:
        return None
    other = receipt_address(addresses[0]["email"] or "")
    if other is None:
        return None
    angled = _ANGLED.findall(value)
    if len(angled) == 1:
        # Its display name stays as it was written.
        changed = _ANGLED.sub(lambda match: b"<" + other.encode() + b">", value)
    else:
        changed = b" <" + other.encode() + b">"
    return changed
