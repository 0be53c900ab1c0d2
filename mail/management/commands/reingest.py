"""`manage.py reingest`: let a corrected parser reach old mail."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from accounts.provisioning import ProvisioningError, find_account
from jmapcore.store.database import connection
from mail.reingest import reingest


class Command(BaseCommand):
    """Rebuild what parsing derives, where it was derived by an older format."""

    help = (
        "Parse messages again whose derived rows are of an older format, in all accounts or in those named. "
        "No state changes; it can be stopped at any time and goes on when it is started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Addresses; none for all accounts."""
        parser.add_argument(
            "addresses", metavar="ADDRESS", nargs="*", help="addresses of accounts (default: all)"
        )
        parser.add_argument(
            "--all",
            action="store_true",
            help="all messages, whatever their format: after a change of a setting",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the accounts."""
        try:
            chosen = [find_account(address).pk for address in options["addresses"]]
        except ProvisioningError as error:
            raise CommandError(str(error)) from error
        accounts = chosen or list(Account.objects.order_by("id").values_list("id", flat=True))
        total = 0
        for account_id in accounts:
            with connection() as lent:
                total += reingest(account_id, lent, everything=options["all"])
        self.stdout.write(f"{total} messages rebuilt in {len(accounts)} accounts.")
