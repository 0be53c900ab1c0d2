"""Pushing to everybody who is due: the work of a Celery task.

The queue is the table of subscriptions. A process takes what is due with a lease, so that no other one pushes it as well, pushes
in threads, since all it does is wait for others, and holds no database connection while it waits. Few processes push at a time:
receivers may be as slow as they like, and the other tasks of the workers must not wait for them.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import psycopg
import psycopg_pool
from django.conf import settings

from accounts.lasting import lasting_standing
from jmapcore.fetching import Fetcher, fetcher
from jmapcore.store.database import connection, run
from push.subscriptions import store
from push.subscriptions.pending import Message, Pending, pending
from push.subscriptions.sending import Answer, Outcome, send
from push.subscriptions.store import Claimed, Endpoint
from push.subscriptions.vapid import VapidKey
from push.subscriptions.vapid_keys import key_by_number

logger = logging.getLogger("push.subscriptions")

THREADS = 16
POLL_SECONDS = 0.25
"""How often the queue is looked at while all who were due are being pushed to."""
SECONDS = 45.0
"""After these nobody further is taken; another task goes on."""

GAP_SECONDS = 5.0
"""Between two pushes to one subscription: what changes meanwhile is told of together."""
LONGEST_GAP_SECONDS = 3_600.0
FIRST_RETRY_SECONDS = 15.0
LONGEST_RETRY_SECONDS = 6 * 3_600.0
SUSPENDED_SECONDS = 300.0
"""Until somebody who is suspended is looked at again."""
SLOWNESS = 10
"""A receiver that takes a second to answer is left alone for ten."""

MOST_REFUSALS = 5
"""In a row: refused by the push service, or at an address that may not be reached. Then the subscription is destroyed."""
MOST_VERIFICATIONS = 5
"""Attempts to push the code."""

MOST_MESSAGES = 5
"""Of one subscription in one go; the others wait for the next one."""

LOCK_SPACE = 620_302
TRY_LOCK = "SELECT pg_try_advisory_lock(%s::int, %s::int)"
UNLOCK = "SELECT pg_advisory_unlock(%s::int, %s::int)"


def deliver_due() -> Counter[str]:
    """Push to all who are due; how often each `Answer` came, and what else became of subscriptions.

    Does nothing where as many processes as may be are at it already: they see what was due before they end.
    """
    counted: Counter[str] = Counter()
    until = time.monotonic() + SECONDS
    while True:
        with _place() as has_place:
            if not has_place:
                return counted
            counted += deliver_available(until)
        # Whoever came while this process had the place has gone again.
        if time.monotonic() >= until or not _is_any_due():
            return counted


def deliver_available(until: float) -> Counter[str]:
    """Push to those who are due and to nobody else's, until none is left or (`time.monotonic()`) it is time to end.

    Those that become due meanwhile are taken as soon as a thread is free: slow receivers hold their own threads alone.
    """
    counted: Counter[str] = Counter()
    running: set[Future[str]] = set()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="push") as threads:
        while True:
            free = THREADS - len(running)
            if free and time.monotonic() < until:
                with connection() as lent:
                    batch = store.claim(lent, free)
                running |= {threads.submit(_deliver_guarded, claimed) for claimed in batch}
            if not running:
                return counted
            done, running = wait(running, POLL_SECONDS, FIRST_COMPLETED)
            counted.update(each.result() for each in done)


@contextmanager
def _place() -> Iterator[bool]:
    """One of the places of processes that push, where one is free."""
    with connection() as lent:
        for number in range(settings.PUSH_PROCESSES):
            [result] = run(lent, (TRY_LOCK, (LOCK_SPACE, number)))
            if result.fetchall()[0][0]:
                try:
                    yield True
                finally:
                    run(lent, (UNLOCK, (LOCK_SPACE, number)))
                return
        yield False


def _is_any_due() -> bool:
    with connection() as lent:
        wait = store.next_due(lent)
    return wait is not None and wait.total_seconds() <= 0


def _deliver_guarded(claimed: Claimed) -> str:
    """One subscription; whatever goes wrong with it is no matter of the others."""
    try:
        return deliver(claimed, fetcher())
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        # The database is away or busy: the lease runs out by itself.
        logger.warning("subscription %d: %s", claimed.subscription.id, type(error).__name__)
        return "away"
    except Exception:
        logger.exception("subscription %d", claimed.subscription.id)
        with suppress(psycopg.Error, psycopg_pool.PoolTimeout), connection() as lent:
            store.release(lent, claimed, LONGEST_GAP_SECONDS)
        return "error"


def deliver(claimed: Claimed, through: Fetcher) -> str:
    """Push what a subscription waits for; in a word what became of it."""
    subscription = claimed.subscription
    now = datetime.now(UTC)
    with connection() as lent:
        standing = lasting_standing(lent, subscription.user_id, subscription.owner)
        endpoint = subscription.endpoint()
        number = subscription.vapid_key_id
        key = None if number is None else key_by_number(lent, number)
        # "Should these credentials expire or be revoked, the push subscription MUST be destroyed" (RFC 8620 §7.2).
        if standing is None or endpoint is None or key is None or subscription.is_over(now):
            store.destroy(lent, subscription.id)
            return "ended"
        caller = standing.caller
        if caller is None:
            store.release(lent, claimed, SUSPENDED_SECONDS)
            return "suspended"
        waiting = pending(lent, claimed, caller)
    most_seconds = (
        None if subscription.expires_at is None else (subscription.expires_at - now).total_seconds()
    )
    return _Push(claimed, through, endpoint, key, most_seconds).run(waiting)


class _Push:
    """The messages of one subscription, one after the other, until one is not taken."""

    def __init__(
        self,
        claimed: Claimed,
        through: Fetcher,
        endpoint: Endpoint,
        key: VapidKey,
        most_seconds: float | None,
    ) -> None:
        self.claimed = claimed
        self.through = through
        self.endpoint = endpoint
        self.key = key
        self.most_seconds = most_seconds

    def run(self, waiting: Pending) -> str:
        """Send them and note what came of it."""
        started = time.monotonic()
        delivered: list[Message] = []
        outcome: Outcome | None = None
        for message in waiting.messages[:MOST_MESSAGES]:
            outcome = send(self.through, self.endpoint, self.key, message, self.most_seconds)
            if outcome.answer not in {Answer.TAKEN, Answer.TOO_LARGE}:
                break
            delivered.append(message)
        if outcome is not None and outcome.answer is not Answer.TAKEN:
            logger.info("subscription %d: %s", self.claimed.subscription.id, outcome.detail)
        return self._note(waiting, delivered, outcome, time.monotonic() - started)

    def _note(
        self, waiting: Pending, delivered: list[Message], outcome: Outcome | None, elapsed: float
    ) -> str:
        claimed = self.claimed
        subscription = claimed.subscription
        answer = None if outcome is None else outcome.answer
        with connection() as lent:
            if self._is_hopeless(answer):
                store.destroy(lent, subscription.id)
                return "destroyed"
            if outcome is None or answer in {Answer.TAKEN, Answer.TOO_LARGE}:
                gap = claimed.gap_seconds / 2 if claimed.gap_seconds > 2 * GAP_SECONDS else 0.0
                # After the code nothing is due until the client has echoed it; then at once.
                is_told = any(not message.is_verification for message in delivered)
                pause = max(GAP_SECONDS, gap, SLOWNESS * elapsed) if is_told else 0.0
                failures = 0
            elif answer is Answer.TOO_MANY:
                # "A "429" (Too Many Requests) response MUST cause the JMAP server to reduce the frequency of pushes".
                gap = min(max(2 * claimed.gap_seconds, 2 * GAP_SECONDS), LONGEST_GAP_SECONDS)
                pause = max(gap, outcome.retry_after or 0.0)
                failures = claimed.failures + (0 if subscription.is_verified else 1)
            else:
                gap = claimed.gap_seconds
                failures = claimed.failures + 1
                pause = max(_retry_seconds(failures), outcome.retry_after or 0.0)
            is_complete = len(delivered) == len(waiting.messages)
            store.finish(
                lent,
                claimed,
                waiting.progress(claimed, delivered),
                code_sent=any(message.is_verification for message in delivered),
                failures=failures,
                gap_seconds=gap,
                pause_seconds=pause,
                again=not is_complete,
            )
        return "nothing" if answer is None else answer.value

    def _is_hopeless(self, answer: Answer | None) -> bool:
        """Whether there is no point in another attempt."""
        failures = self.claimed.failures + 1
        if answer in {Answer.REFUSED, Answer.FORBIDDEN} and failures >= MOST_REFUSALS:
            return True
        if self.claimed.subscription.is_verified:
            return answer is Answer.GONE
        if answer in {Answer.FAILED, Answer.TOO_MANY}:
            return failures >= MOST_VERIFICATIONS
        return answer in {Answer.GONE, Answer.REFUSED, Answer.FORBIDDEN}


def _retry_seconds(failures: int) -> float:
    """Growing gaps, none of them the same for all who failed together."""
    seconds: float = min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_RETRY_SECONDS)
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  # no secret
