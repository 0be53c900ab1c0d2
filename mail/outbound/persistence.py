"""Doing what must not be left undone: again and again, as long as the database is away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from jmapcore.store import database
from jmapcore.store.database import Connection

logger = logging.getLogger("mail.outbound")

T = TypeVar("T")

AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
"""What says that the database cannot be used now, or that a lock was waited for too long."""

FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 1.0


class StoppedError(Exception):
    """The process ends before the database came back."""


def persist(action: Callable[[Connection], T], stopping: threading.Event) -> T:
    """Do something with a connection, until it is done.

    `action` is one transaction: it may be run again after it was committed and its answer lost. Raises `StoppedError`, and what
    `action` raises if that is no trouble with the database.
    """
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            with database.connection() as connection:
                return action(connection)
        except AWAY as error:
            logger.warning("the database is waited for: %s", type(error).__name__)
        if stopping.wait(wait):
            raise StoppedError
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)
