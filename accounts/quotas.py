"""Setting limits of what accounts hold, and who sees those of others: named functions, as in `accounts.provisioning`.

The usage itself is counted by the engine, which learns of changed limits through `accounts.lifecycle`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import lifecycle
from accounts.models import Account, Domain, QuotaLimit, Tenant, User
from accounts.models.user import Administers
from accounts.provisioning import ProvisioningError
from accounts.quota_sizes import MOST, format_octets

OCTETS, MESSAGES = QuotaLimit.OCTETS, QuotaLimit.MESSAGES
Limited = Account | Domain | Tenant | None
"""Whose limits: None is everything together."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one resource, in octets or messages. Without a hard limit there is none."""

    hard: int | None
    soft: int | None = None
    warn: int | None = None

    def check(self) -> None:
        """Raise `ProvisioningError` for limits that cannot be."""
        values = [value for value in (self.hard, self.soft, self.warn) if value is not None]
        if any(not 0 <= value <= MOST for value in values):
            raise ProvisioningError(f"A limit is a number from 0 to {MOST}.")
        if self.hard is None and values:
            raise ProvisioningError("Without a hard limit there is no soft limit, and nothing to warn of.")
        if self.hard is not None and max(values) > self.hard:
            raise ProvisioningError("A soft limit and a warning come before the hard limit.")


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """What one account holds, and the limits that hold for it, wherever they were set."""

    octets: int
    messages: int
    octets_limits: Limits
    messages_limits: Limits


usage_readers: list[Callable[[Sequence[int]], Mapping[int, AccountUsage]]] = []
"""Filled by the engine, which keeps the usage: from ids of accounts to what they hold."""


def usage_of(account_ids: Sequence[int]) -> Mapping[int, AccountUsage]:
    """What these accounts hold, by their ids."""
    return usage_readers[0](account_ids) if usage_readers else {}


def set_limits(whose: Limited, resource: str, limits: Limits, *, each_account: bool = False) -> QuotaLimit:
    """Set the limits of one resource; with `each_account` those of each account of a domain or tenant.

    An account's own hold from its next write on; others within a minute. Raises `ProvisioningError`.
    """
    limits.check()
    values = {"hard": limits.hard, "soft": limits.soft, "warn": limits.warn}
    with transaction.atomic():
        row, _ = QuotaLimit.objects.update_or_create(
            **_key(whose, each_account=each_account), resource=resource, defaults=values
        )
        _tell(whose)
    return row


def unset_limits(whose: Limited, resource: str, *, each_account: bool = False) -> None:
    """Forget what was set: what is further away holds again, at last the default. Raises `ProvisioningError`."""
    with transaction.atomic():
        QuotaLimit.objects.filter(**_key(whose, each_account=each_account), resource=resource).delete()
        _tell(whose)


def set_administers(user: User, administers: str) -> None:
    """Let a user see the quotas of a domain, a tenant or everything (`Administers`). Raises `ProvisioningError`."""
    if user.tenant_id is None:
        raise ProvisioningError(f"{user.address} is an operator, and has no account to see quotas in.")
    with transaction.atomic():
        user.administers = Administers(administers)
        user.save(update_fields=["administers"])
        for hook in lifecycle.administrator_changed:
            hook(user)


def default_limits(whose: Limited, resource: str) -> int | None:
    """The hard limit that the settings give where none is set."""
    defaults: Mapping[str, Mapping[str, int | None]] = settings.QUOTA_DEFAULTS
    kind = "server" if whose is None else type(whose).__name__.lower()
    return defaults[kind][resource]


def shown(resource: str, number: int) -> str:
    """A number of a resource for a person."""
    return format_octets(number) if resource == OCTETS else f"{number:,} messages"


def shown_usage(resource: str, used: int, limits: Limits) -> str:
    """Used and limit for a person: `1.2 GB of 10 GB`."""
    if limits.hard is None:
        return f"{shown(resource, used)}, no limit"
    if resource == MESSAGES:
        return f"{used:,} of {limits.hard:,} messages"
    return f"{shown(resource, used)} of {shown(resource, limits.hard)}"


def account_sentences(account_id: int) -> list[str]:
    """What an account holds, a sentence for each resource; none where nothing is known of it."""
    usage = usage_of([account_id]).get(account_id)
    if usage is None:
        return []
    return [
        _account_sentence(OCTETS, usage.octets, usage.octets_limits),
        _account_sentence(MESSAGES, usage.messages, usage.messages_limits),
    ]


def _account_sentence(resource: str, used: int, limits: Limits) -> str:
    text = shown_usage(resource, used, limits)
    if limits.soft is not None:
        text += f"; users add nothing from {shown(resource, limits.soft)} on"
    if limits.warn is not None:
        text += f"; warning from {shown(resource, limits.warn)} on"
    return text


def _key(whose: Limited, *, each_account: bool) -> dict[str, Any]:
    """What names the row of these limits; the columns of others are null."""
    if each_account and not isinstance(whose, Domain | Tenant):
        raise ProvisioningError("Limits for each account are those of a domain or a tenant.")
    return {
        "tenant": whose if isinstance(whose, Tenant) else None,
        "domain": whose if isinstance(whose, Domain) else None,
        "account": whose if isinstance(whose, Account) else None,
        "each_account": each_account,
    }


def _tell(whose: Limited) -> None:
    if isinstance(whose, Account):
        for hook in lifecycle.limits_changed:
            hook(whose)
