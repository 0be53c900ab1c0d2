"""To how many recipients may be sent in an hour: by a user, and by everybody of a tenant.

What was submitted is counted by user and minute, in the write that submits it. A user's counts are exact because submissions of
one user wait for each other. Those of a tenant are exact, and nobody waits: as long as all writes that could be under way at
once, one for each connection that the database has, cannot pass the limit together, they go side by side under a shared lock.
Only near the limit, or for very many recipients, one goes after the other. A minute counts until an hour after its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings

from jmapcore.store.database import Connection, execute
from jmapcore.store.write import AccountWrite

FEW = 10
"""Recipients up to which a write may go beside others."""
WINDOW = timedelta(hours=1, minutes=1)
"""For how long the beginning of a minute is looked back to."""
KEPT = timedelta(hours=3)

_USER_LOCK, _TENANT_LOCK = 6_822_001, 6_822_002

LOCK = "SELECT pg_advisory_xact_lock(%s::int, %s::int)"
SHARE = "SELECT pg_advisory_xact_lock_shared(%s::int, %s::int)"
TENANT = "SELECT tenant_id, current_setting('max_connections')::int FROM accounts_account WHERE id = %s"
BY_USER = """
    SELECT coalesce(sum(s.recipients), 0)::bigint FROM sent_recipients AS s
    WHERE s.tenant_id = (SELECT tenant_id FROM accounts_account WHERE id = %s) AND s.user_id = %s
        AND s.minute > now() - %s::interval"""
BY_TENANT = """
    SELECT coalesce(sum(s.recipients), 0)::bigint FROM sent_recipients AS s
    WHERE s.tenant_id = (SELECT tenant_id FROM accounts_account WHERE id = %s) AND s.minute > now() - %s::interval"""
COUNT = """
    INSERT INTO sent_recipients (tenant_id, user_id, minute, recipients)
    VALUES (%s, %s, date_trunc('minute', clock_timestamp()), %s)
    ON CONFLICT (tenant_id, user_id, minute) DO UPDATE SET recipients = sent_recipients.recipients + excluded.recipients"""
FORGET = "DELETE FROM sent_recipients WHERE minute < now() - %s::interval"


def allow(write: AccountWrite, user_id: int, counts: Sequence[int]) -> list[bool]:
    """Which of these submissions of a user, to so many recipients each, may still be made; they are counted with the write.

    Those that fit are taken in order; one that does not fit leaves its room to the next.
    """
    if not counts:
        return []
    account_id = write.account_id
    by_tenant = (BY_TENANT, (account_id, WINDOW))
    _, [[tenant_id, connections]], [[of_user]], [[of_tenant]] = write.run(
        (LOCK, (_USER_LOCK, _key(user_id))),
        (TENANT, (account_id,)),
        (BY_USER, (account_id, user_id, WINDOW)),
        by_tenant,
    )
    limit: int = settings.MAIL_RECIPIENTS_PER_HOUR_OF_TENANT
    room: int = settings.MAIL_RECIPIENTS_PER_HOUR - of_user
    taken = _fitting(counts, room)
    if not any(taken):
        return taken
    wanted = _total(counts, taken)
    at_once = FEW * connections
    if wanted <= FEW and of_tenant + 2 * at_once <= limit:
        _, [[of_tenant]] = write.run((SHARE, (_TENANT_LOCK, _key(tenant_id))), by_tenant)
        # Others under the shared lock may be counting as many; it was twice as far from the limit a moment ago.
        room = min(room, limit - of_tenant - at_once + FEW, FEW)
    else:
        _, [[of_tenant]] = write.run((LOCK, (_TENANT_LOCK, _key(tenant_id))), by_tenant)
        room = min(room, limit - of_tenant)
    taken = _fitting(counts, room)
    if any(taken):
        write.defer((COUNT, (tenant_id, user_id, _total(counts, taken))))
    return taken


def _fitting(counts: Sequence[int], room: int) -> list[bool]:
    fitting = []
    for count in counts:
        fits = count <= room
        room -= count if fits else 0
        fitting.append(fits)
    return fitting


def _total(counts: Sequence[int], taken: Sequence[bool]) -> int:
    return sum(count for count, fits in zip(counts, taken, strict=True) if fits)


def _key(number: int) -> int:
    """A number as advisory locks take it; two that share one wait for each other, and no more."""
    return number % 2**31


def forget(connection: Connection) -> int:
    """Delete counts that matter no more; how many rows that were."""
    return execute(connection, FORGET, (KEPT,)).rowcount
