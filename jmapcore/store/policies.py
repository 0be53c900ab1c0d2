"""The SQL of row-level security, for migrations: which account may be read, and which one is being written."""

from __future__ import annotations

_READ = "account_id = current_setting('jmap.account')::bigint"
_WRITE = "account_id = current_setting('jmap.writing')::bigint"


def protect(table: str, *, read: str = _READ) -> str:
    """SQL that puts a table of an account under row-level security; unset settings make every query fail loudly.

    `read` replaces the policy of SELECT where an index needs it (database.md: `@@` is not leakproof).
    """
    return f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY account_read ON {table} FOR SELECT USING ({read});
        CREATE POLICY account_insert ON {table} FOR INSERT WITH CHECK ({_WRITE});
        CREATE POLICY account_update ON {table} FOR UPDATE USING ({_WRITE});
        CREATE POLICY account_delete ON {table} FOR DELETE USING ({_WRITE});
    """


def unprotect(table: str) -> str:
    """SQL that undoes `protect`."""
    return (
        "".join(f"DROP POLICY account_{name} ON {table};" for name in ("read", "insert", "update", "delete"))
        + f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;"
    )
