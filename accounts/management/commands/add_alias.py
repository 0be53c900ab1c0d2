"""`manage.py add_alias`: a further address of an account."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import add_alias, find_account


class Command(ProvisioningCommand):
    """Add an alias."""

    help = "Deliver the mail of a further address to the account of a user of the same tenant."

    def add_arguments(self, parser: CommandParser) -> None:
        """ALIAS and --to."""
        parser.add_argument("alias", metavar="ALIAS", help="the new address, for example sales@example.org")
        parser.add_argument("--to", metavar="USER", required=True, help="the address of the account's owner")

    def provision(self, **options: Any) -> None:
        """Add it."""
        account = find_account(options["to"])
        alias = add_alias(options["alias"], account)
        self.note(f"Mail to {alias.address} goes to {account.name} now.")
