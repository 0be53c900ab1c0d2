"""What `suspend` and `resume` share: whom they are about."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_tenant, find_user, set_tenant_suspended, set_user_suspended


class SuspensionCommand(ProvisioningCommand):
    """Suspend or resume one user or a whole tenant, from the next request on."""

    is_suspended: ClassVar[bool]

    def add_arguments(self, parser: CommandParser) -> None:
        """--user or --tenant."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--user", metavar="ADDRESS", help="the login address of one user")
        whom.add_argument("--tenant", metavar="NAME", help="the name of a tenant: everybody in it")

    def provision(self, **options: Any) -> None:
        """Set or unset it."""
        if options["user"] is not None:
            user = find_user(options["user"])
            set_user_suspended(user, self.is_suspended)
            name = user.address
        else:
            tenant = find_tenant(options["tenant"])
            set_tenant_suspended(tenant, self.is_suspended)
            name = tenant.name
        self.note(f"{name} is suspended." if self.is_suspended else f"{name} is not suspended.")
