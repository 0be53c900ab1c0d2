"""Whoever was let in a moment ago and no longer is: out from the next request on, whatever that request asks for first."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AccessToken, AppPassword
from accounts.provisioning import revoke_access, set_user_suspended
from jmapcore.protocol.registry import Method
from jmapcore.registry import registry
from tests.protocol.post import add, message
from tests.protocol.test_tenants import METHODS, arguments, everything, named
from tests.support.cast import Cast
from tests.support.client import JMAPClient


def ask(client: JMAPClient, *calls: list[Any]) -> int:
    """The HTTP status of a request."""
    return client.post({"using": list(registry.capabilities), "methodCalls": list(calls)}).status_code


@pytest.mark.rfc("8620", "8.2")
@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_revoked_token_calls_nothing(cast: Cast, method: Method) -> None:
    alice = JMAPClient(cast.alice)
    add(alice, message(1))
    before = everything(cast.alice)
    AccessToken.objects.filter(user=cast.alice.user).delete()
    given = arguments(method, cast.alice.account_id, cast.alice.account_id)
    assert ask(alice, [method.name, given, "0"]) == 401
    assert everything(cast.alice) == before


def test_a_deleted_app_password_calls_nothing(cast: Cast) -> None:
    alice = JMAPClient(cast.alice, cast.alice.basic)
    for _ in range(2):
        assert ask(alice, ["Mailbox/get", {"accountId": alice.account_id}, "0"]) == 200
    AppPassword.objects.filter(user=cast.alice.user).delete()
    assert ask(alice, ["Mailbox/get", {"accountId": alice.account_id}, "0"]) == 401


def test_a_revoked_token_learns_nothing_from_errors(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    assert ask(alice, ["Core/echo", {}, "0"]) == 200
    AccessToken.objects.filter(user=cast.alice.user).delete()
    assert alice.post(b"{").status_code == 401


def test_a_revoked_token_neither_echoes_nor_opens_a_session(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    assert ask(alice, ["Core/echo", {}, "0"]) == 200
    assert alice.http.get("/jmap/session").status_code == 200
    AccessToken.objects.filter(user=cast.alice.user).delete()
    assert ask(alice, ["Core/echo", {}, "0"]) == 401
    assert alice.http.get("/jmap/session").status_code == 401


def test_a_revoked_token_downloads_nothing(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    email_id = add(alice, message(1))
    [email] = alice.call("Email/get", {"ids": [email_id], "properties": ["blobId"]})["list"]
    url = f"/jmap/download/{alice.account_id}/{email['blobId']}/x?type=text/plain"
    assert alice.http.get(url).status_code == 200
    AccessToken.objects.filter(user=cast.alice.user).delete()
    assert alice.http.get(url).status_code == 401


@pytest.mark.rfc("8620", "6.1")
def test_a_revoked_token_uploads_nothing(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    alice.upload(b"first", "text/plain")
    before = everything(cast.alice)
    AccessToken.objects.filter(user=cast.alice.user).delete()
    url = f"/jmap/upload/{alice.account_id}/"
    assert alice.http.post(url, b"second", content_type="text/plain").status_code == 401
    assert everything(cast.alice) == before


@pytest.mark.rfc("8620", "6.1")
def test_an_upload_is_whole_where_the_rights_are_others_than_a_moment_ago(cast: Cast) -> None:
    bob = JMAPClient(cast.bob)
    bob.upload(b"first", "text/plain")
    revoke_access(cast.alice.account, cast.bob.user)
    second = bob.upload(b"second", "text/plain")
    assert second["size"] == 6
    assert bob.download(second["blobId"]).content == b"second"


@pytest.mark.rfc("8620", "6.1")
def test_an_upload_to_an_account_that_was_withdrawn_finds_none(cast: Cast) -> None:
    bob, account_id = JMAPClient(cast.bob), cast.alice.account_id
    bob.upload(b"first", "text/plain", account_id)
    before = everything(cast.alice)
    revoke_access(cast.alice.account, cast.bob.user)
    response = bob.http.post(f"/jmap/upload/{account_id}/", b"second", content_type="text/plain")
    assert response.status_code == 404
    assert everything(cast.alice) == before


def test_a_withdrawn_grant_is_no_longer_there_within_the_same_header(cast: Cast) -> None:
    bob = JMAPClient(cast.bob)
    bob.account_id = cast.alice.account_id
    assert bob.call("Mailbox/get", {})["list"] != []
    revoke_access(cast.alice.account, cast.bob.user)
    assert bob.error("Mailbox/get", {}) == {"type": "accountNotFound"}
    assert bob.error("Mailbox/set", {"create": {"n": {"name": "x"}}}) == {"type": "accountNotFound"}


def test_who_is_suspended_is_forbidden_and_welcome_again_afterwards(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    calls = ["Mailbox/get", {"accountId": alice.account_id}, "0"]
    assert ask(alice, calls) == 200
    set_user_suspended(cast.alice.user, True)
    assert ask(alice, calls) == 403
    set_user_suspended(cast.alice.user, False)
    assert ask(alice, calls) == 200
