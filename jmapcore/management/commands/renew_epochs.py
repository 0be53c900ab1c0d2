"""`manage.py renew_epochs`: what a restore from a backup needs before clients come back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from accounts.provisioning import ProvisioningError, find_account
from jmapcore.lifecycle import renew_epoch
from jmapcore.store.database import connection


class Command(BaseCommand):
    """Give accounts a new epoch, and let their counter of ids skip a million."""

    help = (
        "After a restore from a backup, before the processes start: clients hold states and ids that were given out "
        "after the backup was made. This makes the states unknown, so that clients fetch anew, and lets no id be "
        "given out twice; in all accounts, or in those named."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Addresses; none for all accounts."""
        parser.add_argument(
            "addresses", metavar="ADDRESS", nargs="*", help="addresses of accounts (default: all)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the accounts."""
        try:
            accounts = [find_account(address).pk for address in options["addresses"]]
        except ProvisioningError as error:
            raise CommandError(str(error)) from error
        if not accounts:
            accounts = list(Account.objects.order_by("id").values_list("id", flat=True))
        with connection() as lent:
            for account_id in accounts:
                renew_epoch(account_id, lent)
        self.stdout.write(f"Accounts with a new epoch: {len(accounts)}.")
