"""The user model: somebody who signs in, with an address."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction

from accounts.addresses import normalise_address
from accounts.models.tenancy import MAXIMUM_ADDRESS_LENGTH, Address, Domain, Tenant


class UserManager(BaseUserManager["User"]):
    """Finds users by login address; makes operators, who belong to no tenant and have no mail account.

    People of a tenant are made by `accounts.provisioning.create_user`.
    """

    def get_by_natural_key(self, username: str | None) -> User:
        """The user of a login address in any spelling; raises `User.DoesNotExist`."""
        return self.get(address=normalise_address(username or "") or "")

    def create_superuser(self, address: str, password: str | None = None, **fields: Any) -> User:
        """An operator with every right in the admin (`manage.py createsuperuser`).

        Raises `ValueError` for something that is no address.
        """
        normal = normalise_address(address)
        if normal is None:
            raise ValueError(f"{address!r} is not an e-mail address.")
        with transaction.atomic(using=self.db):
            user = self.model(address=normal, is_staff=True, is_superuser=True, **fields)
            user.set_password(password)
            user.save(using=self.db)
            Address.objects.using(self.db).create(address=normal, user=user)
        return user


class Administers(models.TextChoices):
    """Whose sums somebody sees in mail programs: the quotas of others than the own account (RFC 9425 §8)."""

    NOTHING = "", "nothing"
    DOMAIN = "domain", "the own domain"
    TENANT = "tenant", "the own tenant with all its domains"
    SERVER = "server", "the whole service, and the own tenant"


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in. Operators have no tenant; everybody else has one, a domain and an account.

    `is_active` unset: the user is gone for good and treated as unknown. `is_suspended`: known, but refused
    with 403 until it is unset again, and so is mail.
    """

    address = models.CharField(max_length=MAXIMUM_ADDRESS_LENGTH, unique=True)
    name = models.CharField(max_length=200, blank=True)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="users")
    domain = models.ForeignKey(Domain, null=True, blank=True, on_delete=models.PROTECT, related_name="users")
    is_active = models.BooleanField(default=True, help_text="Unset: treated as if the user did not exist.")
    is_suspended = models.BooleanField(default=False, help_text="May not sign in. Mail is refused.")
    is_staff = models.BooleanField(default=False, help_text="May sign in to this administration site.")
    may_use_account_password = models.BooleanField(
        default=True,
        help_text="Mail programs may sign in with the account password, if the tenant allows it too.",
    )
    has_second_factor = models.BooleanField(
        default=False,
        help_text="Set while a second factor is on: mail programs then need an app password or OAuth.",
    )
    administers = models.CharField(
        max_length=6,
        choices=Administers,
        default=Administers.NOTHING,
        blank=True,
        help_text="Whose quotas mail programs show to this user, besides that of the own account.",
    )
    created = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "address"
    EMAIL_FIELD = "address"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering = ["address"]
        indexes = [
            models.Index(fields=["id"], name="user_administers", condition=~models.Q(administers="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tenant__isnull=True, domain__isnull=True)
                | models.Q(tenant__isnull=False, domain__isnull=False),
                name="user_domain_with_tenant",
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def is_shut_out(self) -> bool:
        """Whether this user, or the whole tenant, is suspended."""
        return self.is_suspended or (self.tenant is not None and self.tenant.is_suspended)
