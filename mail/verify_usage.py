"""The part of `verify_account` that looks at the usage of the account: its Emails, and their octets."""

from __future__ import annotations

from jmapcore.store.database import Connection, execute
from jmapcore.store.write import AccountWrite

USED = "SELECT used_octets, used_objects FROM account_state WHERE account_id = %s"
HELD = "SELECT coalesce(sum(size), 0)::bigint, count(*) FROM email WHERE account_id = %s"


def usage_differences(account_id: int, connection: Connection) -> list[str]:
    """What is wrong with the usage, a sentence; the caller reads in one snapshot."""
    used, held = _row(connection, account_id, USED), _row(connection, account_id, HELD)
    if used == held:
        return []
    return [f"usage: {used[0]} octets, {used[1]} objects; there are {held[0]} octets, {held[1]} objects"]


def repair_usage(write: AccountWrite) -> None:
    """Count anew, whatever the limits are."""
    write.usage.octets, write.usage.objects = _row(write.connection, write.account_id, HELD)


def _row(connection: Connection, account_id: int, sql: str) -> tuple[int, int]:
    octets, objects = execute(connection, sql, (account_id,)).fetchall()[0]
    return octets, objects
