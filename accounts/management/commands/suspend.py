"""`manage.py suspend`: refuse a user or a tenant for a while."""

from __future__ import annotations

from accounts.management.suspension_command import SuspensionCommand


class Command(SuspensionCommand):
    """Suspend."""

    help = "Refuse a user, or everybody of a tenant, from the next request on. Mail for them is refused."
    is_suspended = True
