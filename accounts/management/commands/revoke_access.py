"""`manage.py revoke_access`: close an account to a user again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_account, find_user, revoke_access


class Command(ProvisioningCommand):
    """Take back what `grant_access` gave."""

    help = "Close the account of OWNER to a user it was granted to, from the next request on."

    def add_arguments(self, parser: CommandParser) -> None:
        """OWNER and --from."""
        parser.add_argument("owner", metavar="OWNER", help="the address of the account's owner")
        parser.add_argument(
            "--from", dest="user", metavar="USER", required=True, help="the address of the user to shut out"
        )

    def provision(self, **options: Any) -> None:
        """Revoke it."""
        account, user = find_account(options["owner"]), find_user(options["user"])
        revoke_access(account, user)
        self.note(f"{account.name} is closed to {user.address}.")
