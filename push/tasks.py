"""Celery tasks of push, and when beat starts them."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from jmapcore.store.database import connection
from push import tickets
from push.subscriptions import store
from push.subscriptions.delivery import deliver_due
from push.subscriptions.notices import DELIVER, send_worker
from push.subscriptions.sweeping import sweep

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Tasks that nobody took in time are not done twice.
    "deliver-pushes": {"task": DELIVER, "schedule": 10.0, "options": {"expires": 10}},
    "sweep-pushes": {"task": "push.sweep", "schedule": 30.0, "options": {"expires": 30}},
    "sweep-tickets": {"task": "push.sweep_tickets", "schedule": 600.0, "options": {"expires": 600}},
}
"""Entries for `CELERY_BEAT_SCHEDULE`."""

SOON_SECONDS = 9.0
"""What is due before the clock starts the next task gets one of its own."""


@shared_task(name=DELIVER, ignore_result=True)  # type: ignore[untyped-decorator]  # no stubs
def deliver() -> dict[str, int]:
    """Push to all subscriptions that are due; how many of each outcome."""
    counted = deliver_due()
    with connection() as lent:
        wait = store.next_due(lent)
    if counted and wait is not None and wait.total_seconds() < SOON_SECONDS:
        send_worker(max(0.1, wait.total_seconds()))
    return dict(counted)


@shared_task(name="push.sweep", ignore_result=True)  # type: ignore[untyped-decorator]  # as above
def sweep_subscriptions() -> dict[str, int]:
    """Take away what is over and find who was not told; how many of each."""
    counted = sweep()
    if counted["behind"]:
        send_worker()
    return dict(counted)


@shared_task(name="push.sweep_tickets", ignore_result=True)  # type: ignore[untyped-decorator]  # as above
def sweep_tickets() -> int:
    """Delete the tickets for browsers that are over; how many."""
    with connection() as lent:
        return tickets.sweep(lent)
