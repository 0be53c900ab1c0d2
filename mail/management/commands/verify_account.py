"""`manage.py verify_account`: is everything that is derived from an account's mail right?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.provisioning import ProvisioningError, find_account
from jmapcore.store.database import connection
from mail.verify import verify


class Command(BaseCommand):
    """Recompute counts, lists, indexes and parsed properties of one account, and list each difference."""

    help = (
        "Recompute everything that is derived from the messages of an account and from the mailboxes and keywords they "
        "have, and list each difference. Ends with status 1 where there is one that stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS and --repair."""
        parser.add_argument("address", metavar="ADDRESS", help="an address of the account")
        parser.add_argument("--repair", action="store_true", help="set right what is wrong, in one write")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, repair if asked, and say what was found."""
        try:
            account = find_account(options["address"])
        except ProvisioningError as error:
            raise CommandError(str(error)) from error
        with connection() as lent:
            found = verify(account.pk, lent, repair=options["repair"])
            for difference in found:
                self.stdout.write(difference)
            if options["repair"] and found:
                remaining = verify(account.pk, lent)
                self.stdout.write(f"{len(found) - len(remaining)} of {len(found)} differences repaired.")
                found = remaining
        if found:
            raise CommandError(f"{account.name}: {len(found)} differences.")
        self.stdout.write(f"{account.name}: everything is right.")
