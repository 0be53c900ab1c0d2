# ruff: noqa: DJ008 - the toolkit's models have a __str__
"""The six models of Django OAuth Toolkit, swapped for our own so that each row carries its tenant.

They are swapped from the first migration on, since the toolkit's own tables cannot be swapped afterwards.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractDeviceGrant,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from accounts.models.tenancy import Tenant


class OfTenant(models.Model):
    """A row of OAuth that belongs to the tenant of its user; without one, to the provider itself."""

    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row; the tenant of its user is filled in where none was given."""
        if self.tenant_id is None and self.user_id is not None:  # type: ignore[attr-defined]
            self.tenant_id = self.user.tenant_id  # type: ignore[attr-defined]
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "tenant"}
        super().save(*args, **kwargs)


class Application(AbstractApplication, OfTenant):  # type: ignore[misc]  # untyped base
    """A registered OAuth client, of a tenant or (without one) of the provider."""


class AuthorizationGrant(AbstractGrant, OfTenant):  # type: ignore[misc]  # untyped base
    """An authorization code that waits to be exchanged, for a minute at most (RFC 6749 §4.1.2)."""


class AccessToken(AbstractAccessToken, OfTenant):  # type: ignore[misc]  # untyped base
    """An access token, kept as its sha256 in `token_checksum` alone; `token` stays empty."""


class RefreshToken(AbstractRefreshToken, OfTenant):  # type: ignore[misc]  # untyped base
    """A refresh token, kept as its sha256 alone; revoked ones stay so that their reuse is noticed."""


class IDToken(AbstractIDToken, OfTenant):  # type: ignore[misc]  # untyped base
    """The record of an OpenID Connect ID token."""


class DeviceGrant(AbstractDeviceGrant, OfTenant):  # type: ignore[misc]  # untyped base
    """A device that waits for its user's consent (RFC 8628)."""
