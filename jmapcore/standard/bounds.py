"""How many objects one call may change."""

from __future__ import annotations

from django.conf import settings

from jmapcore.protocol.errors import RequestTooLarge


def check_objects_in_set(count: int) -> None:
    """Raise `RequestTooLarge` above maxObjectsInSet (RFC 8620 §2, §5.3): for /set, /copy, /import and Blob/copy alike."""
    limit = settings.JMAP_LIMITS["maxObjectsInSet"]
    if count > limit:
        raise RequestTooLarge(f"more than {limit} objects")
