"""Identity/set (RFC 8621 §6.3)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import provisioning
from mail.types.identity import MAX_IDENTITIES
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8621", "6.3")


def create(client: JMAPClient, **properties: Any) -> dict[str, Any]:
    """What Identity/set answers to one create."""
    return client.call("Identity/set", {"create": {"new": properties}})


def given(client: JMAPClient) -> dict[str, Any]:
    """The identity of the owner's address."""
    found: dict[str, Any] = client.call("Identity/get", {"ids": None})["list"][0]
    return found


def emails(client: JMAPClient) -> list[str]:
    """The addresses of all identities."""
    return [each["email"] for each in client.call("Identity/get", {"ids": None})["list"]]


def test_a_user_adds_one_with_everything_in_it(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    properties = {
        "name": "Alice at work",
        "email": cast.alice.address,
        "replyTo": [{"name": "Office", "email": "office@example.org"}],
        "bcc": [{"name": None, "email": "archive@example.org"}],
        "textSignature": "-- \nAlice",
        "htmlSignature": "<div>Alice</div>",
    }
    answer = create(client, **properties)
    created = answer["created"]["new"]
    assert set(created) == {"id", "mayDelete"}
    (stored,) = client.call("Identity/get", {"ids": [created["id"]]})["list"]
    assert stored == {**properties, "id": created["id"], "mayDelete": True}


def test_a_name_that_is_left_out_of_an_address_is_null(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    answer = create(client, email=cast.alice.address, bcc=[{"email": "archive@example.org"}])
    assert answer["created"]["new"]["bcc"] == [{"name": None, "email": "archive@example.org"}]


def test_an_address_is_kept_in_its_normal_spelling(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    answer = create(client, email=cast.alice.address.upper())
    assert answer["created"]["new"]["email"] == cast.alice.address


def test_an_address_without_its_detail_is_the_users(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    local_part, _, domain = cast.alice.address.partition("@")
    assert create(client, email=f"{local_part}+lists@{domain}")["notCreated"] is None


@pytest.mark.rfc("8621", "9.6")
@pytest.mark.parametrize("email", ["someone@elsewhere.example", "*", "no address", "", "*@elsewhere.example"])
def test_an_address_of_nobody_here_is_forbidden(cast: Cast, email: str) -> None:
    client = JMAPClient(cast.alice)
    assert create(client, email=email)["notCreated"] == {"new": {"type": "forbiddenFrom"}}
    assert emails(client) == [cast.alice.address]


@pytest.mark.rfc("8621", "9.6")
def test_an_address_of_a_colleague_is_forbidden(cast: Cast) -> None:
    answer = create(JMAPClient(cast.alice), email=cast.bob.address)
    assert answer["notCreated"] == {"new": {"type": "forbiddenFrom"}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "two\r\nBcc: lines@example.org"),
        ("name", "x" * 1_001),
        ("replyTo", [{"name": "a\nb", "email": "a@example.org"}]),
        ("bcc", [{"name": None, "email": "a@example.org\r\nX: y"}]),
        ("bcc", [{"name": None}]),
        ("replyTo", "a@example.org"),
        ("textSignature", None),
        ("htmlSignature", "x" * 100_001),
        ("mayDelete", False),
        ("signature", ""),
    ],
)
def test_what_cannot_be_names_its_property(cast: Cast, name: str, value: Any) -> None:
    answer = create(JMAPClient(cast.alice), email=cast.alice.address, **{name: value})
    assert answer["notCreated"] == {"new": {"type": "invalidProperties", "properties": [name]}}


def test_an_address_must_be_given(cast: Cast) -> None:
    answer = create(JMAPClient(cast.alice), name="Alice")
    assert answer["notCreated"] == {"new": {"type": "invalidProperties", "properties": ["email"]}}


def test_the_given_one_takes_a_signature(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    number = given(client)["id"]
    answer = client.call("Identity/set", {"update": {number: {"textSignature": "A.", "name": "Al"}}})
    assert answer["updated"] == {number: None}
    assert (given(client)["textSignature"], given(client)["name"]) == ("A.", "Al")


@pytest.mark.rfc("8621", "6")
@pytest.mark.parametrize(("name", "value"), [("email", "x@example.org"), ("mayDelete", True)])
def test_what_is_immutable_stays(cast: Cast, name: str, value: Any) -> None:
    client = JMAPClient(cast.alice)
    before = given(client)
    answer = client.call("Identity/set", {"update": {before["id"]: {name: value}}})
    assert answer["notUpdated"] == {before["id"]: {"type": "invalidProperties", "properties": [name]}}
    assert given(client) == before


@pytest.mark.rfc("8621", "6")
def test_the_given_one_cannot_be_destroyed(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    number = given(client)["id"]
    answer = client.call("Identity/set", {"destroy": [number]})
    assert answer["notDestroyed"] == {number: {"type": "forbidden"}}
    assert answer["newState"] == answer["oldState"]


def test_what_a_user_added_can_be_destroyed(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    number = create(client, email=cast.alice.address)["created"]["new"]["id"]
    assert client.call("Identity/set", {"destroy": [number]})["destroyed"] == [number]
    assert emails(client) == [cast.alice.address]


def test_one_that_is_created_and_destroyed_by_one_call(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    answer = client.call(
        "Identity/set", {"create": {"new": {"email": cast.alice.address}}, "destroy": ["#new"]}
    )
    assert (len(answer["destroyed"]), emails(client)) == (1, [cast.alice.address])


@pytest.mark.rfc("8620", "5.3")
def test_there_are_not_too_many(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    wanted = {f"n{number}": {"email": cast.alice.address} for number in range(MAX_IDENTITIES + 1)}
    answer = client.call("Identity/set", {"create": wanted})
    assert answer["notCreated"] == {f"n{MAX_IDENTITIES}": {"type": "overQuota"}}


@pytest.mark.rfc("8621", "6")
def test_a_catch_all_gives_every_address_of_its_domain_that_nobody_has(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    domain = cast.north_domain.name
    provisioning.set_catch_all(cast.north_domain, cast.alice.account)
    assert emails(client) == [cast.alice.address, f"*@{domain}"]
    free, taken = (create(client, email=f"free@{domain}"), create(client, email=cast.bob.address))
    assert (free["notCreated"], taken["notCreated"]) == (None, {"new": {"type": "forbiddenFrom"}})
    provisioning.set_catch_all(cast.north_domain, cast.bob.account)
    assert emails(client) == [cast.alice.address]


def test_those_of_an_alias_go_with_it(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    alias = provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.alice.account)
    assert create(client, email=alias.address, name="Mine")["notCreated"] is None
    assert emails(client) == [cast.alice.address, alias.address, alias.address]
    provisioning.remove_alias(alias)
    assert emails(client) == [cast.alice.address]


def test_an_address_that_somebody_gets_is_no_more_the_catch_alls(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    provisioning.set_catch_all(cast.north_domain, cast.alice.account)
    address = f"sales@{cast.north_domain.name}"
    create(client, email=address)
    provisioning.add_alias(address, cast.bob.account)
    assert emails(client) == [cast.alice.address, f"*@{cast.north_domain.name}"]


def test_a_new_name_of_the_owner_replaces_the_former_one(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    alias = provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.alice.account)
    of_alias = client.call("Identity/get", {"ids": None})["list"][1]
    client.call("Identity/set", {"update": {of_alias["id"]: {"name": "Sales"}}})
    provisioning.rename_user(cast.alice.user, "Alice Anders")
    names = {each["email"]: each["name"] for each in client.call("Identity/get", {"ids": None})["list"]}
    assert names == {cast.alice.address: "Alice Anders", alias.address: "Sales"}


@pytest.mark.rfc("8621", "6.2")
def test_changes_tell_of_what_was_given_and_taken(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    before = client.call("Identity/get", {"ids": []})["state"]
    alias = provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.alice.account)
    number = client.call("Identity/get", {"ids": None})["list"][1]["id"]
    between = client.call("Identity/changes", {"sinceState": before})
    provisioning.remove_alias(alias)
    after = client.call("Identity/changes", {"sinceState": between["newState"]})
    assert (between["created"], after["destroyed"]) == ([number], [number])


@pytest.mark.rfc("8621", "1.4")
def test_who_may_not_send_adds_none(cast: Cast) -> None:
    client = JMAPClient(cast.bob)
    answer = client.error("Identity/set", {"accountId": cast.alice.account_id, "create": {}})
    assert answer == {"type": "accountNotSupportedByMethod"}


def test_who_may_send_as_somebody_adds_one_there(cast: Cast) -> None:
    provisioning.grant_access(cast.alice.account, cast.bob.user, may_send_as=True)
    create_one = {"create": {"new": {"email": cast.alice.address}, "own": {"email": cast.bob.address}}}
    answer = JMAPClient(cast.bob).call("Identity/set", {"accountId": cast.alice.account_id, **create_one})
    assert (list(answer["created"]), answer["notCreated"]) == (["new"], {"own": {"type": "forbiddenFrom"}})
