"""The Celery side of the queue: each process of a worker has a courier, and the task and the clock wake it.

The rows are the queue, so a task that is lost, repeated or late changes nothing. The courier's threads are no tasks: what they do
takes as long as a relay takes, and no other task waits for it.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown

from mail.outbound import courier
from mail.outbound.waking import TASK

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "send-due": {"task": TASK, "schedule": 5.0, "options": {"expires": 10}},
}
"""Entries for `CELERY_BEAT_SCHEDULE`."""


@shared_task(name=TASK, ignore_result=True)  # type: ignore[untyped-decorator]  # no stubs
def send_due() -> None:
    """Wake the courier of this process; start it where there is none."""
    courier.of_process().wake()


@worker_process_init.connect  # type: ignore[untyped-decorator]  # as above
def begin(**_: Any) -> None:
    """A process of the pool was forked."""
    courier.of_process()


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]  # as above
def end(**_: Any) -> None:
    """A process of the pool ends."""
    courier.stop_of_process()
