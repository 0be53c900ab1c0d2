"""The Session resource (RFC 8620 §2)."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from django.test import Client

from accounts.access import SCOPES
from accounts.credentials import create_access_token
from accounts.provisioning import grant_access
from jmapcore.registry import registry
from tests.support.cast import Cast
from tests.support.client import CORE, TOYS, JMAPClient

pytestmark = pytest.mark.rfc("8620", "2")

MEMBERS = {
    "capabilities", "accounts", "primaryAccounts", "username", "apiUrl", "downloadUrl", "uploadUrl", "eventSourceUrl",
    "state",
}  # fmt: skip


@pytest.mark.rfc("8620", "8.3")
@pytest.mark.rfc("8620", "2.2")
@pytest.mark.parametrize(
    "path",
    ["/.well-known/jmap", "/.well-known/jmap/", "/jmap/session", "/jmap/session/", "/jmap/api", "/jmap/api/"],
)
def test_the_session_is_answered_at_once_and_never_cached(cast: Cast, path: str) -> None:
    client = JMAPClient(cast.alice)
    response = client.http.get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response["Cache-Control"] == "no-cache, no-store, must-revalidate"
    assert orjson.loads(response.content) == client.session()


@pytest.mark.parametrize(
    "path", ["/.well-known/jmapx", "/.well-known/jmap/x", "/jmap/", "/jmap/sessions", "/jmap/api/x"]
)
def test_other_paths_are_none_of_the_session(cast: Cast, path: str) -> None:
    assert JMAPClient(cast.alice).http.get(path).status_code == 404


def test_head_has_no_body(cast: Cast) -> None:
    response = JMAPClient(cast.alice).http.head("/.well-known/jmap")
    assert (response.status_code, response.content) == (200, b"")


def test_the_members_of_the_session(cast: Cast) -> None:
    session = JMAPClient(cast.alice).session()
    assert session.keys() == MEMBERS
    assert session["username"] == cast.alice.address
    advertised = {uri for uri, each in registry.capabilities.items() if each.advertised}
    assert set(session["capabilities"]) == advertised


def test_every_core_limit_is_announced(cast: Cast) -> None:
    assert JMAPClient(cast.alice).session()["capabilities"][CORE] == {
        "maxSizeUpload": 50_000_000,
        "maxConcurrentUpload": 4,
        "maxSizeRequest": 10_000_000,
        "maxConcurrentRequests": 8,
        "maxCallsInRequest": 32,
        "maxObjectsInGet": 1_000,
        "maxObjectsInSet": 500,
        "collationAlgorithms": ["i;ascii-casemap", "i;ascii-numeric", "i;unicode-casemap"],
    }


def test_urls_are_absolute_and_templates_hold_their_variables_alone(cast: Cast, settings: Any) -> None:
    client = JMAPClient(cast.alice)
    client.http.defaults["HTTP_HOST"] = "evil.example"
    client.http.defaults["HTTP_X_FORWARDED_HOST"] = "evil.example"
    session = client.session()
    web, push = settings.PUBLIC_URL, settings.PUSH_PUBLIC_URL
    assert session["apiUrl"] == f"{web}/jmap/api"
    assert session["uploadUrl"].startswith(f"{web}/")
    assert session["downloadUrl"].startswith(f"{web}/")
    assert session["eventSourceUrl"].startswith(f"{push}/")
    variables = {
        name: sorted(re.findall(r"\{([^}]*)\}", session[name])) for name in session if name.endswith("Url")
    }
    assert variables == {
        "apiUrl": [],
        "uploadUrl": ["accountId"],
        "downloadUrl": ["accountId", "blobId", "name", "type"],
        "eventSourceUrl": ["closeafter", "ping", "types"],
    }
    assert "evil" not in orjson.dumps(session).decode()


def test_the_own_account_comes_first_and_is_primary_for_all(cast: Cast) -> None:
    session = JMAPClient(cast.bob).session()
    assert next(iter(session["accounts"])) == cast.bob.account_id
    assert set(session["primaryAccounts"].values()) == {cast.bob.account_id}
    assert CORE in session["primaryAccounts"]


def test_granted_accounts_show_what_may_be_done(cast: Cast) -> None:
    shown = {}
    for person in (cast.alice, cast.bob, cast.dora):
        account = JMAPClient(person).session()["accounts"][cast.alice.account_id]
        shown[person.address] = (account["name"], account["isPersonal"], account["isReadOnly"])
        assert account["accountCapabilities"][CORE] == {}
        assert account["accountCapabilities"][TOYS] == {"mayBake": person is not cast.dora}
    alice = cast.alice.address
    assert shown == {
        alice: (alice, True, False),
        cast.bob.address: (alice, False, False),
        cast.dora.address: (alice, False, True),
    }


def test_nothing_of_another_tenant_shows(cast: Cast) -> None:
    session = JMAPClient(cast.charlie).session()
    assert list(session["accounts"]) == [cast.charlie.account_id]
    assert cast.north_domain.name not in orjson.dumps(session).decode()


def test_the_state_of_every_response_is_that_of_the_session(cast: Cast) -> None:
    for person in (cast.alice, cast.bob):
        client = JMAPClient(person)
        session = client.session()
        assert client.session() == session
        assert client.request(["Core/echo", {}, "c"])["sessionState"] == session["state"]


def test_a_grant_changes_the_session_and_its_state(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    before = alice.session()
    grant_access(cast.bob.account, cast.alice.user, is_read_only=True)
    after = alice.session()
    assert after["state"] != before["state"]
    assert after["accounts"][cast.bob.account_id]["isReadOnly"] is True
    assert alice.request(["Core/echo", {}, "c"])["sessionState"] == after["state"]


@pytest.mark.rfc("8621", "1.4")
def test_a_capability_that_the_credential_does_not_open_does_not_show(cast: Cast) -> None:
    scoped = {uri for uri, each in registry.capabilities.items() if each.scope is not None}
    _, token = create_access_token(
        cast.alice.user, scopes=["openid" if "openid" in SCOPES else sorted(SCOPES)[0]]
    )
    session = JMAPClient(cast.alice, f"Bearer {token}").session()
    opened = {uri for uri in scoped if uri in session["capabilities"]}
    account = session["accounts"][cast.alice.account_id]["accountCapabilities"]
    assert (
        opened
        == {uri for uri in scoped if uri in account}
        == {uri for uri in scoped if uri in session["primaryAccounts"]}
    )
    assert CORE in session["capabilities"]


@pytest.mark.parametrize("path", ["/.well-known/jmap", "/jmap/api"])
def test_without_credentials_there_is_none(cast: Cast, path: str) -> None:
    assert Client().get(path).status_code == 401
