"""`manage.py set_administrator`: who sees the quotas of a domain, a tenant or everything in mail programs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.models.user import Administers
from accounts.provisioning import find_user
from accounts.quotas import set_administers

NOTHING = "nothing"


class Command(ProvisioningCommand):
    """Make a user an administrator, or none."""

    help = (
        "Show a user, in mail programs, the quotas of the own domain, the own tenant, or the whole service."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS and of what."""
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("of", choices=[*(each.value for each in Administers if each), NOTHING])

    def provision(self, **options: Any) -> None:
        """Set it."""
        user = find_user(options["address"])
        set_administers(user, "" if options["of"] == NOTHING else options["of"])
        self.note(f"{user.address} administers {user.get_administers_display()}.")
