"""Tenants, domains, addresses, accounts and grants. Their rows are made by `accounts.provisioning` alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

MAXIMUM_ADDRESS_LENGTH = 320
"""64 octets of local part, `@`, 255 of domain (RFC 5321 §4.5.3.1)."""


class Tenant(models.Model):
    """A customer of the hosting provider: the owner of domains and of everybody in them."""

    name = models.CharField(max_length=200, unique=True)
    is_suspended = models.BooleanField(
        default=False, help_text="Nobody of this tenant may sign in while this is set. Mail is refused."
    )
    is_demo = models.BooleanField(
        default=False,
        editable=False,
        help_text="Made by `make run`, with passwords that are shown to anybody.",
    )
    allow_account_password = models.BooleanField(
        default=True,
        help_text="Mail programs may sign in with the account password. If not, they need an app password or "
        "OAuth.",
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="tenant_name_case_insensitive"),
        ]

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A mail domain, as lower-case A-labels (RFC 5890 §2.3.2.1). Belongs to one tenant, worldwide."""

    name = models.CharField(
        max_length=253, unique=True, help_text="Internationalised names are stored as xn--…"
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="domains")
    catch_all = models.ForeignKey(
        "accounts.Account",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="catch_all_domains",
        help_text="Takes mail for the addresses of the domain that nobody has. Empty: such mail is refused.",
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(name=Lower("name")), name="domain_name_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """A collection of mail (RFC 8620 §1.6.2): the personal one of its owner, which others may be granted.

    `name` is the owner's address, kept here so that the gate query needs no second join.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="accounts")
    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account")
    name = models.CharField(max_length=MAXIMUM_ADDRESS_LENGTH, unique=True)
    search_languages = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Languages whose words searches know in all their forms, such as english german. "
        "Empty: those of the server.",
    )
    index_due_since = models.DateTimeField(null=True, editable=False)
    """Since when the index of words is to follow other languages; null where it has them."""
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(
                fields=["index_due_since"],
                name="account_index_due",
                condition=models.Q(index_due_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """What somebody else may do with an account: its mail, without submission and vacation response.

    `may_send_as` adds these two. It contradicts `is_read_only`, and the database says so.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    is_read_only = models.BooleanField(default=False)
    may_send_as = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "account"], name="grant_once"),
            models.CheckConstraint(
                condition=models.Q(is_read_only=False) | models.Q(may_send_as=False),
                name="grant_read_only_sends_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} to {self.user}"

    @property
    def access(self) -> str:
        """What it allows, in words."""
        if self.is_read_only:
            return "read only"
        return "read, write and send" if self.may_send_as else "read and write"


class Alias(models.Model):
    """A further address, whose mail goes to the accounts of its targets (exactly one for now)."""

    address = models.CharField(max_length=MAXIMUM_ADDRESS_LENGTH, unique=True)
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="aliases")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "aliases"

    def __str__(self) -> str:
        return self.address


class AliasTarget(models.Model):
    """An account that an alias delivers to. Several of an alias fit once `alias_target_single` is dropped."""

    alias = models.ForeignKey(Alias, on_delete=models.CASCADE, related_name="targets")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="alias_targets")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alias"], name="alias_target_single"),
        ]

    def __str__(self) -> str:
        return f"{self.alias} → {self.account}"


class Address(models.Model):
    """Every address that exists, exactly once: it is a user's or an alias's, never both.

    The migration adds deferred foreign keys from (User.address, User.id) and (Alias.address, Alias.id) to
    this table, so that neither can be committed without its row here (docs/adr/0010).
    """

    address = models.CharField(max_length=MAXIMUM_ADDRESS_LENGTH, unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="address_row"
    )
    alias = models.OneToOneField(Alias, null=True, on_delete=models.CASCADE, related_name="address_row")

    class Meta:
        verbose_name_plural = "addresses"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, alias__isnull=True)
                | models.Q(user__isnull=True, alias__isnull=False),
                name="address_of_one",
            ),
        ]

    def __str__(self) -> str:
        return self.address
