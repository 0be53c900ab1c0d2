"""App passwords and access tokens: made, shown once, and revoked. Only their sha256 is ever stored."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone
from oauth2_provider.models import set_token_value

from accounts.access import MAIL_SCOPE, SCOPES
from accounts.models import AccessToken, AppPassword, User
from accounts.provisioning import ProvisioningError

_SECRET_BYTES = 20


def checksum(secret: str) -> str:
    """The sha256 (hex) under which a secret is stored and looked up.

    Good for long random secrets alone: what a person chose needs `accounts.passwords`.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_secret() -> str:
    """160 random bits as 32 lower-case letters and digits, easy to type and to select."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii").lower()


def create_app_password(user: User, label: str) -> tuple[AppPassword, str]:
    """A new app password of the user, and its secret, which nobody can ever show again."""
    label = label.strip()
    if not label:
        raise ProvisioningError("An app password needs a label, so that it can be told from the others.")
    secret = new_secret()
    return AppPassword.objects.create(user=user, label=label, secret_checksum=checksum(secret)), secret


def create_access_token(
    user: User, *, scopes: Iterable[str] = (MAIL_SCOPE,), lifetime: timedelta = timedelta(days=30)
) -> tuple[AccessToken, str]:
    """An access token made without an OAuth client, for scripts and tests, and its secret.

    Raises `ProvisioningError` for a scope this server does not know, or a lifetime that is over.
    """
    names = list(dict.fromkeys(scopes))
    unknown = [name for name in names if name not in SCOPES]
    if unknown:
        raise ProvisioningError(f"Unknown scope {unknown[0]!r}. Known: {', '.join(SCOPES)}.")
    if not names:
        raise ProvisioningError("A token needs a scope.")
    if lifetime <= timedelta(0):
        raise ProvisioningError("A token must live longer than that.")
    secret = new_secret()
    token = AccessToken(user=user, scope=" ".join(names), expires=timezone.now() + lifetime)
    set_token_value(token, secret)
    token.save()
    return token, secret
