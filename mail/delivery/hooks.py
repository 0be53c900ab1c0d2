"""What other modules do as a message arrives: lists of functions, filled in `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from jmapcore.store.write import AccountWrite
from mail.delivery.incoming import Incoming
from mail.ingest import PreparedEmail


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that was added to one account. Duplicates, which are stored once, are none."""

    account_id: int
    owner_id: int
    """The user whose account it is."""
    email_id: int
    thread_id: int
    blob_id: int
    recipient: str
    """The address of the envelope that led here, in its normal spelling."""
    return_path: str
    """The sender of the envelope; empty: the null sender."""
    received_at: datetime
    mailbox_id: int
    is_junk: bool
    answers: bool
    """The owner has an enabled vacation response (RFC 8621 §8), whatever its dates; read as the write began."""
    incoming: Incoming
    """The header fields, and the message itself without what this delivery added; `incoming.scanned` is its structure, made
    before the write where the message is a multipart/report."""
    prepared: PreparedEmail
    """What parsing gave, `prepared.summary` among it."""


in_write: list[Callable[[AccountWrite, Arrived], None]] = []
"""Called in the write that adds the Email, after it was added; no parsing of megabytes, no network, no sleep in there.

An exception undoes the write, and the message is then delivered without these hooks: mail comes before what follows from it."""

after_delivery: list[Callable[[Arrived], None]] = []
"""Called after the commit, in the thread that delivered. An exception is logged: the message is there."""
