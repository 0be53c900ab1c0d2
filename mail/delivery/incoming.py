"""A message as it comes in, looked at once for all of its recipients: its header fields, and what they mean for delivery."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from accounts.addresses import normalise_address
from mail.delivery.junk import JunkRule
from mail.message.scan import Message, scan

MOST_FIELDS = 10_000
"""Header fields that are looked at, as many as `mail.message.scan` reads."""

TRACE = frozenset(
    {
        "return-path",
        "received",
        "delivered-to",
        "x-original-to",
        "received-spf",
        "authentication-results",
        "arc-seal",
        "arc-message-signature",
        "arc-authentication-results",
    }
)
"""Fields that each host adds on the way (RFC 5321 §4.4, RFC 7208 §9.1, RFC 8601 §4.1, RFC 8617 §4.1, RFC 9228): two copies
of one message differ in them."""
FILTERS = ("x-spam", "x-rspamd")
"""How the names of fields begin that filters add."""

_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:((?>(?:[^\n]*+\n(?=[ \t]))*)[^\n]*+)\n?+")

Fields = list[tuple[str, bytes]]


@dataclass(slots=True)
class Incoming:
    """A message without the Return-Path fields that it came with (RFC 5321 §4.4), and what its header says.

    `hash` is the same for two copies of a message, whatever hosts and filters added on the way.
    """

    raw: bytes
    fields: Fields
    """Names in lower case, values as they are with their folds, in order."""
    hash: bytes
    received: int
    delivered_to: frozenset[str]
    _scanned: Message | None = field(default=None, repr=False)

    @property
    def scanned(self) -> Message:
        """The structure of `raw`."""
        if self._scanned is None:
            self._scanned = scan(self.raw)
        return self._scanned

    def values(self, name: str) -> list[bytes]:
        """The values of the fields of this name, which is in lower case."""
        return [value for each, value in self.fields if each == name]

    def is_junk(self, rules: Iterable[JunkRule]) -> bool:
        """Whether a filter says so."""
        by_name: dict[str, list[JunkRule]] = {}
        for rule in rules:
            by_name.setdefault(rule.name, []).append(rule)
        return any(
            rule.matches(value.decode("ascii", "replace").strip().casefold())
            for name, value in self.fields
            if name in by_name
            for rule in by_name[name]
        )


def take_apart(raw: bytes) -> Incoming:
    """Look at the header of a message, whatever it is."""
    fields: Fields = []
    kept: list[bytes] = []
    """`raw` but for the Return-Path fields."""
    digest = hashlib.blake2b(digest_size=16)
    delivered: list[str | None] = []
    position = start = 0
    while len(fields) < MOST_FIELDS and (match := _FIELD.match(raw, position)) is not None:
        name = match[1].decode("ascii").lower()
        value = match[2].rstrip(b"\r")
        if name == "return-path":
            kept.append(raw[start:position])
            start = match.end()
        else:
            fields.append((name, value))
        if name == "delivered-to":
            delivered.append(normalise_address(value.decode("utf_8", "replace").strip().strip("<>")))
        if name not in TRACE and not name.startswith(FILTERS):
            digest.update(match[0])
        position = match.end()
    digest.update(memoryview(raw)[position:])
    return Incoming(
        raw=b"".join([*kept, raw[start:]]) if kept else raw,
        fields=fields,
        hash=digest.digest(),
        received=sum(name == "received" for name, _ in fields),
        delivered_to=frozenset(filter(None, delivered)),
    )
