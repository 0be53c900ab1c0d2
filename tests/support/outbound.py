"""Delivering what tests submit: theirs alone, for the queue of a test database holds what other tests left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from jmapcore.store.database import connection, execute
from mail.outbound import keys, offers
from mail.outbound.attempt import Sender
from mail.outbound.pauses import Pause
from mail.outbound.queue import Claim, claim

POSTPONE = """
    UPDATE submission_queue SET due_at = now() + interval '1 year', give_up_at = NULL
    WHERE NOT account_id = ANY(%s::bigint[])"""
HASTEN = """
    UPDATE submission_queue SET due_at = now() - interval '1 second', leased_until = NULL
    WHERE account_id = ANY(%s::bigint[])"""


def alone(*account_ids: int) -> None:
    """Leave nothing due but what these accounts submit."""
    offers.forget()
    keys.forget()
    with connection() as lent:
        execute(lent, POSTPONE, (list(account_ids),))


def claimed(*account_ids: int, now: bool = False) -> list[Claim]:
    """Claim all that is due of these accounts; with `now` also what is due later."""
    alone(*account_ids)
    with connection() as lent:
        if now:
            execute(lent, HASTEN, (list(account_ids),))
        return claim(lent, 1_000)


def deliver_all(
    *account_ids: int, now: bool = False, holds: Callable[[Claim], bool] = lambda claim: True
) -> Pause:
    """Attempt once what is due of these accounts, as a sender does; the pause of the relay."""
    pause = Pause()
    with closing(Sender(pause, holds, threading.Event())) as sender:
        for each in claimed(*account_ids, now=now):
            sender.deliver(each)
    return pause
