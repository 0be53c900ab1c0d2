"""The administration site: who exists, and with which credentials. Tables of mail are not shown here."""

from accounts.admin.credentials import AppPasswordAdmin
from accounts.admin.oauth import ApplicationAdmin
from accounts.admin.tenancy import AccountAdmin, AliasAdmin, DomainAdmin, GrantAdmin, TenantAdmin
from accounts.admin.users import UserAdmin

__all__ = [
    "AccountAdmin",
    "AliasAdmin",
    "AppPasswordAdmin",
    "ApplicationAdmin",
    "DomainAdmin",
    "GrantAdmin",
    "TenantAdmin",
    "UserAdmin",
]
