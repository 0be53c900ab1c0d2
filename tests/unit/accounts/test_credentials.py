"""App passwords and tokens: shown once, stored as their sha256 alone."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.forms.models import model_to_dict
from django.utils import timezone

from accounts.access import CONTACTS_SCOPE, MAIL_SCOPE
from accounts.credentials import create_access_token, create_app_password, new_secret
from accounts.models import AccessToken, AppPassword
from accounts.provisioning import ProvisioningError
from tests.support.cast import Cast


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert (len(made), {len(secret) for secret in made}) == (100, {32})


def test_app_password_is_stored_as_its_checksum_alone(cast: Cast) -> None:
    password, secret = create_app_password(cast.alice.user, " phone ")
    stored = AppPassword.objects.get(pk=password.pk)
    assert (stored.label, stored.secret_checksum) == ("phone", hashlib.sha256(secret.encode()).hexdigest())
    assert secret not in str(model_to_dict(stored))


def test_app_password_needs_a_label(cast: Cast) -> None:
    with pytest.raises(ProvisioningError, match="label"):
        create_app_password(cast.alice.user, " ")


def test_token_is_stored_as_its_checksum_alone(cast: Cast) -> None:
    token, secret = create_access_token(cast.alice.user)
    stored = AccessToken.objects.get(pk=token.pk)
    assert (stored.token, stored.token_checksum) == ("", hashlib.sha256(secret.encode()).hexdigest())


def test_token_carries_the_tenant_of_its_user(cast: Cast) -> None:
    token, _ = create_access_token(cast.alice.user)
    assert AccessToken.objects.get(pk=token.pk).tenant == cast.north


def test_token_has_the_scopes_and_the_lifetime_asked_for(cast: Cast) -> None:
    token, _ = create_access_token(
        cast.alice.user, scopes=[CONTACTS_SCOPE, MAIL_SCOPE, MAIL_SCOPE], lifetime=timedelta(hours=2)
    )
    left = token.expires - timezone.now()
    assert token.scope == f"{CONTACTS_SCOPE} {MAIL_SCOPE}"
    assert timedelta(minutes=119) < left <= timedelta(hours=2)


@pytest.mark.parametrize("scopes", [["everything"], [], [MAIL_SCOPE + " " + CONTACTS_SCOPE]])
def test_token_needs_known_scopes(cast: Cast, scopes: list[str]) -> None:
    with pytest.raises(ProvisioningError, match="scope"):
        create_access_token(cast.alice.user, scopes=scopes)


def test_token_needs_a_future(cast: Cast) -> None:
    with pytest.raises(ProvisioningError, match="longer"):
        create_access_token(cast.alice.user, lifetime=timedelta(0))
