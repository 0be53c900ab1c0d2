"""`manage.py grant_access`: open an account to another user."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_account, find_user, grant_access


class Command(ProvisioningCommand):
    """Open the account of one user to another one of the same tenant."""

    help = (
        "Open the account of OWNER to another user of the same tenant, who may then read and change its "
        "mail. Given again, it replaces what was granted before."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """OWNER, --to, and what to allow."""
        parser.add_argument("owner", metavar="OWNER", help="the address of the account's owner")
        parser.add_argument("--to", metavar="USER", required=True, help="the address of the user to let in")
        rights = parser.add_mutually_exclusive_group()
        rights.add_argument("--read-only", action="store_true", help="allow reading alone")
        rights.add_argument(
            "--send-as", action="store_true", help="allow sending in the owner's name as well"
        )

    def provision(self, **options: Any) -> None:
        """Grant it."""
        grant = grant_access(
            find_account(options["owner"]),
            find_user(options["to"]),
            is_read_only=options["read_only"],
            may_send_as=options["send_as"],
        )
        verb = (
            "read"
            if grant.is_read_only
            else "read, change and send as"
            if grant.may_send_as
            else "read and change"
        )
        self.note(f"{grant.user.address} may {verb} {grant.account.name} now.")
