"""The MIME parts of messages as blobs: `b17-2` is part 2 of the message in blob 17 (RFC 8621 §4.1.4, `blobId`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import orjson

from jmapcore.blobs.references import NO_PART, PartSpan
from jmapcore.store.database import Connection, Statement, read
from mail.message.scan import Part, decoded_chunks, scan
from mail.message.structure import load_part

MAILBOXES = """
    SELECT DISTINCT s.blob_id, unnest(e.mailbox_ids)
    FROM email_static AS s JOIN email AS e ON e.account_id = %s AND e.id = s.id
    WHERE s.account_id = %s AND s.blob_id = ANY(%b::int[])"""
THREADS = """
    SELECT DISTINCT s.blob_id, e.thread_id
    FROM email_static AS s JOIN email AS e ON e.account_id = %s AND e.id = s.id
    WHERE s.account_id = %s AND s.blob_id = ANY(%b::int[])"""
STRUCTURE = "SELECT body_json FROM email_static WHERE account_id = %s AND blob_id = %s LIMIT 1"

_DECODED = frozenset({"base64", "quoted-printable"})


def locate_part(connection: Connection, account_id: int, blob_id: int, number: int) -> PartSpan | None:
    """Where a part lies in the message of an Email, as its stored structure says; `NO_PART` where the message has none such."""
    (rows,) = read(connection, account_id, (STRUCTURE, (account_id, blob_id)))
    if not rows:
        return None
    part = load_part(orjson.loads(rows[0][0]), number)
    return NO_PART if part is None else _span(part)


def resolve_part(raw: bytes, number: int) -> PartSpan | None:
    """Where a part lies in a message, whether or not an Email has it; None for a multipart."""
    message = scan(raw)
    if not 0 <= number < len(message.all_parts()):
        return None
    part = message.part(number)
    return None if part.is_multipart else _span(part)


def find_mailboxes(account_id: int, blob_ids: Sequence[int]) -> Statement:
    """The mailboxes with Emails that refer to these blobs: "the Mailbox references that blobId" then (RFC 9404 §4.3)."""
    return MAILBOXES, (account_id, account_id, list(blob_ids))


def find_threads(account_id: int, blob_ids: Sequence[int]) -> Statement:
    """The Threads of Emails that refer to these blobs (RFC 9404 §4.3)."""
    return THREADS, (account_id, account_id, list(blob_ids))


def _span(part: Part) -> PartSpan:
    decode = partial(decoded_chunks, part) if part.encoding in _DECODED else None
    return PartSpan(part.body_start, part.body_end, part.size, part.type, decode)
