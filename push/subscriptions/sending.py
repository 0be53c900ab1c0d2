"""One push message on its way: encrypted, signed, posted; and what the answer means."""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from django.conf import settings

from jmapcore.fetching import Fetcher, FetchError
from push.subscriptions.message_encryption import encrypt
from push.subscriptions.pending import Message
from push.subscriptions.store import Endpoint
from push.subscriptions.vapid import VapidKey, authorization

LONGEST_RETRY_AFTER_SECONDS = 86_400.0


class Answer(Enum):
    """What a push service says of a message."""

    TAKEN = "taken"
    GONE = "gone"
    """There is no such subscription (any more): 404 and 410 (RFC 8030 §7.3)."""
    TOO_MANY = "too many"
    """429: pushes have to become rarer."""
    TOO_LARGE = "too large"
    """413: this message will never be taken."""
    FAILED = "failed"
    """5xx, or none: later perhaps."""
    REFUSED = "refused"
    """Any other status, redirects among them, which are not followed."""
    FORBIDDEN = "forbidden"
    """Nothing was sent: the URL leads to an address that is not public."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, for the log as a status or a word, and after how many seconds to come back (None: it does not say)."""

    answer: Answer
    detail: str
    retry_after: float | None = None


def send(
    fetcher: Fetcher, endpoint: Endpoint, key: VapidKey | None, message: Message, most_seconds: float | None
) -> Outcome:
    """Post a message; `most_seconds` is how long the subscription itself will last."""
    keys = endpoint.receiver_keys
    ttl = message.ttl if most_seconds is None else max(0, min(message.ttl, int(most_seconds)))
    # "The POST request MUST have a content type of "application/json" […]. The request MUST have a "TTL" header and MAY have
    # "Urgency" and/or "Topic" headers" (RFC 8620 §7.2).
    headers = {"Content-Type": "application/json", "TTL": str(ttl), "Urgency": message.urgency}
    if message.topic is not None:
        headers["Topic"] = message.topic
    if key is not None:
        headers["Authorization"] = authorization(key, endpoint.url, settings.PUSH_CONTACT)
    body = message.body
    if keys is not None:
        body = encrypt(body, keys)
        headers["Content-Encoding"] = "aes128gcm"
    try:
        answered = fetcher.post(endpoint.url, headers, body)
    except FetchError as error:
        return Outcome(Answer.FORBIDDEN if error.is_forbidden else Answer.FAILED, error.reason)
    return Outcome(
        _answer(answered.status), str(answered.status), _retry_after(answered.headers.get("retry-after"))
    )


def _answer(status: int) -> Answer:
    match status:
        case 404 | 410:
            return Answer.GONE
        case 413:
            return Answer.TOO_LARGE
        case 429:
            return Answer.TOO_MANY
        case 408 | 425:
            return Answer.FAILED
        case _ if 200 <= status < 300:
            return Answer.TAKEN
        case _ if status >= 500:
            return Answer.FAILED
        case _:
            return Answer.REFUSED


def _retry_after(value: str | None) -> float | None:
    """Seconds, from a number or a date (RFC 9110 §10.2.3); a day at most, None for anything else."""
    if value is None:
        return None
    if value.strip().isdigit():
        return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)
