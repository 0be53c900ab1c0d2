"""A first look at where new subscriptions lead. What counts is the look at each push (`jmapcore.fetching`); this one tells the
client at once, and keeps the service from asking names for longer than a few seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from jmapcore.fetching import FetchError, checked_url, fetcher
from jmapcore.store.database import Connection, run
from push.subscriptions.changing import CREATED_LATELY, MOST_IN_AN_HOUR, NOTE_CREATIONS

SECONDS = 3.0
"""How long all names of a call may take together."""

SLOW_SECONDS = 1.0


def refuse_unreachable(connection: Connection, user_id: int, urls: Mapping[str, Any]) -> set[str]:
    """The keys of those URLs whose host has an address that is not public.

    A name that is not known, or not in time, may be so tomorrow: it is let through, and the pushes fail. Each name that is
    refused, or slow to be looked up, counts as a subscription that was made: nobody has the network searched through here, or
    holds the service up.
    """
    if not urls:
        return set()
    [result] = run(connection, (CREATED_LATELY, (user_id,)))
    [[lately]] = result.fetchall()
    deadline = time.monotonic() + SECONDS
    refused, counted = set(), 0
    for key, url in list(urls.items())[: max(0, MOST_IN_AN_HOUR - lately)]:
        try:
            parts = checked_url(url) if type(url) is str else None
        except FetchError:
            continue  # said with whatever else is wrong
        if parts is None:
            continue
        started = time.monotonic()
        try:
            fetcher().addresses(parts.hostname or "", parts.port or 443, deadline - time.monotonic())
        except FetchError as error:
            if error.is_forbidden:
                refused.add(key)
        if key in refused or time.monotonic() - started > SLOW_SECONDS:
            counted += 1
    if counted:
        run(connection, (NOTE_CREATIONS, (user_id, counted)))
    return refused
