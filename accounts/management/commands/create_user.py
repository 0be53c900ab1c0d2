"""`manage.py create_user`: a new user with an account."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import create_user


class Command(ProvisioningCommand):
    """Create a user, and the personal account of the user."""

    help = (
        "Create a user and the user's account. The domain of the address must belong to a tenant. Without "
        "--password one is made up and printed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS, --name and --password."""
        parser.add_argument(
            "address", metavar="ADDRESS", help="the login address, for example ann@example.org"
        )
        parser.add_argument("--name", metavar="N", default="", help="the user's full name")
        parser.add_argument(
            "--password", metavar="P", help="the account password (other users of this machine may see it)"
        )

    def provision(self, **options: Any) -> None:
        """Create the user; print the password where nobody knows it yet."""
        password = options["password"]
        if password is None:
            password = secrets.token_urlsafe(15)
        user = create_user(options["address"], name=options["name"], password=password)
        self.note(f"Created the user {user.address}.")
        if options["password"] is None:
            self.note("The password, which is shown this once:")
            self.stdout.write(password)
