"""`manage.py create_tenant`: a new customer, with domains."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import add_domain, create_tenant


class Command(ProvisioningCommand):
    """Create a tenant and its first domains."""

    help = "Create a tenant (a customer) that owns one or more mail domains."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME and --domain."""
        parser.add_argument("name", metavar="NAME", help="the tenant's name, for example 'Example Ltd'")
        parser.add_argument(
            "--domain",
            dest="domains",
            metavar="D",
            action="append",
            required=True,
            help="a mail domain of the tenant, for example example.org; may be given several times",
        )

    @transaction.atomic
    def provision(self, **options: Any) -> None:
        """Create all of it or nothing."""
        tenant = create_tenant(options["name"])
        names = [add_domain(tenant, domain).name for domain in options["domains"]]
        self.note(f"Created the tenant {tenant.name} with {', '.join(names)}.")
