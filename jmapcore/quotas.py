"""Limits of accounts as their writes see them, and the sums of domains and tenants (docs/adr/0208).

What an account may hold is kept in its state row, a copy of what `accounts.quotas` set: a write reads it with its lock. The sums
of many accounts are made by a task: they hold no row that two accounts write, and are enforced a little later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from psycopg.errors import LockNotAvailable

from accounts.quotas import AccountUsage, Limits
from jmapcore.store.database import Connection, Row, Statement, django_connection, read, run
from jmapcore.store.usage import OBJECTS, OCTETS, QUOTA
from jmapcore.store.write import AccountWrite, UnknownAccountError, account_write

if TYPE_CHECKING:
    from accounts.models import Account, User

logger = logging.getLogger("jmapcore.quotas")

COLUMNS = "octets_limit, octets_soft, octets_warn, objects_limit, objects_soft, objects_warn"
LIMITS = f"SELECT {COLUMNS} FROM account_limits(%s::bigint, %s::bigint, %s::int) WHERE account_id = %s"  # noqa: S608  # ours
STORED_LIMITS = f"SELECT {COLUMNS} FROM account_state WHERE account_id = %s"  # noqa: S608  # ours
SAVE_LIMITS = f"""
    UPDATE account_state SET ({COLUMNS}) = (%s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint)
    WHERE account_id = %s"""  # noqa: S608  # ours
SUM = "SELECT sum_usage()"
OTHER_LIMITS = "SELECT * FROM accounts_with_other_limits(%s::bigint, %s::bigint, %s::int) LIMIT %s"
MOST_AT_ONCE = 20_000
"""Accounts that one refresh passes limits on to, each in a write of its own: some tens of seconds."""
USAGE = "SELECT * FROM usage_of_accounts(%s::bigint[])"

# An account is held by whatever it counts into: its domain, its tenant, everything. Only what differs is written.
HOLD = """
    WITH past AS MATERIALIZED (
        SELECT scope, domain_id, tenant_id, max(CASE WHEN used >= hard THEN 2 ELSE 1 END)::smallint AS level
        FROM quota_sums(%s::bigint[], %s::int) WHERE used >= least(hard, soft) GROUP BY 1, 2, 3
    ), due AS MATERIALIZED (
        SELECT e.account_id, max(e.level) AS level FROM (
            SELECT a.id, p.level FROM past p JOIN accounts_user u ON u.domain_id = p.domain_id
            JOIN accounts_account a ON a.owner_id = u.id WHERE p.scope = 'domain'
            UNION ALL
            SELECT a.id, p.level FROM past p JOIN accounts_account a ON a.tenant_id = p.tenant_id WHERE p.scope = 'tenant'
            UNION ALL
            SELECT a.id, p.level FROM past p, accounts_account a WHERE p.scope = 'server'
        ) AS e (account_id, level) GROUP BY 1
    ), gone AS (
        DELETE FROM account_held h WHERE NOT EXISTS (SELECT FROM due d WHERE d.account_id = h.account_id)
    )
    INSERT INTO account_held (account_id, level) SELECT account_id, level FROM due ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE SET level = excluded.level WHERE account_held.level <> excluded.level"""

WITH_SHARED = "SELECT * FROM accounts_with_shared_quotas()"
SHARED_DUE = """
    SELECT a.id, s.scope, coalesce(s.domain_id, s.tenant_id, 0), s.resource, s.name, s.used, s.hard, s.soft, s.warn
    FROM accounts_user u JOIN accounts_account a ON a.owner_id = u.id
    JOIN quota_sums(%s::bigint[], %s::int) s ON CASE s.scope
        WHEN 'domain' THEN CASE u.administers WHEN 'domain' THEN s.domain_id = u.domain_id ELSE s.tenant_id = u.tenant_id END
        WHEN 'tenant' THEN u.administers <> 'domain' AND s.tenant_id = u.tenant_id
        ELSE u.administers = 'server' END
    WHERE u.administers <> '' AND (%s::bigint IS NULL OR a.id = %s::bigint)
    ORDER BY a.id, s.scope, 3, s.resource"""
SHARED = """
    SELECT scope, subject, resource, id, name, used, hard, soft, warn FROM shared_quota WHERE account_id = %s"""
ADD_SHARED = """
    INSERT INTO shared_quota (account_id, id, scope, subject, resource, name, used, hard, soft, warn)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
SAVE_SHARED = """
    UPDATE shared_quota SET name = %s, used = %s, hard = %s, soft = %s, warn = %s WHERE account_id = %s AND id = %s"""
DROP_SHARED = "DELETE FROM shared_quota WHERE account_id = %s AND id = %s"

_USED = 1
"""Where the usage stands in the values of a shared quota: name, used, hard, soft, warn."""
Shared = dict[tuple[str, int, str], Row]
"""Shared quotas by scope, subject and resource."""


@dataclass(slots=True)
class Refreshed:
    """What a refresh did."""

    summed: bool
    """False: another was at it."""
    limits: int = 0
    """Accounts that got other limits."""
    shown: int = 0
    """Accounts of administrators that show something else."""


def account_defaults() -> tuple[int | None, int | None, int]:
    """The default hard limits of an account, and from which percentage on to warn."""
    defaults: Mapping[str, int | None] = settings.QUOTA_DEFAULTS["account"]
    return defaults["octets"], defaults["count"], settings.QUOTA_WARN_PERCENT


def sum_defaults() -> tuple[list[int | None], int]:
    """The default hard limits of domains, of tenants and of everything, and from which percentage on to warn."""
    found = [
        settings.QUOTA_DEFAULTS[kind][resource]
        for kind in ("domain", "tenant", "server")
        for resource in ("octets", "count")
    ]
    return found, settings.QUOTA_WARN_PERCENT


def limits_statement(account_id: int) -> Statement:
    """The statement that reads the limits that hold for an account."""
    return LIMITS, (*account_defaults(), account_id)


def settle_limits(account_id: int, connection: Connection) -> bool:
    """Let the account's writes see the limits that hold now; whether they were others. Clients learn of it.

    Raises `UnknownAccountError`.
    """
    prelude: list[Statement] = [limits_statement(account_id), (STORED_LIMITS, (account_id,))]
    with account_write(account_id, connection, prelude) as write:
        (due, *_), (stored,) = write.prelude[0] or [(None,) * 6], write.prelude[1]
        if due == stored:
            return False
        write.defer((SAVE_LIMITS, (*due, account_id)))
        usage = write.usage
        usage.octets_limit, usage.octets_soft, _, usage.objects_limit, usage.objects_soft, _ = due
        for quota, before, after in ((OCTETS, stored[:3], due[:3]), (OBJECTS, stored[3:], due[3:])):
            _record(write, quota, before, after)
    return True


def _record(write: AccountWrite, quota: int, before: Sequence[Any], after: Sequence[Any]) -> None:
    """Without a hard limit there is no Quota."""
    if before == after:
        return
    if before[0] is None:
        write.created(QUOTA, quota)
    elif after[0] is None:
        write.destroyed(QUOTA, quota)
    else:
        write.updated(QUOTA, quota)


def refresh(connection: Connection) -> Refreshed:
    """Sum up, hold and release accounts, pass limits on to them, and show administrators what there is.

    Safe to run at any time and several times at once; whatever was lost or is wrong is set right by it.
    """
    with connection.transaction():
        # All accounts of a large site may take longer than a request may.
        run(connection, ("SELECT set_config('statement_timeout', '0', true)", ()))
        if not run(connection, (SUM, ()))[0].fetchall()[0][0]:
            return Refreshed(summed=False)
        run(connection, (HOLD, sum_defaults()))
        other = [row[0] for row in run(connection, (OTHER_LIMITS, (*account_defaults(), MOST_AT_ONCE)))[0]]
    refreshed = Refreshed(summed=True)
    due = shared_due(connection)
    known = [row[0] for row in run(connection, (WITH_SHARED, ()))[0]]
    for account_id in sorted({*due, *known}):
        stored = _shared(read(connection, account_id, (SHARED, (account_id,)))[0])
        if _differ(stored, due.get(account_id, {})):
            refreshed.shown += _if_it_can_be(show_shared, account_id, connection)
    for account_id in other:
        refreshed.limits += _if_it_can_be(settle_limits, account_id, connection)
    return refreshed


def _if_it_can_be(
    function: Callable[[int, Connection], bool], account_id: int, connection: Connection
) -> bool:
    """Write one account; one that was deleted meanwhile, or that another holds for too long, is left to the next run."""
    try:
        return function(account_id, connection)
    except (UnknownAccountError, LockNotAvailable) as error:
        logger.info("account %d has to wait: %s", account_id, type(error).__name__)
        return False


def shared_due(connection: Connection, account_id: int | None = None) -> dict[int, Shared]:
    """What the accounts of administrators, or that one, should show, by account: name, used, hard, soft, warn."""
    [rows] = run(connection, (SHARED_DUE, (*sum_defaults(), account_id, account_id)))
    found: dict[int, Shared] = {}
    for account, scope, subject, resource, *values in rows:
        found.setdefault(account, {})[scope, subject, resource] = tuple(values)
    return found


def _shared(rows: Collection[Row]) -> Shared:
    """Stored rows: the id, then name, used, hard, soft, warn."""
    return {(row[0], row[1], row[2]): row[3:] for row in rows}


def _differ(stored: Shared, due: Shared) -> bool:
    return {key: values[1:] for key, values in stored.items()} != due


def show_shared(account_id: int, connection: Connection) -> bool:
    """Let an account show what it should of sums beside its own; whether something changed. Raises `UnknownAccountError`."""
    with account_write(account_id, connection, [(SHARED, (account_id,))]) as write:
        stored = _shared(write.prelude[0])
        due = shared_due(connection, account_id).get(account_id, {})
        for key in stored.keys() - due.keys():
            write.defer((DROP_SHARED, (account_id, stored[key][0])))
            write.destroyed(QUOTA, stored[key][0])
        for key, values in due.items():
            if key not in stored:
                number = _new_id(write)
                write.defer((ADD_SHARED, (account_id, number, *key, *values)))
                write.created(QUOTA, number)
                continue
            number, *before = stored[key]
            if before != list(values):
                write.defer((SAVE_SHARED, (*values, account_id, number)))
                others = [*before[:_USED], *before[_USED + 1 :]] != [*values[:_USED], *values[_USED + 1 :]]
                write.updated(QUOTA, number, volatile=not others)
    return _differ(stored, due)


def _new_id(write: AccountWrite) -> int:
    """An id that is none of the account's own Quotas'."""
    return next(number for number in iter(lambda: write.new_ids()[0], 0) if number > OBJECTS)


def account_limits_changed(account: Account) -> None:
    """Hook of `accounts.lifecycle`, in the caller's transaction."""
    settle_limits(account.pk, django_connection())


def administrator_changed(user: User) -> None:
    """Hook of `accounts.lifecycle`, in the caller's transaction."""
    show_shared(user.account.pk, django_connection())


def usage_of(account_ids: Sequence[int]) -> dict[int, AccountUsage]:
    """What accounts hold, for the administration (`accounts.quotas.usage_readers`)."""
    [rows] = run(django_connection(), (USAGE, (list(account_ids),)))
    return {row[0]: AccountUsage(row[1], row[2], Limits(*row[3:6]), Limits(*row[6:9])) for row in rows}
