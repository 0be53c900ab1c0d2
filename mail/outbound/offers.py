"""The extensions whose parameters an envelope may have: those of the relay, as it last told, or all where there is none."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.conf import settings
from psycopg_pool import PoolTimeout

from jmapcore.store import database
from jmapcore.store.database import execute
from mail.fragments import json_text
from mail.outbound.relay_address import Relay

logger = logging.getLogger("mail.outbound")

REMEMBERED = "SELECT extensions FROM relay_offer WHERE relay = %s"
REMEMBER = """
    INSERT INTO relay_offer (relay, extensions, learned_at) VALUES (%s, %s::jsonb, %s)
    ON CONFLICT (relay) DO UPDATE SET extensions = excluded.extensions, learned_at = excluded.learned_at
    WHERE relay_offer.extensions <> excluded.extensions"""

REFRESH_SECONDS = 30
"""How long a process believes what it read."""

OURS = frozenset({"FUTURERELEASE"})
"""What this service does by itself, whatever the relay."""

_lock = threading.Lock()
_read: dict[str, tuple[float, dict[str, str] | None, object]] = {}
"""By relay: when it was read, what it offers (None where no connection was made yet), and the same to compare sessions by."""


def submission_extensions() -> Mapping[str, list[str]]:
    """`submissionExtensions` of the session (RFC 8621 §1.3.2).

    What the setting names, if the relay offers it. Until the relay was reached for the first time, all that the setting names.
    """
    allowed: Mapping[str, list[str]] = settings.MAIL_SUBMISSION_EXTENSIONS
    relay: Relay | None = settings.MAIL_RELAY
    offered = None if relay is None else _remembered(relay.name)
    if offered is None:
        return allowed
    return {
        name: _smaller_size(arguments, offered) if name == "SIZE" else arguments
        for name, arguments in allowed.items()
        if name in OURS or name.lower() in offered
    }


def _smaller_size(arguments: list[str], offered: Mapping[str, str]) -> list[str]:
    limit = offered["size"]
    if not limit.isdigit() or not int(limit):  # 0: no limit of its own (RFC 1870 §3)
        return arguments
    return [str(min(int(limit), *map(int, arguments)))]


def revision() -> object:
    """What the session's value hangs on: asked for with every request."""
    relay: Relay | None = settings.MAIL_RELAY
    if relay is None:
        return None
    _remembered(relay.name)
    return _read[relay.name][2]


def _remembered(relay: str) -> dict[str, str] | None:
    known = _read.get(relay)
    if known is not None and time.monotonic() - known[0] < REFRESH_SECONDS:
        return known[1]
    # One thread reads; others go on with what was known.
    if not _lock.acquire(blocking=known is None):
        assert known is not None
        return known[1]
    try:
        known = _read.get(relay)
        if known is not None and time.monotonic() - known[0] < REFRESH_SECONDS:
            return known[1]
        found = known[1] if known is not None else None
        try:
            with database.unconfirmed_connection() as connection:
                row = connection.execute(REMEMBERED, (relay,)).fetchone()
            found = row[0] if row is not None else None
        except (psycopg.Error, PoolTimeout) as error:
            logger.warning("what the relay offers is not known now: %s", type(error).__name__)
        _keep(relay, found)
        return found
    finally:
        _lock.release()


def _keep(relay: str, extensions: dict[str, str] | None) -> None:
    comparable = None if extensions is None else tuple(sorted(extensions.items()))
    _read[relay] = time.monotonic(), extensions, (relay, comparable)


def learn(relay: str, features: Mapping[str, Any]) -> None:
    """Remember what a relay answered to EHLO, for every process."""
    extensions = {str(name).lower(): str(arguments).strip() for name, arguments in features.items()}
    known = _read.get(relay)
    if known is not None and known[1] == extensions and time.monotonic() - known[0] < REFRESH_SECONDS:
        return
    with database.connection() as connection:
        execute(connection, REMEMBER, (relay, json_text(extensions), datetime.now(UTC)))
    _keep(relay, extensions)


def forget() -> None:
    """Read again what the relays offer, at the next question."""
    _read.clear()
