"""`manage.py rotate_vapid_key`: another key signs what is pushed."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand

from push.subscriptions.vapid_keys import GRACE_DAYS, REFRESH_SECONDS, rotate


class Command(BaseCommand):
    """Make a new VAPID key (RFC 9749 §5)."""

    help = "Gives web push another VAPID key. Clients see it in their session and subscribe anew."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, and say what happens now."""
        made = rotate()
        self.stdout.write(f"New subscriptions are signed for with {made.public_text}.")
        self.stdout.write(
            f"Sessions show it within {REFRESH_SECONDS:.0f} seconds. Subscriptions of the old key are served for"
            f" {GRACE_DAYS} days, then they are destroyed."
        )
