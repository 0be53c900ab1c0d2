"""What the processes tell one another through Redis: which states of which account have moved, and what to look at again.

Nothing hangs on an announcement: the process `push` compares the states of its accounts with PostgreSQL as well (docs/adr/0301).
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from django.conf import settings

COMPARE = b'["compare"]'
"""Announcements may have been lost: compare the states of all connected accounts with the database."""
RIGHTS = b'["rights"]'
"""Somebody's rights have changed: look at all connected credentials again."""


@dataclass(frozen=True, slots=True)
class StateMoved:
    """Types of one account that have changed, with the modification sequence numbers that they now have."""

    account_id: int
    modseqs: dict[str, int]


def channel() -> str:
    """The Redis channel of this installation. Channels cross the databases of a Redis server, so it names our own database."""
    return f"jmapsite:{settings.DATABASES['default']['NAME']}:states"


def encode(moved: StateMoved) -> bytes:
    """An announcement as it goes through Redis."""
    return orjson.dumps([moved.account_id, moved.modseqs])


def decode(payload: bytes) -> StateMoved | None:
    """The states in an announcement; None for what is none. Raises nothing: who can write to Redis may write anything there."""
    try:
        match orjson.loads(payload):
            case [int(account_id), dict(modseqs)] if all(type(each) is int for each in modseqs.values()):
                return StateMoved(account_id, modseqs)
    except orjson.JSONDecodeError:
        pass
    return None
