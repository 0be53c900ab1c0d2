"""`manage.py create_app_password`: a password for one program."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.credentials import create_app_password
from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_user


class Command(ProvisioningCommand):
    """Make an app password and print it."""

    help = "Make an app password for one mail program of a user, and print it. It is not shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS and --label."""
        parser.add_argument("address", metavar="ADDRESS", help="the user's login address")
        parser.add_argument("--label", metavar="L", required=True, help="what it is for, for example 'phone'")

    def provision(self, **options: Any) -> None:
        """Make it; the secret alone goes to standard output."""
        user = find_user(options["address"])
        password, secret = create_app_password(user, options["label"])
        self.note(f"The app password “{password.label}” of {user.address}, which is shown this once:")
        self.stdout.write(secret)
