"""The tables of WHO: tenants, their domains, users and accounts, and the credentials that open them."""

from accounts.models.credentials import AppPassword
from accounts.models.oauth import (
    AccessToken,
    Application,
    AuthorizationGrant,
    DeviceGrant,
    IDToken,
    RefreshToken,
)
from accounts.models.quotas import DomainUsage, QuotaLimit, TenantUsage
from accounts.models.tenancy import Account, Address, Alias, AliasTarget, Domain, Grant, Tenant
from accounts.models.user import User

__all__ = [
    "AccessToken",
    "Account",
    "Address",
    "Alias",
    "AliasTarget",
    "AppPassword",
    "Application",
    "AuthorizationGrant",
    "DeviceGrant",
    "Domain",
    "DomainUsage",
    "Grant",
    "IDToken",
    "QuotaLimit",
    "RefreshToken",
    "Tenant",
    "TenantUsage",
    "User",
]
