"""The toolkit's flows on our models: what they issue opens the gate, and what they revoke does not."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from oauth2_provider import models as toolkit

from accounts import models
from accounts.access import MAIL_SCOPE, OFFLINE_SCOPE
from accounts.authentication import AuthenticationError, authenticate
from accounts.credentials import create_access_token
from accounts.models import AccessToken, Application, RefreshToken
from jmapcore.store.database import connection
from tests.support.cast import Cast

REDIRECT = "https://client.example/back"


@dataclass
class Issued:
    """The answer of the token endpoint to a client."""

    application: Application
    access_token: str
    refresh_token: str
    scope: str


def exchange(application: Application, **parameters: str) -> dict[str, str]:
    """What the token endpoint answers."""
    answer = Client().post("/o/token/", {"client_id": application.client_id, **parameters})
    assert answer.status_code == 200, answer.content
    found: dict[str, str] = answer.json()
    return found


@pytest.fixture
def issued(cast: Cast) -> Issued:
    """Tokens that Alice let a public client have, by an authorization code with PKCE (RFC 7636)."""
    application = Application.objects.create(
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=REDIRECT,
    )
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    browser = Client()
    browser.force_login(cast.alice.user)
    asked = {
        "client_id": application.client_id,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": f"{MAIL_SCOPE} {OFFLINE_SCOPE}",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = browser.get("/o/authorize/", asked)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))
    allowed = browser.post("/o/authorize/", {**asked, **fields, "allow": "Authorize"})
    code = parse_qs(urlsplit(allowed["Location"]).query)["code"][0]
    answer = exchange(
        application,
        grant_type="authorization_code",
        code=code,
        redirect_uri=REDIRECT,
        code_verifier=verifier,
    )
    return Issued(application, answer["access_token"], answer["refresh_token"], answer["scope"])


def opens(token: str) -> int | None:
    """Whom the token signs in; None where it is refused."""
    try:
        return authenticate(f"Bearer {token}", "192.0.2.1", connection).user_id
    except AuthenticationError:
        return None


def test_our_models_are_the_toolkits() -> None:
    found = [
        toolkit.get_application_model(),
        toolkit.get_access_token_model(),
        toolkit.get_refresh_token_model(),
        toolkit.get_id_token_model(),
        toolkit.get_grant_model(),
        toolkit.get_device_grant_model(),
    ]
    assert found == [
        models.Application,
        models.AccessToken,
        models.RefreshToken,
        models.IDToken,
        models.AuthorizationGrant,
        models.DeviceGrant,
    ]


def test_issued_token_opens_the_account_with_its_scopes(issued: Issued, cast: Cast) -> None:
    caller = authenticate(f"Bearer {issued.access_token}", "192.0.2.1", connection)
    assert (caller.user_id, caller.scopes) == (cast.alice.user.pk, frozenset({MAIL_SCOPE, OFFLINE_SCOPE}))


def test_tokens_are_stored_hashed_alone_and_with_their_tenant(issued: Issued, cast: Cast) -> None:
    access = AccessToken.objects.get(application=issued.application)
    refresh = RefreshToken.objects.get(application=issued.application)
    assert (access.token, access.token_checksum, access.tenant) == (
        "",
        hashlib.sha256(issued.access_token.encode()).hexdigest(),
        cast.north,
    )
    assert (refresh.token, refresh.token_checksum, refresh.tenant) == (
        "",
        hashlib.sha256(issued.refresh_token.encode()).hexdigest(),
        cast.north,
    )


def test_refreshed_token_replaces_the_old_one(issued: Issued, cast: Cast) -> None:
    answer = exchange(issued.application, grant_type="refresh_token", refresh_token=issued.refresh_token)
    assert (opens(answer["access_token"]), opens(issued.access_token)) == (cast.alice.user.pk, None)


@pytest.mark.rfc("7009", "2.1")
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_revoked_token_is_closed_at_once(issued: Issued, name: str) -> None:
    parameters = {"client_id": issued.application.client_id, "token": getattr(issued, name)}
    status = Client().post("/o/revoke_token/", parameters).status_code
    assert (status, opens(issued.access_token)) == (200, None)


def test_expired_tokens_are_cleared(cast: Cast) -> None:
    token, _ = create_access_token(cast.alice.user)
    AccessToken.objects.filter(pk=token.pk).update(expires=timezone.now() - timedelta(days=1))
    call_command("cleartokens")
    assert not AccessToken.objects.filter(pk=token.pk).exists()
    assert opens(cast.alice.token) == cast.alice.user.pk
