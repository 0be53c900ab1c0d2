"""`manage.py refresh_quotas`: what beat does every half minute, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from jmapcore import quotas
from jmapcore.store.database import connection


class Command(BaseCommand):
    """Sum up what domains and tenants hold, and enforce their limits."""

    help = (
        "Sum up what domains and tenants hold, enforce their limits, and pass changed limits on to accounts."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say what was done."""
        with connection() as lent:
            done = quotas.refresh(lent)
        if not done.summed:
            self.stdout.write("Another is at it.")
            return
        self.stdout.write(
            f"Accounts with other limits than before: {done.limits:,}. Administrators who see something new: {done.shown:,}."
        )
