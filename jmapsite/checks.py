"""System checks of the service as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections

BYPASSES = """
SELECT session_user::text, r.rolsuper, r.rolbypassrls,
       (SELECT count(*) FROM pg_class c
         WHERE c.relrowsecurity AND NOT c.relforcerowsecurity
           AND pg_has_role(session_user, c.relowner, 'MEMBER')),
       (SELECT count(*) FROM pg_roles m
         WHERE (m.rolsuper OR m.rolbypassrls) AND m.rolname <> session_user
           AND pg_has_role(session_user, m.oid, 'MEMBER'))
  FROM pg_roles r WHERE r.rolname = session_user
"""


@register(Tags.database)
def restricted_role(
    app_configs: Sequence[Any] | None = None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """The role that serves requests must be under row-level security: no superuser, no BYPASSRLS, no owner of
    tables.

    Asked of the session's role, since a role taken by SET ROLE can be given back. One Error for each way
    around it.
    """
    del app_configs
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(BYPASSES)
        role, is_superuser, bypasses, owned_tables, powerful_roles = cursor.fetchone()
    ways = {
        "is a superuser": is_superuser,
        "has BYPASSRLS": bypasses,
        "owns tables of tenants, whose policies do not hold for their owner": owned_tables,
        "is a member of a role that is not under row-level security": powerful_roles,
    }
    return [
        Error(
            f"The role {role} of DATABASE_URL {way}: row-level security would not keep tenants apart.",
            hint="Connect as a restricted role and keep the owner of the tables for MIGRATE_DATABASE_URL "
            "(docs/operating.md).",
            id="jmapsite.E001",
        )
        for way, holds in ways.items()
        if holds
    ]
