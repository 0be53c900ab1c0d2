"""The JSON texts that rows carry, in wire form and ready to be spliced into an answer, and the number of their format."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from mail.message.summary import Summary

FORMAT = 1
"""What `email_static` rows were derived by. Raise it when parsing gives something else: `reingest` rebuilds the rest."""

STATIC_PROPERTIES = (
    "blobId",
    "messageId",
    "inReplyTo",
    "references",
    "sender",
    "from",
    "to",
    "cc",
    "bcc",
    "replyTo",
    "subject",
    "sentAt",
    "hasAttachment",
    "preview",
)
"""The Email properties of the lines of `email_static.static_json`, in this order (RFC 8621 §4.1.2, §4.1.4)."""

SEEN = "$seen"
DRAFT = "$draft"
UNSEEN = "%unseen"
"""How `email_keyword` says that `$seen` is absent; no client can set it (`%` is no keyword character, RFC 8621 §4.1.1)."""

_NEVER_STORED = frozenset({"$recent"})


def json_text(value: Any) -> str:
    """Compact JSON without line breaks."""
    return orjson.dumps(value).decode()


@lru_cache(maxsize=2_000)
def _normalised(keywords: frozenset[str]) -> frozenset[str]:
    return frozenset(keyword.lower() for keyword in keywords) - _NEVER_STORED


def normalise_keywords(keywords: Iterable[str]) -> frozenset[str]:
    """Keywords as they are stored: lower case ("servers MUST return keywords in lowercase"), without `$recent`."""
    return _normalised(frozenset(keywords))


@lru_cache(maxsize=2_000)
def keywords_text(keywords: frozenset[str]) -> str:
    """Keywords sorted, with spaces between them, as statements take them apart again. Few sets make up all mail."""
    return " ".join(sorted(keywords))


@lru_cache(maxsize=2_000)
def keywords_json(keywords: frozenset[str]) -> str:
    """Email.keywords in wire form (RFC 8621 §4.1.1), sorted."""
    return json_text(dict.fromkeys(sorted(keywords), True))


@lru_cache(maxsize=2_000)
def mailboxes_json(mailbox_ids: frozenset[int]) -> str:
    """Email.mailboxIds in wire form (RFC 8621 §4.1.1), sorted."""
    return "{" + ",".join([f'"m{mailbox_id}":true' for mailbox_id in sorted(mailbox_ids)]) + "}"


def email_ids_json(email_ids: Iterable[int]) -> str:
    """Thread.emailIds in wire form (RFC 8621 §3); the caller gives the order."""
    return "[" + ",".join([f'"e{email_id}"' for email_id in email_ids]) + "]"


def indexed_keywords(keywords: frozenset[str]) -> frozenset[str]:
    """The keywords that `email_keyword` has rows for: `$seen` is stored inverted."""
    return keywords - {SEEN} if SEEN in keywords else keywords | {UNSEEN}


def is_unread(keywords: frozenset[str]) -> bool:
    """Whether an Email counts as unread: neither `$seen` nor `$draft` (RFC 8621 §2, unreadEmails)."""
    return SEEN not in keywords and DRAFT not in keywords


def static_lines(summary: Summary) -> str:
    """The lines of `static_json` after the first, which names the blob."""
    values = (
        summary.message_id,
        summary.in_reply_to,
        summary.references,
        summary.sender,
        summary.from_,
        summary.to,
        summary.cc,
        summary.bcc,
        summary.reply_to,
        summary.subject,
        summary.sent_at,
        summary.has_attachment,
        summary.preview,
    )
    return "\n".join([orjson.dumps(value).decode() for value in values])


def static_json(blob_id: int, lines: str) -> str:
    """`email_static.static_json`: the blob's wire id, then `static_lines`."""
    return f'"b{blob_id}"\n{lines}'
