"""The Celery task of the index of words, and when beat starts them."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from jmapcore.store import database
from mail.reindex import index_due

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "index-due": {"task": "mail.index_due", "schedule": 60.0, "options": {"expires": 60}},
}
"""Entries for `CELERY_BEAT_SCHEDULE`."""


@shared_task(name="mail.index_due", ignore_result=True)  # type: ignore[untyped-decorator]  # no stubs
def index_accounts_due() -> int:
    """Let the index of words follow the languages of accounts that got other ones; how many accounts."""
    with database.connection() as connection:
        return index_due(connection)
