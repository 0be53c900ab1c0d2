"""The JSON texts that rows carry, in wire form and ready to be spliced into an answer, and the number of their format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import Any, TypeVar

import orjson

from mail.message.summary import Summary

FORMAT = 3
"""What `email_static` and `email_search` rows were derived by. Raise it when parsing gives something else, for `reingest`."""

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


_FEW = 6
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def _kept_of_few(make: Callable[[frozenset[_Item]], _Made]) -> Callable[[frozenset[_Item]], _Made]:
    """Keep what is made of small sets: few of them make up all mail.

    Sets of 100 keywords of 255 octets, or of 5,000 mailboxes, which anybody may make up by the thousand, would fill the memory of
    the process for good.
    """
    kept = lru_cache(maxsize=2_000)(make)

    def made(items: frozenset[_Item]) -> _Made:
        return kept(items) if len(items) <= _FEW else make(items)

    return wraps(make)(made)


@_kept_of_few
def _normalised(keywords: frozenset[str]) -> frozenset[str]:
    return frozenset(keyword.lower() for keyword in keywords) - _NEVER_STORED


def normalise_keywords(keywords: Iterable[str]) -> frozenset[str]:
    """Keywords as they are stored: lower case ("servers MUST return keywords in lowercase"), without `$recent`."""
    return _normalised(frozenset(keywords))


@_kept_of_few
def keywords_text(keywords: frozenset[str]) -> str:
    """Keywords sorted, with spaces between them, as statements take them apart again."""
    return " ".join(sorted(keywords))


@_kept_of_few
def keywords_json(keywords: frozenset[str]) -> str:
    """Email.keywords in wire form (RFC 8621 §4.1.1), sorted."""
    return json_text(dict.fromkeys(sorted(keywords), True))


@_kept_of_few
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
