"""`manage.py create_access_token`: a bearer token for scripts and tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from accounts.access import MAIL_SCOPE, SCOPES
from accounts.credentials import create_access_token
from accounts.management.provisioning_command import ProvisioningCommand
from accounts.provisioning import ProvisioningError, find_user

MAXIMUM_DAYS = 3_650


class Command(ProvisioningCommand):
    """Make an access token and print it."""

    help = (
        "Make an OAuth access token of a user, without an OAuth client, and print it. It is not shown again. "
        f"Scopes: {', '.join(SCOPES)}; the last part of each will do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """ADDRESS, --scope and --days."""
        parser.add_argument("address", metavar="ADDRESS", help="the user's login address")
        parser.add_argument(
            "--scope",
            dest="scopes",
            metavar="S",
            action="extend",
            nargs="+",
            help="what the token opens (default: mail); may be given several times",
        )
        parser.add_argument(
            "--days", metavar="N", type=int, default=30, help="how long it lives (default: 30)"
        )

    def provision(self, **options: Any) -> None:
        """Make it; the secret alone goes to standard output."""
        user = find_user(options["address"])
        if not 1 <= options["days"] <= MAXIMUM_DAYS:
            raise ProvisioningError(f"--days is a number from 1 to {MAXIMUM_DAYS}.")
        short = {name.rpartition(":")[2]: name for name in SCOPES}
        scopes = [short.get(name, name) for name in options["scopes"] or [MAIL_SCOPE]]
        token, secret = create_access_token(user, scopes=scopes, lifetime=timedelta(days=options["days"]))
        self.note(
            f"The access token of {user.address}, good until {token.expires:%Y-%m-%d %H:%M} UTC, "
            "which is shown this once:"
        )
        self.stdout.write(secret)
