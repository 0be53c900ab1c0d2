"""`manage.py set_catch_all`: who takes the mail that nobody in a domain receives."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_account, find_domain, set_catch_all


class Command(ProvisioningCommand):
    """Set or remove the catch-all of a domain."""

    help = "Deliver mail for addresses that nobody in DOMAIN has to a user of the same tenant, or to nobody."

    def add_arguments(self, parser: CommandParser) -> None:
        """DOMAIN, and --to or --nobody."""
        parser.add_argument("domain", metavar="DOMAIN", help="the domain")
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--to", metavar="USER", help="the address of the account's owner")
        target.add_argument("--nobody", action="store_true", help="refuse such mail again")

    def provision(self, **options: Any) -> None:
        """Set it."""
        domain = find_domain(options["domain"])
        account = find_account(options["to"]) if options["to"] else None
        set_catch_all(domain, account)
        self.note(f"The catch-all of {domain.name} is {account.name if account else 'nobody'} now.")
