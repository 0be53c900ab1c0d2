"""Email/import (RFC 8621 §4.8): uploaded messages become Emails. Parsed first, and entered in one write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jmapcore.blobs import storage
from jmapcore.blobs.content import batches, read_visible, visible_and_small
from jmapcore.blobs.visibility import infos, visible_statement
from jmapcore.blobs.wire_ids import BlobName, parse_blob_id
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import InvalidProperties, OverQuota, RequestTooLarge, SetError, StateMismatch
from jmapcore.protocol.registry import Method, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import (
    Id,
    MapOf,
    Nullable,
    String,
    UTCDate,
    WireError,
    WireType,
    object_number,
    parse_date,
)
from jmapcore.standard.bounds import check_objects_in_set
from jmapcore.standard.set import AnyObject, error_documents
from jmapcore.store.database import Statement
from jmapcore.store.write import AccountWrite, account_write
from mail.fragments import normalise_keywords
from mail.ingest import NewEmail, PreparedEmail, add_messages, prepare, threads_statements
from mail.types.capability import MAIL, MAX_KEYWORDS_PER_EMAIL, MAX_MAILBOXES_PER_EMAIL
from mail.types.email_properties import KEYWORDS, MAILBOX_IDS
from mail.types.errors import InvalidEmail, TooManyKeywords, TooManyMailboxes

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext

MOST_OCTETS = 200_000_000
"""Octets that one call reads and parses: for each part of a message, the whole message."""


PROPERTIES: dict[str, WireType] = {
    "blobId": Id(to="Blob"),
    "mailboxIds": MAILBOX_IDS,
    "keywords": Nullable(KEYWORDS),
    "receivedAt": Nullable(UTCDate()),
}
"""The properties of an EmailImport."""

_HEADER_START, _HEADER_END = 9, 10
"""Where these stand in a part's entry of `mail.message.structure`."""


@dataclass(frozen=True, slots=True)
class EmailImport:
    """One message to import, checked as far as it can be without the account."""

    blob_id: str
    mailbox_ids: frozenset[int]
    keywords: frozenset[str]
    received_at: datetime | None


def import_emails(context: RequestContext, values: dict[str, Any]) -> list[Response]:
    """Make Emails of uploaded messages; each succeeds or fails by itself."""
    access = context.account(values["accountId"], MAIL, write=True)
    check_objects_in_set(len(values["emails"]))
    refused: dict[str, SetError] = {}
    imports: dict[str, EmailImport] = {}
    for key, given in values["emails"].items():
        try:
            imports[key] = _checked(context, given)
        except SetError as error:
            refused[key] = error
    prepared = _prepare(context, access, imports, refused)
    with account_write(access.account_id, context.connection, _prelude(access, imports, prepared)) as write:
        if values["ifInState"] not in (None, write.mark("Email").state):
            raise StateMismatch
        created = _add(write, access, imports, prepared, refused)
    context.created_ids.update({key: email["id"] for key, email in created.items()})
    response = {
        "accountId": values["accountId"],
        "oldState": write.mark("Email").state,
        "newState": write.new_mark("Email").state,
        "created": created or None,
        "notCreated": error_documents(refused),
    }
    return [("Email/import", response)]


def _checked(context: RequestContext, given: Mapping[str, Any]) -> EmailImport:
    """One EmailImport. Raises `InvalidProperties`, `TooManyKeywords` or `TooManyMailboxes`."""
    checked: dict[str, Any] = {"keywords": None, "receivedAt": None}
    invalid = [name for name in given if name not in PROPERTIES]
    invalid += [name for name in ("blobId", "mailboxIds") if name not in given]
    for name, wire in PROPERTIES.items():
        if name in given:
            try:
                checked[name] = wire.check(wire.replace(given[name], context.created_ids))
            except WireError:
                invalid.append(name)
    mailbox_ids = [object_number("m", text) for text in checked.get("mailboxIds", ())]
    if None in mailbox_ids:
        invalid.append("mailboxIds")
    if checked.get("blobId", "")[:1] == "#":  # nothing was created under that id
        invalid.append("blobId")
    if invalid:
        raise InvalidProperties(invalid)
    keywords = normalise_keywords(checked["keywords"] or ())
    if len(keywords) > MAX_KEYWORDS_PER_EMAIL:
        raise TooManyKeywords
    if len(mailbox_ids) > MAX_MAILBOXES_PER_EMAIL:
        raise TooManyMailboxes
    moment = checked["receivedAt"]
    return EmailImport(
        blob_id=checked["blobId"],
        mailbox_ids=frozenset(number for number in mailbox_ids if number is not None),
        keywords=keywords,
        received_at=None if moment is None else parse_date(moment),
    )


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that was parsed; `blob_id` where its octets are a blob already, else `content`."""

    email: PreparedEmail
    blob_id: int | None
    content: storage.Content | None


def _prepare(
    context: RequestContext,
    access: AccountAccess,
    imports: Mapping[str, EmailImport],
    refused: dict[str, SetError],
) -> dict[str, _Ready]:
    """Read and parse the messages, so many at a time that memory stays bounded; what is no message is refused."""
    names = {each.blob_id: parse_blob_id(each.blob_id) for each in imports.values()}
    numbers = list({name.blob_id for name in names.values() if name is not None})
    shown, small = visible_and_small(context.connection, access, numbers) if numbers else ({}, {})
    parsed: dict[str, _Ready | SetError] = {}
    sizes = {text: shown[name.blob_id].size for text, name in names.items() if name and name.blob_id in shown}
    if sum(sizes.values()) > MOST_OCTETS:
        raise RequestTooLarge(f"more than {MOST_OCTETS} octets")
    for batch in batches(sizes):
        checkpoint()
        contents = read_visible(context.connection, access, batch, shown, small)
        for text in batch:
            parsed[text] = _parsed(access, names[text], contents.get(text))
    ready: dict[str, _Ready] = {}
    for key, each in imports.items():
        found = parsed.get(each.blob_id) or InvalidProperties(["blobId"])
        if isinstance(found, SetError):
            refused[key] = found
        else:
            ready[key] = found
    return ready


def _parsed(access: AccountAccess, name: BlobName | None, raw: bytes | None) -> _Ready | SetError:
    if name is None or raw is None:
        return InvalidProperties(["blobId"])
    email = prepare(raw, access.search_languages)
    root = email.summary.body_structure[0]
    if root[_HEADER_START] == root[_HEADER_END]:
        return InvalidEmail("there is no header field")
    content = None
    if name.part is not None:
        # A part is no blob of its own yet.
        if len(raw) > storage.SMALL:
            content = storage.write_ahead(access.account_id, email.hash, email.size, [raw])
        else:
            (content,) = storage.prepare(access.account_id, [(email.hash, raw)])
    # The octets are a blob, or in the content: they need not be kept twice.
    return _Ready(replace(email, raw=b""), name.blob_id if name.part is None else None, content)


def _prelude(
    access: AccountAccess, imports: Mapping[str, EmailImport], prepared: Mapping[str, _Ready]
) -> list[Statement]:
    """What `_add` looks at, read as the lock is taken: mailboxes, blobs, Threads."""
    mailbox_ids = {number for each in imports.values() for number in each.mailbox_ids}
    blob_ids = {ready.blob_id for ready in prepared.values() if ready.blob_id is not None}
    return [
        visible_statement(access, list(blob_ids)),
        *threads_statements(access.account_id, [ready.email for ready in prepared.values()], mailbox_ids),
    ]


def _add(
    write: AccountWrite,
    access: AccountAccess,
    imports: Mapping[str, EmailImport],
    prepared: Mapping[str, _Ready],
    refused: dict[str, SetError],
) -> dict[str, dict[str, Any]]:
    """Enter what the account, as it is under the lock, can take; what RFC 8621 §4.8 answers for each."""
    blobs, *threads = write.prelude
    known = {row[0] for row in threads[-1]}  # of the mailboxes, those that exist
    # It may have been swept while the message was parsed.
    there = infos(blobs)
    keys: list[str] = []
    for key, each in imports.items():
        if not each.mailbox_ids <= known:
            earlier = refused.get(key)
            also = earlier.properties if isinstance(earlier, InvalidProperties) else []
            refused[key] = InvalidProperties([*also, "mailboxIds"])
        elif key in refused:
            continue
        elif prepared[key].blob_id is not None and prepared[key].blob_id not in there:
            refused[key] = InvalidProperties(["blobId"])
        else:
            keys.append(key)
    over = dict.fromkeys(write.usage.beyond({key: prepared[key].email.size for key in keys}), OverQuota())
    refused.update(over)
    keys = [key for key in keys if key not in over]
    added = add_messages(write, _new_emails(keys, imports, prepared), threads)
    return {
        key: {
            "id": f"e{email.id}",
            "blobId": f"b{email.blob_id}",
            "threadId": f"t{email.thread_id}",
            "size": email.size,
        }
        for key, email in zip(keys, added, strict=True)
    }


def _new_emails(
    keys: Sequence[str], imports: Mapping[str, EmailImport], prepared: Mapping[str, _Ready]
) -> list[NewEmail]:
    return [
        NewEmail(
            prepared=prepared[key].email,
            mailbox_ids=sorted(imports[key].mailbox_ids),
            keywords=imports[key].keywords,
            received_at=imports[key].received_at,
            blob_id=prepared[key].blob_id,
            content=prepared[key].content,
        )
        for key in keys
    ]


EMAIL_IMPORT = Method(
    "Email/import",
    MAIL,
    import_emails,
    {
        "accountId": Argument(Id()),
        "ifInState": Argument(Nullable(String())),
        "emails": Argument(MapOf(Id(), AnyObject())),
    },
    writes=True,
)
