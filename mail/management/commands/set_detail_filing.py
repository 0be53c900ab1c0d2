"""`manage.py set_detail_filing`: whether mail to `user+detail@…` goes to the mailbox named `detail`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_account
from jmapcore.store import database
from jmapcore.store.write import account_write
from mail.delivery.preferences import set_files_details


class Command(ProvisioningCommand):
    """Switch filing by detail on or off for one account."""

    help = (
        "Deliver mail to USER+DETAIL@DOMAIN to the mailbox of ADDRESS named DETAIL, if there is one without a role,"
        " or (off) to the Inbox like all other mail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS, and on or off."""
        parser.add_argument("address", metavar="ADDRESS", help="the address of the account's owner")
        parser.add_argument("choice", choices=["on", "off"], metavar="on|off", help="what is wanted")

    def provision(self, **options: Any) -> None:
        """Set it."""
        account = find_account(options["address"])
        is_on = options["choice"] == "on"
        with database.connection() as connection, account_write(account.pk, connection) as write:
            set_files_details(write, on=is_on)
        self.note(f"Filing by detail is {options['choice']} for {account.name} now.")
