"""Making good what was lost, and taking away what is over: expired subscriptions, those of ended credentials, retired keys."""

from __future__ import annotations

from collections import Counter

from accounts.lasting import LASTS
from jmapcore.store.database import connection, run
from push.subscriptions.vapid_keys import GRACE_DAYS

MOST_BEHIND = 5_000
"""In one sweep; the others wait for the next one."""

DELETE_EXPIRED = """
    DELETE FROM push_subscription
    WHERE expires_at <= now() OR (NOT is_verified AND created_at < now() - interval '2 days')"""
"""The code of one that nobody has verified by then is no longer kept by any push service."""
DELETE_ENDED = f"DELETE FROM push_subscription AS s WHERE NOT coalesce({LASTS.format(owner='s.owner', user='s.user_id')}, false)"  # noqa: S608  # constants alone
DELETE_OF_RETIRED_KEYS = """
    DELETE FROM push_subscription WHERE vapid_key_id IN (
        SELECT id FROM push_vapid_key WHERE retired_at < now() - make_interval(days => %s::int))"""
DELETE_RETIRED_KEYS = """
    DELETE FROM push_vapid_key WHERE retired_at < now() - make_interval(days => %s::int)"""
DELETE_CREATIONS = "DELETE FROM push_creation WHERE created_at < now() - interval '1 hour'"
CALL_BEHIND = """
    UPDATE push_subscription AS s SET notices = s.notices + 1, due_at = greatest(now(), s.not_before)
    WHERE s.due_at IS NULL AND s.id IN (SELECT push_subscriptions_behind(%s::int))"""


def sweep() -> Counter[str]:
    """How many were `expired`, `ended` with their credential, `retired` with their key, and found `behind`, which are due now."""
    with connection() as lent:
        results = run(
            lent,
            ("BEGIN", ()),
            (DELETE_EXPIRED, ()),
            (DELETE_ENDED, ()),
            (DELETE_OF_RETIRED_KEYS, (GRACE_DAYS,)),
            (DELETE_RETIRED_KEYS, (GRACE_DAYS,)),
            (DELETE_CREATIONS, ()),
            (CALL_BEHIND, (MOST_BEHIND,)),
            ("COMMIT", ()),
        )
    _, expired, ended, of_retired, _, _, behind, _ = (result.rowcount for result in results)
    return Counter(expired=expired, ended=ended, retired=of_retired, behind=behind)
