"""Waking the courier as a submission is committed. A wake that is lost costs half a second: couriers look by themselves."""

from __future__ import annotations

import logging
import os
import threading

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger("mail.outbound")

TASK = "mail.send_due"
APART_SECONDS = 0.02
EXPIRES_SECONDS = 10

_wanted = threading.Event()
_lock = threading.Lock()
_waker: threading.Thread | None = None
_pid = 0


def wake() -> None:
    """Have one of the workers look at the queue; several calls at once are one.

    The task is sent by a thread of its own: nobody waits for a broker, and whether it is there matters to nobody.
    """
    global _waker, _pid
    _wanted.set()
    if _waker is not None and _pid == os.getpid() and _waker.is_alive():
        return
    with _lock:
        if _waker is None or _pid != os.getpid() or not _waker.is_alive():
            _waker, _pid = threading.Thread(target=_send_forever, name="waker", daemon=True), os.getpid()
            _waker.start()


def _send_forever() -> None:
    pause = threading.Event()
    while True:
        _wanted.wait()
        _wanted.clear()
        try:
            current_app.send_task(TASK, retry=False, ignore_result=True, expires=EXPIRES_SECONDS)
        except (OperationalError, OSError) as error:
            logger.warning("nobody was woken: %s", type(error).__name__)
        pause.wait(APART_SECONDS)
