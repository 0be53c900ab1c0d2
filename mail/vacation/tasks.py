"""The Celery task that forgets whom vacation responses were sent to."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.schedules import crontab

from mail.vacation.senders import sweep_senders

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "forget-vacation-senders": {
        "task": "mail.forget_vacation_senders",
        "schedule": crontab(hour="4", minute="23"),
    },
}
"""Entries for `CELERY_BEAT_SCHEDULE`."""


@shared_task(name="mail.forget_vacation_senders", ignore_result=True)  # type: ignore[untyped-decorator]  # no stubs
def forget_vacation_senders() -> int:
    """Forget those who may be answered again anyway; how many."""
    return sweep_senders()
