"""Limits of what accounts may hold, and what tenants and domains hold together (docs/adr/0208)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models.tenancy import Account, Domain, Tenant


class QuotaLimit(models.Model):
    """The limits of one resource for a tenant, a domain, an account, or (where none is named) everything together.

    Of a tenant or a domain it limits the sum of their accounts, or with `each_account` what each of these may hold unless
    something nearer to it says otherwise. Without a hard limit there is none, whatever the defaults are.
    """

    OCTETS, MESSAGES = "octets", "count"
    RESOURCES: ClassVar = [(OCTETS, "octets"), (MESSAGES, "messages")]

    tenant = models.ForeignKey(
        Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="quota_limits"
    )
    domain = models.ForeignKey(
        Domain, null=True, blank=True, on_delete=models.CASCADE, related_name="quota_limits"
    )
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="quota_limits"
    )
    each_account = models.BooleanField(
        "for each account",
        default=False,
        help_text="What each account may hold, not all of them together.",
    )
    resource = models.CharField(max_length=6, choices=RESOURCES)
    hard = models.BigIntegerField("hard limit", null=True, blank=True, help_text="Empty: no limit.")
    soft = models.BigIntegerField(
        "soft limit",
        null=True,
        blank=True,
        help_text="From here on users can add nothing, and mail still comes in.",
    )
    warn = models.BigIntegerField(
        "warning",
        null=True,
        blank=True,
        help_text="From here on programs may warn. Empty: a share of the lowest limit (QUOTA_WARN_PERCENT).",
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tenant__isnull=True, domain__isnull=True)
                | models.Q(tenant__isnull=True, account__isnull=True)
                | models.Q(domain__isnull=True, account__isnull=True),
                name="quota_limit_of_one",
            ),
            models.CheckConstraint(
                condition=models.Q(each_account=False)
                | models.Q(tenant__isnull=False)
                | models.Q(domain__isnull=False),
                name="quota_limit_each_account_of_many",
            ),
            models.CheckConstraint(
                condition=models.Q(hard__isnull=True, soft__isnull=True, warn__isnull=True)
                | models.Q(hard__gte=0),
                name="quota_limit_hard",
            ),
            models.CheckConstraint(
                condition=models.Q(soft__isnull=True) | models.Q(soft__gte=0, soft__lte=models.F("hard")),
                name="quota_limit_soft",
            ),
            models.CheckConstraint(
                condition=models.Q(warn__isnull=True) | models.Q(warn__gte=0, warn__lte=models.F("hard")),
                name="quota_limit_warn",
            ),
            models.UniqueConstraint(
                fields=["tenant", "domain", "account", "each_account", "resource"],
                name="quota_limit_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        whose = self.account or self.domain or self.tenant or "everything together"
        each = ", each account" if self.each_account else ""
        return f"{self.get_resource_display()} of {whose}{each}"


class TenantUsage(models.Model):
    """What the accounts of a tenant hold together; a task sums it up, at most a minute late."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="usage")
    octets = models.BigIntegerField(default=0)
    objects_held = models.BigIntegerField(default=0)

    class Meta:
        db_table = "tenant_usage"

    def __str__(self) -> str:
        return f"usage of {self.tenant}"


class DomainUsage(models.Model):
    """What the accounts of a domain hold together; a task sums it up, at most a minute late."""

    domain = models.OneToOneField(Domain, on_delete=models.CASCADE, primary_key=True, related_name="usage")
    octets = models.BigIntegerField(default=0)
    objects_held = models.BigIntegerField(default=0)

    class Meta:
        db_table = "domain_usage"

    def __str__(self) -> str:
        return f"usage of {self.domain}"
