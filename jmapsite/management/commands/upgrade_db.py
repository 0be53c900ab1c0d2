"""`manage.py upgrade_db`: the embedded database of an older PostgreSQL, brought to the present version."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from jmapsite.embedded import POSTGRESQL, EmbeddedServerError
from jmapsite.embedded.upgrade import upgrade


class Command(BaseCommand):
    """Upgrade the data directory below VAR_DIR. A server named by DATABASE_URL is not touched."""

    help = "Brings the embedded database of an older PostgreSQL to the present version."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Upgrade. Raises `CommandError` with a sentence where that is not possible."""
        if POSTGRESQL not in settings.EMBEDDED_SERVERS:
            raise CommandError(
                "DATABASE_URL names a server; only the embedded PostgreSQL is upgraded by this."
            )
        try:
            upgrade(settings.VAR_DIR, self.stdout.write)
        except EmbeddedServerError as error:
            raise CommandError(str(error)) from error
