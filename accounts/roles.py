"""The privileges of the restricted role that every process but `migrate` connects as."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from psycopg import sql


def restricted_role() -> str:
    """The role that DATABASES["default"] acts as: its `-c role=…` option, else its USER; "" for neither."""
    database: dict[str, Any] = settings.DATABASES["default"]
    option = re.search(r"-c\s*role=(\S+)", database.get("OPTIONS", {}).get("options", ""))
    return option.group(1) if option else str(database.get("USER", ""))


def grant_restricted_role(apps: Any, schema_editor: Any) -> None:
    """Give the restricted role reading and writing of every table in the schema, now and of later migrations.

    For `migrations.RunPython`, run by the owner of the tables. `ALTER DEFAULT PRIVILEGES` covers whatever the
    migrating role creates from now on; a migration that must take something back does so itself. Nothing is
    done where one role does both.
    """
    role = restricted_role()
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema()")
        current, schema = cursor.fetchone()
        if role in {"", current}:
            return
        for statement in (
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema}"
            " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
        ):
            composed = sql.SQL(statement).format(schema=sql.Identifier(schema), role=sql.Identifier(role))
            cursor.execute(composed.as_string(None))
