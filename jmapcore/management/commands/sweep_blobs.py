"""`manage.py sweep_blobs`: what beat does every few minutes, at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from jmapcore.blobs.sweep import sweep


class Command(BaseCommand):
    """Delete unreferenced blobs whose time has come, and what interrupted uploads left behind."""

    help = "Deletes unreferenced blobs whose time has come, and what interrupted uploads left behind."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep, and print what was done."""
        outcome = sweep()
        self.stdout.write(
            f"{outcome['deleted']} deleted, {outcome['used']} in use, {outcome['postponed']} not due yet,"
            f" {outcome['failed']} accounts could not be swept."
        )
