"""Celery tasks of mail, and when beat starts them: gathered here, where Celery looks for them."""

from __future__ import annotations

from typing import Any

from mail import reindex_tasks as reindexing
from mail.delivery import tasks as delivery
from mail.outbound import tasks as outbound
from mail.vacation import tasks as vacation

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    **delivery.BEAT_SCHEDULE,
    **outbound.BEAT_SCHEDULE,
    **reindexing.BEAT_SCHEDULE,
    **vacation.BEAT_SCHEDULE,
}
"""Entries for `CELERY_BEAT_SCHEDULE`."""
