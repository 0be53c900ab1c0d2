"""Celery tasks of the engine, and when beat starts them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings

from jmapcore import quotas
from jmapcore.blobs import sweep
from jmapcore.store import database

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-blobs": {"task": "jmapcore.sweep_blobs", "schedule": crontab(minute="*/5")},
    # At most a minute passes until a tenant that is past its limit may add nothing more.
    "refresh-quotas": {"task": "jmapcore.refresh_quotas", "schedule": 30.0, "options": {"expires": 30}},
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


@shared_task(name="jmapcore.refresh_quotas", ignore_result=True)  # type: ignore[untyped-decorator]  # as above
def refresh_quotas() -> dict[str, int]:
    """Sum up what domains and tenants hold, and enforce their limits; how many accounts were touched."""
    with database.connection() as connection:
        return asdict(quotas.refresh(connection))
