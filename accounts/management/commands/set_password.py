"""`manage.py set_password`: another account password."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_user, set_password


class Command(ProvisioningCommand):
    """Give a user another account password."""

    help = "Give a user another account password; without --password one is made up and printed."

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS and --password."""
        parser.add_argument("address", metavar="ADDRESS", help="the user's login address")
        parser.add_argument(
            "--password", metavar="P", help="the new password (other users of this machine may see it)"
        )

    def provision(self, **options: Any) -> None:
        """Set it; print it where nobody knows it yet."""
        user = find_user(options["address"])
        password = options["password"]
        if password is None:
            password = secrets.token_urlsafe(15)
        set_password(user, password)
        self.note(f"{user.address} has another password.")
        if options["password"] is None:
            self.note("It is shown this once:")
            self.stdout.write(password)
