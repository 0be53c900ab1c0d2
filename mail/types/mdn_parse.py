"""MDN/parse (RFC 9007 §2.2): messages that came, shown as MDN objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings

from jmapcore.blobs.content import batches, read_visible
from jmapcore.blobs.wire_ids import parse_blob_id
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import RequestTooLarge
from jmapcore.protocol.registry import Method, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Id, ListOf
from jmapcore.store.database import read
from mail.message.headers import HeaderProperty, header_property
from mail.message.scan import scan
from mail.receipts.reports import DispositionReport, read_report
from mail.types.email_parse import visible_sizes
from mail.types.mdn import MDN, access_of, mdn_of

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

# By the token that the notification was known by as it came; a Message-ID is no key here, and anybody's to claim.
ABOUT = """
    SELECT r.blob_id, s.email_id FROM submission_report AS r
    JOIN email_submission AS s ON s.account_id = %s AND s.id = r.submission_id
    JOIN email AS e ON e.account_id = %s AND e.id = s.email_id
    WHERE r.account_id = %s AND r.blob_id = ANY(%b::int[])"""


def parse_mdns(context: RequestContext, values: dict[str, Any]) -> list[Response]:
    """Parse blobs. Raises `RequestTooLarge`."""
    access = access_of(context, values, write=False)
    limit: int = settings.JMAP_LIMITS["maxObjectsInGet"]
    if len(values["blobIds"]) > limit:
        raise RequestTooLarge(f"more than {limit} ids")
    names = {given: parse_blob_id(context.resolve_id(given)) for given in values["blobIds"]}
    sizes = visible_sizes(context, access, names)
    about = _about(context, access, (name.blob_id for name in names.values() if name is not None))
    parsed: dict[str, Any] = {}
    not_parsable: list[str] = []
    written = 0
    for batch in batches(sizes):
        checkpoint()
        contents = read_visible(context.connection, access, [str(names[given]) for given in batch])
        for given in batch:
            checkpoint()
            name = names[given]
            raw = contents.get(str(name))
            if raw is None or name is None:
                del sizes[given]
                continue
            found = _parsed(raw, about.get(name.blob_id) if name.part is None else None)
            if found is None:
                not_parsable.append(given)
                continue
            written += len(found)
            if written > settings.JMAP_MAX_SIZE_ANSWER:
                raise RequestTooLarge("the MDNs are more than a response may hold")
            parsed[str(name)] = orjson.Fragment(found)
    response = {
        "accountId": values["accountId"],
        "parsed": parsed or None,
        "notParsable": not_parsable or None,
        "notFound": [given for given in names if given not in sizes] or None,
    }
    return [("MDN/parse", response)]


def _about(context: RequestContext, access: AccountAccess, blob_ids: Iterable[int]) -> dict[int, int]:
    """The Emails that these blobs report about, of those that are known to be receipts: blob id → email id."""
    account_id = access.account_id
    wanted = list(dict.fromkeys(blob_ids))
    if not wanted:
        return {}
    (rows,) = read(context.connection, account_id, (ABOUT, (account_id, account_id, account_id, wanted)))
    return dict(rows)


def _parsed(raw: bytes, email_id: int | None) -> bytes | None:
    """The JSON text of the MDN that some octets are; None for octets that are none."""
    message = scan(raw)
    report = read_report(message)
    if not isinstance(report, DispositionReport):
        return None
    subject = header_property(message.root.headers, HeaderProperty("Subject", "asText"))
    return orjson.dumps(mdn_of(report, message, subject, email_id))


MDN_PARSE = Method(
    "MDN/parse",
    MDN,
    parse_mdns,
    {"accountId": Argument(Id()), "blobIds": Argument(ListOf(Id(to="Blob")))},
)
