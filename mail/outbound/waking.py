"""Waking the courier as a submission is committed. A wake that is lost costs half a second: couriers look by themselves."""

from __future__ import annotations

import logging
import time

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger("mail.outbound")

TASK = "mail.send_due"
APART_SECONDS = 0.02
EXPIRES_SECONDS = 10

_last = 0.0


def wake() -> None:
    """Have one of the workers look at the queue; several calls at once are one. Waits for nothing."""
    global _last
    now = time.monotonic()
    if now - _last < APART_SECONDS:
        return
    _last = now
    try:
        current_app.send_task(TASK, retry=False, ignore_result=True, expires=EXPIRES_SECONDS)
    except (OperationalError, OSError) as error:
        logger.warning("nobody was woken: %s", type(error).__name__)
