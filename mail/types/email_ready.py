"""Messages that can be entered: parsed, and their octets ready to be stored, before the lock is taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from jmapcore.blobs import storage
from mail.ingest import PreparedEmail, prepare

KEPT_OCTETS = 16_000_000
"""Octets of new messages that one call keeps in memory until they are written; those beyond are stored at once."""


@dataclass(frozen=True, slots=True)
class ReadyEmail:
    """A message that can be entered: parsed, its octets ready to be stored."""

    email: PreparedEmail
    content: storage.Content


_Key = TypeVar("_Key")


@dataclass(slots=True)
class Readied(Generic[_Key]):
    """The messages of one call for an account, as they become ready; those that are kept in memory are bounded."""

    account_id: int
    languages: str
    """Of the account's searches."""
    ready: dict[_Key, ReadyEmail] = field(default_factory=dict)
    _kept: int = 0

    def add(self, key: _Key, raw: bytes, content: storage.Content | None = None) -> None:
        """Parse a message; `content` where its octets are ready already."""
        email = prepare(raw, self.languages)
        if content is None:
            content = storage.Content(email.hash, email.size, raw)
            if email.size <= storage.SMALL:
                (content,) = storage.prepare(self.account_id, [(email.hash, raw)])
        if content.data is not None:
            self._kept += email.size
            if email.size > storage.SMALL or self._kept > KEPT_OCTETS:
                self._kept -= email.size
                content = storage.write_ahead(self.account_id, email.hash, email.size, [raw])
        # The octets need not be kept twice.
        self.ready[key] = ReadyEmail(replace(email, raw=b""), content)
