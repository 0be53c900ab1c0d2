"""`manage.py retire_dkim_key example.com SELECTOR`: sign nothing more with a key; the next one of the domain takes over."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.addresses import normalise_domain
from mail.models import DkimKey
from mail.outbound.keys import KEPT_SECONDS, KeyProblemError, retire_key


class Command(BaseCommand):
    """Retire a key."""

    help = "Signs nothing more with a DKIM key. The next key of the domain takes over, if there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        """The domain, and the selector of the key."""
        parser.add_argument("domain")
        parser.add_argument("selector")

    def handle(self, *args: Any, **options: Any) -> None:
        """Retire the key, and say what follows."""
        domain = normalise_domain(options["domain"]) or options["domain"]
        try:
            key = retire_key(domain, options["selector"])
        except KeyProblemError as error:
            raise CommandError(str(error)) from None
        following = DkimKey.objects.filter(domain=domain, retired_at=None).order_by("pk").first()
        signs = f"{following.selector} signs" if following is not None else "nothing is signed"
        self.stdout.write(
            f"Within {KEPT_SECONDS} seconds {signs}. Leave the record of {key} in the DNS for a week: mail that was signed "
            "with it is still on its way."
        )
