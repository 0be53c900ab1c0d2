"""The Celery task of deliveries, and when beat starts it."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.schedules import crontab

from jmapcore.store import database

BATCH = 5_000

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "forget-deliveries": {"task": "mail.forget_deliveries", "schedule": crontab(minute="41")},
}
"""Entries for `CELERY_BEAT_SCHEDULE`."""


@shared_task(name="mail.forget_deliveries", ignore_result=True)  # type: ignore[untyped-decorator]  # no stubs
def forget_deliveries() -> int:
    """Forget which messages were delivered more than a day ago; how many were."""
    total = 0
    while True:
        with database.connection() as connection:
            row = connection.execute(
                "SELECT forget_delivered_messages(interval '24 hours', %s::int)", (BATCH,)
            ).fetchone()
        forgotten = int(row[0]) if row else 0
        total += forgotten
        if forgotten < BATCH:
            return total
