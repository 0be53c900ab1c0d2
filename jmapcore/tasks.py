"""Celery tasks of the engine, and when beat starts them."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings

from jmapcore.blobs import sweep
from jmapcore.store import database

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-blobs": {"task": "jmapcore.sweep_blobs", "schedule": crontab(minute="*/5")},
    "maintain-change-log": {
        "task": "jmapcore.maintain_change_log",
        "schedule": crontab(hour="3", minute="17"),
    },
}
"""Entries for `CELERY_BEAT_SCHEDULE`."""


@shared_task(name="jmapcore.sweep_blobs", ignore_result=True)  # type: ignore[untyped-decorator]  # no stubs
def sweep_blobs() -> dict[str, int]:
    """Delete unreferenced blobs that are due; how many were deleted, found used, postponed, failed."""
    return dict(sweep.sweep())


@shared_task(name="jmapcore.maintain_change_log", ignore_result=True)  # type: ignore[untyped-decorator]  # as above
def maintain_change_log() -> int:
    """Make the coming partitions of the change log and drop those beyond its retention; how many were
    dropped."""
    with database.connection() as connection, connection.transaction():
        # Counting what a month of a large site holds may take longer than a request may.
        connection.execute("SELECT set_config('statement_timeout', '0', true)")
        [dropped] = connection.execute(
            "SELECT maintain_change_log(make_interval(days => %s::int))", (settings.JMAP_CHANGE_LOG_DAYS,)
        ).fetchone() or (0,)
    return int(dropped)
