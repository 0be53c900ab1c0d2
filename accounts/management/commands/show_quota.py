"""`manage.py show_quota`: what an account holds and may hold."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_account
from accounts.quotas import account_sentences


class Command(ProvisioningCommand):
    """Say what an account holds."""

    help = "Show what an account holds, and the limits that hold for it, wherever they were set."

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS."""
        parser.add_argument("address", metavar="ADDRESS")

    def provision(self, **options: Any) -> None:
        """Print a line for each resource."""
        for sentence in account_sentences(find_account(options["address"]).pk):
            self.stdout.write(sentence)
