"""What is committed calls for pushes: accounts are noted as they change, and looked up in the database a moment later.

A commit adds a number to a set, and no more: one thread of the process asks, for all accounts that have changed within a quarter
of a second, who subscribed to them, and tells a worker if anybody did. Nothing hangs on it: the sweep compares all subscriptions
with the states of their accounts every 30 seconds (docs/adr/0302).
"""

from __future__ import annotations

import logging
import os
import threading
import time

from celery import current_app
from django.conf import settings

from jmapcore.store.database import connection
from push.subscriptions import store

logger = logging.getLogger("push.notices")

DELIVER, SWEEP = "push.deliver", "push.sweep"
"""The tasks, by their names: they import what is here."""

COLLECT_SECONDS = 0.25
"""A burst of changes makes one push."""


class Notices:
    """The accounts that have changed in this process and were not looked up yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: set[int] = set()
        self._is_worker_wanted = False
        self._is_sweep_wanted = False
        self._something = threading.Event()
        self._thread: threading.Thread | None = None

    def changed(self, account_id: int) -> None:
        """An account has changed."""
        with self._lock:
            self._accounts.add(account_id)
        self._go()

    def wake(self) -> None:
        """A subscription is due."""
        self._is_worker_wanted = True
        self._go()

    def rights_changed(self) -> None:
        """A credential may have ended, and its subscriptions with it."""
        self._is_sweep_wanted = True
        self._go()

    def _go(self) -> None:
        if not settings.PUSH_AT_ONCE:
            return
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="push-notices", daemon=True)
                    self._thread.start()
        if not self._something.is_set():
            self._something.set()

    def look_up(self) -> bool:
        """Put those who subscribed to what has changed into the queue; whether a worker is wanted."""
        with self._lock:
            accounts, self._accounts = self._accounts, set()
            is_wanted, self._is_worker_wanted = self._is_worker_wanted, False
        if accounts:
            with connection() as lent:
                is_wanted |= store.call(lent, sorted(accounts)) > 0
        return is_wanted

    def _work(self) -> None:
        while True:
            self._something.wait()
            time.sleep(COLLECT_SECONDS)
            self._something.clear()
            try:
                if self._is_sweep_wanted:
                    self._is_sweep_wanted = False
                    current_app.send_task(SWEEP, retry=False, expires=30)
                if self.look_up():
                    send_worker()
            except Exception as error:  # noqa: BLE001  # the root of a thread: the sweep makes good what is lost here
                logger.warning("subscribers are told later: %s", type(error).__name__)


notices = Notices()


def changed(account_id: int, modseqs: dict[str, int]) -> None:
    """Note that an account has changed (`jmapcore.store.write.after_commit`)."""
    notices.changed(account_id)


def rights_changed() -> None:
    """Have the subscriptions of credentials that ended taken away at once (`accounts.lifecycle.rights_changed`)."""
    notices.rights_changed()


def wake() -> None:
    """Have a worker look for what is due."""
    notices.wake()


def look_up() -> bool:
    """What the thread does, for those who wait for it."""
    return notices.look_up()


def send_worker(seconds: float = 0.0) -> None:
    """Tell a worker that pushes are due, or will be in so many seconds. Raises what Celery raises."""
    current_app.send_task(DELIVER, countdown=seconds or None, retry=False, expires=60)


def _forget() -> None:
    global notices
    notices = Notices()


# A child of a fork has no such thread.
os.register_at_fork(after_in_child=_forget)
