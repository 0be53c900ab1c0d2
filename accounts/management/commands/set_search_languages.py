"""`manage.py set_search_languages`: whose words searches in an account know in all their forms."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import find_account, set_search_languages


class Command(ProvisioningCommand):
    """Set the languages of an account's searches."""

    help = (
        "Let searches find words of these languages in all their forms; without any: of the server's languages. "
        "Mail that is there is indexed anew within a few minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS, and languages."""
        parser.add_argument("address", metavar="ADDRESS", help="the address of the account's owner")
        parser.add_argument("languages", metavar="LANGUAGE", nargs="*", help="for example english german")

    def provision(self, **options: Any) -> None:
        """Set them."""
        account = find_account(options["address"])
        set_search_languages(account, options["languages"])
        self.note(
            f"Searches of {account.name} know {account.search_languages or 'the languages of the server'} now."
        )
