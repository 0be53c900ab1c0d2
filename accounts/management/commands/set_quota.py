"""`manage.py set_quota`: what an account, a domain, a tenant or everything may hold."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.management.provisioning_command import ProvisioningCommand
from accounts.models import Domain, QuotaLimit
from accounts.provisioning import ProvisioningError, find_account, find_domain, find_tenant
from accounts.quota_sizes import parse_octets
from accounts.quotas import MESSAGES, OCTETS, Limited, Limits, set_limits, shown, unset_limits

EVERYTHING = "everything"
NONE, DEFAULT = "none", "default"


class Command(ProvisioningCommand):
    """Set limits, and say what was set."""

    help = (
        "Set what an account (named by its address), a domain or a tenant may hold, or the whole service"
        " ('everything'). What is not named stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """WHOSE, and for octets and messages a hard and a soft limit and a warning."""
        parser.add_argument("whose", metavar="ADDRESS|DOMAIN|TENANT|everything")
        parser.add_argument(
            "--each",
            action="store_true",
            help="of a domain or tenant: what each account may hold, not all of them together",
        )
        parser.add_argument(
            "--octets", metavar="SIZE", help="for example 5GB; 'none' for no limit, 'default' to forget it"
        )
        parser.add_argument("--soft", metavar="SIZE", help="from where on users add nothing; 'none'")
        parser.add_argument("--warn", metavar="SIZE", help="from where on programs warn; 'none'")
        parser.add_argument("--messages", metavar="N", help="for example 100000; 'none', 'default'")
        parser.add_argument("--messages-soft", metavar="N")
        parser.add_argument("--messages-warn", metavar="N")

    def provision(self, **options: Any) -> None:
        """Set each resource that is named."""
        whose, each = _whose(options["whose"]), options["each"]
        asked = {
            OCTETS: (options["octets"], options["soft"], options["warn"]),
            MESSAGES: (options["messages"], options["messages_soft"], options["messages_warn"]),
        }
        if not any(value is not None for values in asked.values() for value in values):
            raise CommandError("Name a limit: --octets, --messages, or see --help.")
        for resource, (hard, soft, warn) in asked.items():
            if hard == DEFAULT:
                unset_limits(whose, resource, each_account=each)
                self.note(f"{resource} of {whose or EVERYTHING}: the default.")
            elif (hard, soft, warn) != (None, None, None):
                row = set_limits(
                    whose, resource, _limits(whose, resource, each, hard, soft, warn), each_account=each
                )
                self.note(f"{row}: {_sentence(row)}.")


def _whose(name: str) -> Limited:
    """The account, the domain or the tenant of a name. Raises `ProvisioningError`."""
    if name == EVERYTHING:
        return None
    if "@" in name:
        return find_account(name)
    try:
        domain: Domain = find_domain(name)
    except ProvisioningError:
        return find_tenant(name)
    return domain


def _limits(
    whose: Limited, resource: str, each: bool, hard: str | None, soft: str | None, warn: str | None
) -> Limits:
    """What is to be set: what was not named is as it was, and nothing beside no limit."""
    kind = "account" if whose is None else type(whose).__name__.lower()
    lookup = {kind: whose} if whose is not None else {"tenant": None, "domain": None, "account": None}
    row = QuotaLimit.objects.filter(**lookup, each_account=each, resource=resource).first()
    if hard == NONE:
        return Limits(None)
    if hard is None and (row is None or row.hard is None):
        raise ProvisioningError("There is no hard limit yet: name it too (--octets or --messages).")
    return Limits(
        _number(resource, hard, row.hard if row else None),
        _number(resource, soft, row.soft if row else None),
        _number(resource, warn, row.warn if row else None),
    )


def _number(resource: str, text: str | None, before: int | None) -> int | None:
    if text is None:
        return before
    if text == NONE:
        return None
    number = parse_octets(text) if resource == OCTETS else int(text) if text.isdigit() else None
    if number is None:
        raise ProvisioningError(f"{text!r} is not a {'size' if resource == OCTETS else 'whole number'}.")
    return number


def _sentence(row: QuotaLimit) -> str:
    if row.hard is None:
        return "no limit"
    parts = [shown(row.resource, row.hard)]
    if row.soft is not None:
        parts.append(f"soft limit {shown(row.resource, row.soft)}")
    if row.warn is not None:
        parts.append(f"warning from {shown(row.resource, row.warn)}")
    return ", ".join(parts)
