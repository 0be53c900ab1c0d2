"""`manage.py remove_alias`: an address that is no more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_alias, remove_alias


class Command(ProvisioningCommand):
    """Remove an alias."""

    help = "Let an alias deliver no more, and free its address."

    def add_arguments(self, parser: CommandParser) -> None:
        """ALIAS."""
        parser.add_argument("alias", metavar="ALIAS", help="the address to remove")

    def provision(self, **options: Any) -> None:
        """Remove it."""
        alias = find_alias(options["alias"])
        remove_alias(alias)
        self.note(f"{alias.address} is no alias any more.")
