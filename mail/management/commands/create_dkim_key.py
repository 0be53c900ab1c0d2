"""`manage.py create_dkim_key example.com`: a key that mail from a domain is signed with, and the DNS record that publishes it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.addresses import normalise_domain
from accounts.models import Domain
from mail.models import DkimKey
from mail.outbound.keys import KeyProblemError, create_key, dns_record


class Command(BaseCommand):
    """Make a key; an older one goes on signing until `retire_dkim_key`."""

    help = (
        "Makes a DKIM key for a domain and prints the DNS record that publishes it. Where the domain has a key already, that "
        "one goes on signing until it is retired (retire_dkim_key), so that there is time to publish the new one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The domain, and perhaps a selector."""
        parser.add_argument("domain")
        parser.add_argument(
            "--selector", help="The name of the key below _domainkey; by default one with the day in it."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key, and print what is to be published."""
        domain = Domain.objects.filter(name=normalise_domain(options["domain"]) or "").first()
        if domain is None:
            raise CommandError(f"This service has no domain {options['domain']}.")
        signing = DkimKey.objects.filter(domain=domain.name, retired_at=None).order_by("pk").first()
        try:
            key = create_key(domain, options["selector"])
        except KeyProblemError as error:
            raise CommandError(str(error)) from None
        name, text = dns_record(key)
        pieces = " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
        self.stdout.write(f"{name} IN TXT ( {pieces} )")
        if signing is not None:
            self.stderr.write(
                f"The key {signing.selector} signs until you run: manage.py retire_dkim_key {domain.name} {signing.selector}"
            )
