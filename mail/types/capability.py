"""The capabilities of RFC 8621 §1.3, and their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from accounts.access import MAIL_SCOPE, AccountAccess
from jmapcore.protocol.registry import Capability
from mail.outbound.offers import revision, submission_extensions

MAIL = "urn:ietf:params:jmap:mail"
SUBMISSION = "urn:ietf:params:jmap:submission"
QUOTA = "urn:ietf:params:jmap:quota"
VACATION_RESPONSE = "urn:ietf:params:jmap:vacationresponse"

MAX_MAILBOX_DEPTH = 10
MAX_SIZE_MAILBOX_NAME = 255
MAX_MAILBOXES = 5_000
MAX_SIZE_ATTACHMENTS_PER_EMAIL = 50_000_000
MAX_KEYWORDS_PER_EMAIL = 100
MAX_MAILBOXES_PER_EMAIL = 100

EMAIL_SORTS = (
    "receivedAt",
    "size",
    "from",
    "to",
    "subject",
    "sentAt",
    "hasKeyword",
    "allInThreadHaveKeyword",
    "someInThreadHaveKeyword",
)
"""What Email/query can sort by (RFC 8621 §4.4.2)."""


def account_value(access: AccountAccess) -> Mapping[str, Any]:
    """What the session says of mail in one account."""
    return {
        "maxMailboxesPerEmail": MAX_MAILBOXES_PER_EMAIL,
        "maxMailboxDepth": MAX_MAILBOX_DEPTH,
        "maxSizeMailboxName": MAX_SIZE_MAILBOX_NAME,
        "maxSizeAttachmentsPerEmail": MAX_SIZE_ATTACHMENTS_PER_EMAIL,
        "emailQuerySortOptions": list(EMAIL_SORTS),
        "mayCreateTopLevelMailbox": not access.is_read_only,
    }


CAPABILITY = Capability(MAIL, account_value=account_value, scope=MAIL_SCOPE)


def submission_value(access: AccountAccess) -> Mapping[str, Any]:
    """What the session says of sending from one account (RFC 8621 §1.3.2)."""
    extensions = submission_extensions()
    delays = "FUTURERELEASE" in extensions
    return {
        "maxDelayedSend": settings.MAIL_MAX_DELAYED_SEND_SECONDS if delays else 0,
        "submissionExtensions": extensions,
    }


def _may_send(access: AccountAccess) -> bool:
    return access.may_send


# Clients that name mail alone in `using` call the methods of these three as well.
SUBMISSION_CAPABILITY = Capability(
    SUBMISSION,
    account_value=submission_value,
    scope=MAIL_SCOPE,
    available=_may_send,
    opened_by=frozenset({MAIL}),
    revision=revision,
)
VACATION_RESPONSE_CAPABILITY = Capability(
    VACATION_RESPONSE,
    account_value=lambda access: {},
    scope=MAIL_SCOPE,
    available=_may_send,
    opened_by=frozenset({MAIL}),
)
QUOTA_CAPABILITY = Capability(
    QUOTA, account_value=lambda access: {}, scope=MAIL_SCOPE, opened_by=frozenset({MAIL})
)
