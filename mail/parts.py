"""The MIME parts of messages as blobs: `b17-2` is part 2 of the message in blob 17 (RFC 8621 §4.1.4, `blobId`)."""

from __future__ import annotations

from functools import partial

import orjson

from jmapcore.blobs.references import PartSpan
from jmapcore.store.database import Connection, read
from mail.message.scan import Part, decoded_chunks, scan
from mail.message.structure import load_part

STRUCTURE = "SELECT body_json FROM email_static WHERE account_id = %s AND blob_id = %s LIMIT 1"

_DECODED = frozenset({"base64", "quoted-printable"})


def locate_part(connection: Connection, account_id: int, blob_id: int, number: int) -> PartSpan | None:
    """Where a part lies in the message of an Email, as its stored structure says."""
    (rows,) = read(connection, account_id, (STRUCTURE, (account_id, blob_id)))
    if not rows:
        return None
    part = load_part(orjson.loads(rows[0][0]), number)
    return None if part is None else _span(part)


def resolve_part(raw: bytes, number: int) -> PartSpan | None:
    """Where a part lies in a message, whether or not an Email has it; None for a multipart."""
    message = scan(raw)
    if not 0 <= number < len(message.all_parts()):
        return None
    part = message.part(number)
    return None if part.is_multipart else _span(part)


def _span(part: Part) -> PartSpan:
    decode = partial(decoded_chunks, part) if part.encoding in _DECODED else None
    return PartSpan(part.body_start, part.body_end, part.size, part.type, decode)
