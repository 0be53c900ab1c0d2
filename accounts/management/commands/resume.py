"""`manage.py resume`: let a suspended user or tenant in again."""

from __future__ import annotations

from accounts.management.suspension_command import SuspensionCommand


class Command(SuspensionCommand):
    """Resume."""

    help = "Let a suspended user, or everybody of a suspended tenant, in again."
    is_suspended = False
