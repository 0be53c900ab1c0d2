"""`manage.py delete_user`: a user, the account, and the mail in it, gone for good."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import ProvisioningError, delete_user, find_user


class Command(ProvisioningCommand):
    """Delete a user and everything of the user's."""

    help = "Delete a user with the account, all mail in it, aliases and credentials. There is no way back."

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS and --yes."""
        parser.add_argument("address", metavar="ADDRESS", help="the user's login address")
        parser.add_argument("--yes", action="store_true", help="really do it")

    def provision(self, **options: Any) -> None:
        """Delete it."""
        user = find_user(options["address"])
        if not options["yes"]:
            raise ProvisioningError(f"This deletes all mail of {user.address}. Say --yes to do it.")
        delete_user(user)
        self.note(f"{user.address} is deleted.")
