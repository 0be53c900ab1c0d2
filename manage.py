#!/usr/bin/env python
"""The entry point of every management command of jmapsite."""

import os
import sys
import warnings

# Commands that touch neither PostgreSQL nor Redis, or see to them by themselves.
WITHOUT_SERVERS = {
    "check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages",
    "makemigrations", "run", "startapp", "startproject", "upgrade_db", "version",
}  # fmt: skip
HELP = {"-h", "--help", "--version"}


def needs_servers(arguments: list[str]) -> bool:
    """Whether this command line has to find PostgreSQL and Redis running."""
    if not arguments or HELP.intersection(arguments):
        return False
    return arguments[0] not in WITHOUT_SERVERS or "--database" in arguments


def main(arguments: list[str]) -> None:
    """Run one management command, with the embedded servers held for as long as it takes."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jmapsite.settings")
    try:
        from django.conf import settings
        from django.core.management import execute_from_command_line
    except ImportError as error:
        sys.exit(f"{error}. Use .venv/bin/python, which `make run` creates.")
    from jmapsite.embedded import EmbeddedServerError, Holder

    servers = settings.EMBEDDED_SERVERS if needs_servers(arguments[1:]) else ()
    if not servers:
        # makemigrations compares with the database only where there is one.
        warnings.filterwarnings(
            "ignore", "Got an error checking a consistent migration history", RuntimeWarning
        )
    try:
        with Holder(settings.VAR_DIR, servers):
            execute_from_command_line(arguments)
    except EmbeddedServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv)
