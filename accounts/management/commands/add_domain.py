"""`manage.py add_domain`: a further domain of a tenant."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import add_domain, find_tenant


class Command(ProvisioningCommand):
    """Add a domain to a tenant."""

    help = "Add a mail domain to a tenant."

    def add_arguments(self, parser: CommandParser) -> None:
        """TENANT and DOMAIN."""
        parser.add_argument("tenant", metavar="TENANT", help="the tenant's name")
        parser.add_argument("domain", metavar="DOMAIN", help="the domain, for example example.org")

    def provision(self, **options: Any) -> None:
        """Add it."""
        domain = add_domain(find_tenant(options["tenant"]), options["domain"])
        self.note(f"{domain.tenant.name} has the domain {domain.name} now.")
