"""Quotas of domains, tenants and everything: for administrators alone, in their own accounts (RFC 9425 §3.1, §8)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.provisioning import grant_access
from accounts.quotas import OCTETS, Limits, set_administers, set_limits, unset_limits
from jmapcore.tasks import refresh_quotas
from tests.protocol.post import add, message
from tests.support.cast import Cast
from tests.support.client import JMAPClient


@pytest.fixture
def limited(cast: Cast) -> Cast:
    """A tenant and a domain with limits, and Alice, who administers the tenant."""
    set_limits(cast.north, OCTETS, Limits(50_000, None, 40_000))
    set_limits(cast.north_domain, OCTETS, Limits(30_000, 25_000, 20_000))
    set_limits(cast.alice.account, OCTETS, Limits(None))
    set_administers(cast.alice.user, "tenant")
    refresh_quotas()
    return cast


def scopes(client: JMAPClient, **arguments: Any) -> list[tuple[str, str, str]]:
    """Scope, name and resource of all Quotas."""
    found = client.call("Quota/get", {"ids": None, **arguments})["list"]
    return [(each["scope"], each["name"], each["resourceType"]) for each in found]


@pytest.mark.rfc("9425", "3.1")
@pytest.mark.rfc("9425", "8")
def test_an_administrator_sees_domain_and_tenant_in_the_scope_domain(limited: Cast) -> None:
    alice = JMAPClient(limited.alice)
    raw = message(1)
    add(JMAPClient(limited.bob), raw)
    refresh_quotas()
    found = alice.call("Quota/get", {"ids": None})["list"]
    by_name = {each["name"]: each for each in found if each["scope"] == "domain"}
    assert [each["scope"] for each in found] == ["account", "domain", "domain"]
    tenant = dict(by_name[limited.north.name])
    assert tenant.pop("id") not in {"q1", "q2"}
    assert tenant == {
        "resourceType": "octets",
        "used": len(raw),
        "hardLimit": 50_000,
        "scope": "domain",
        "name": limited.north.name,
        "types": ["Email"],
        "warnLimit": 40_000,
        "softLimit": None,
        "description": f"The size of all messages of all accounts of {limited.north.name},"
        " in whichever of its domains.",
    }
    assert by_name[limited.north_domain.name]["softLimit"] == 25_000


@pytest.mark.rfc("9425", "8")
def test_nobody_else_sees_them(limited: Cast) -> None:
    own = [("account", limited.bob.address, "octets"), ("account", limited.bob.address, "count")]
    assert scopes(JMAPClient(limited.bob)) == own
    assert {scope for scope, _, _ in scopes(JMAPClient(limited.charlie))} == {"account"}


@pytest.mark.rfc("9425", "8")
def test_who_is_a_guest_in_an_administrator_s_account_sees_and_learns_nothing_of_them(limited: Cast) -> None:
    alice, bob = JMAPClient(limited.alice), JMAPClient(limited.bob)
    there = {"accountId": alice.account_id}
    state = bob.call("Quota/get", {**there, "ids": None})["state"]
    assert {scope for scope, _, _ in scopes(bob, **there)} == {"account"}
    add(bob, message(1))
    refresh_quotas()
    mine = alice.call("Quota/changes", {"sinceState": state})
    theirs = bob.call("Quota/changes", {**there, "sinceState": state})
    moved = bob.call(
        "Quota/queryChanges", {**there, "sinceQueryState": state, "sort": [{"property": "used"}]}
    )
    assert (len(mine["updated"]), theirs["updated"]) == (2, [])
    assert (moved["removed"], moved["added"]) == ([], [])
    assert bob.call("Quota/query", {**there, "filter": {"scope": "domain"}})["ids"] == []
    shared = {"ids": mine["updated"], **there}
    assert bob.call("Quota/get", shared)["list"] == []


def test_an_administrator_sees_them_in_the_own_account_alone(limited: Cast) -> None:
    grant_access(limited.bob.account, limited.alice.user)
    alice = JMAPClient(limited.alice)
    assert {scope for scope, _, _ in scopes(alice, accountId=limited.bob.account_id)} == {"account"}


@pytest.mark.rfc("9425", "4.3")
def test_their_usage_is_told_apart_too(limited: Cast) -> None:
    alice = JMAPClient(limited.alice)
    state = alice.call("Quota/get", {"ids": []})["state"]
    add(JMAPClient(limited.bob), message(1))
    refresh_quotas()
    changes = alice.call("Quota/changes", {"sinceState": state})
    assert (len(changes["updated"]), changes["updatedProperties"]) == (2, ["used"])


def test_one_limit_is_one_filter_away(limited: Cast) -> None:
    alice = JMAPClient(limited.alice)
    found = alice.call("Quota/query", {"filter": {"scope": "domain", "name": limited.north.name[:5]}})["ids"]
    assert len(found) == 2
    assert len(alice.call("Quota/query", {"filter": {"name": limited.north.name}})["ids"]) == 1


def test_who_is_no_administrator_any_more_loses_them_at_once(limited: Cast) -> None:
    alice = JMAPClient(limited.alice)
    state = alice.call("Quota/get", {"ids": []})["state"]
    set_administers(limited.alice.user, "")
    assert {scope for scope, _, _ in scopes(alice)} == {"account"}
    assert len(alice.call("Quota/changes", {"sinceState": state})["destroyed"]) == 2


@pytest.mark.rfc("9425", "3.1")
def test_the_quota_of_everything_is_global(limited: Cast) -> None:
    set_limits(None, OCTETS, Limits(2**50))
    try:
        set_administers(limited.alice.user, "server")
        assert ("global", "all accounts", "octets") in scopes(JMAPClient(limited.alice))
    finally:
        unset_limits(None, OCTETS)
        refresh_quotas()
    assert "global" not in {scope for scope, _, _ in scopes(JMAPClient(limited.alice))}
