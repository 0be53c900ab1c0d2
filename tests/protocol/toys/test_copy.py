"""/copy as the engine derives it from a declaration (RFC 8620 §5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.toys.bakery import bake, cake, state
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8620", "5.4")


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


@pytest.fixture
def bob(cast: Cast) -> JMAPClient:
    """Bob, who may write Alice's account too."""
    return JMAPClient(cast.bob)


def copied(client: JMAPClient, alice: JMAPClient, **arguments: Any) -> list[list[Any]]:
    """Every response to a copy from Alice's account into the client's own."""
    return client.responses("ToyCake/copy", {"fromAccountId": alice.account_id, **arguments})


def test_a_copy_has_the_values_of_the_original(alice: JMAPClient, bob: JMAPClient) -> None:
    [made] = bake(alice, "A", weight=3, toppings={"x": True}, shape="square", isFavourite=True)
    before = state(bob)
    [[name, answer, _]] = copied(bob, alice, create={"n": {"id": made}})
    copy = answer["created"]["n"]["id"]
    assert name == "ToyCake/copy"
    assert answer == {
        "fromAccountId": alice.account_id,
        "accountId": bob.account_id,
        "oldState": before,
        "newState": state(bob),
        "created": {
            "n": {"id": copy, "slices": 12, "isFavourite": False, "mayEat": True, "secret": "recipe of A"}
        },
        "notCreated": None,
    }
    assert cake(bob, copy) == {**cake(alice, made), "isFavourite": False}


def test_properties_that_are_sent_replace_those_of_the_original(alice: JMAPClient, bob: JMAPClient) -> None:
    [made] = bake(alice, "A", weight=3)
    [[_, answer, _]] = copied(bob, alice, create={"n": {"id": made, "name": " B ", "isFavourite": True}})
    assert answer["created"]["n"]["name"] == "B"
    shown = cake(bob, answer["created"]["n"]["id"], "name", "weight", "isFavourite")
    assert shown == {"name": "B", "weight": 3, "isFavourite": True}


def test_the_originals_are_destroyed_on_request(alice: JMAPClient, bob: JMAPClient) -> None:
    made, kept = bake(alice, "A", "B")
    bake(bob, "B")
    before = state(alice)
    responses = copied(
        bob, alice, create={"n": {"id": made}, "m": {"id": kept}}, onSuccessDestroyOriginal=True
    )
    assert [(name, call_id) for name, _, call_id in responses] == [
        ("ToyCake/copy", "c"),
        ("ToyCake/set", "c"),
    ]
    assert list(responses[0][1]["created"]) == ["n"]
    destroyed = responses[1][1]
    assert (destroyed["accountId"], destroyed["destroyed"]) == (alice.account_id, [made])
    assert (destroyed["oldState"], destroyed["newState"]) == (before, state(alice))
    assert [each["id"] for each in alice.call("ToyCake/get")["list"]] == [kept]


def test_nothing_copied_is_nothing_destroyed(alice: JMAPClient, bob: JMAPClient) -> None:
    responses = copied(bob, alice, create={"n": {"id": "k999"}}, onSuccessDestroyOriginal=True)
    assert [name for name, _, _ in responses] == ["ToyCake/copy"]


def test_the_destroy_is_held_to_a_state(alice: JMAPClient, bob: JMAPClient) -> None:
    [made] = bake(alice, "A")
    responses = copied(
        bob, alice, create={"n": {"id": made}}, onSuccessDestroyOriginal=True, destroyFromIfInState="x-1"
    )
    assert [name for name, _, _ in responses] == ["ToyCake/copy", "error"]
    assert responses[1][1:] == [{"type": "stateMismatch"}, "c"]
    assert len(alice.call("ToyCake/get")["list"]) == len(bob.call("ToyCake/get")["list"]) == 1


@pytest.mark.parametrize("name", ["ifInState", "ifFromInState"])
def test_a_copy_is_held_to_the_states(alice: JMAPClient, bob: JMAPClient, name: str) -> None:
    [made] = bake(alice, "A")
    [[answered, answer, _]] = copied(bob, alice, create={"n": {"id": made}}, **{name: "x-1"})
    assert (answered, answer) == ("error", {"type": "stateMismatch"})
    assert bob.call("ToyCake/get")["list"] == []
    states = {"ifFromInState": state(alice), "ifInState": state(bob)}
    [[answered, _, _]] = copied(bob, alice, create={"n": {"id": made}}, **states)
    assert answered == "ToyCake/copy"


def test_a_duplicate_that_the_type_forbids_exists_already(alice: JMAPClient, bob: JMAPClient) -> None:
    [made] = bake(alice, "A")
    [there] = bake(bob, "A")
    [[_, answer, _]] = copied(bob, alice, create={"n": {"id": made}})
    assert answer["notCreated"] == {"n": {"type": "alreadyExists", "existingId": there}}
    assert answer["created"] is None


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, {"type": "invalidProperties", "properties": ["id"]}),
        ({"id": None}, {"type": "invalidProperties", "properties": ["id"]}),
        ({"id": 1}, {"type": "invalidProperties", "properties": ["id"]}),
        ({"id": "k 1"}, {"type": "invalidProperties", "properties": ["id"]}),
        ({"id": "#unheardOf"}, {"type": "notFound"}),
        ({"id": "k999"}, {"type": "notFound"}),
        ({"id": "l1"}, {"type": "notFound"}),
        ({"slices": 1}, {"type": "invalidProperties", "properties": ["slices"]}),
        ({"frosting": 1}, {"type": "invalidProperties", "properties": ["frosting"]}),
        ({"weight": -1, "name": ""}, {"type": "invalidProperties", "properties": ["name", "weight"]}),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_copied(
    alice: JMAPClient, bob: JMAPClient, given: dict[str, Any], error: dict[str, Any]
) -> None:
    made, good = bake(alice, "A", "Good")
    record = given if "id" in given or not given else {"id": made, **given}
    [[_, answer, _]] = copied(bob, alice, create={"n": record, "good": {"id": good}})
    assert answer["notCreated"] == {"n": error}
    assert list(answer["created"]) == ["good"]


def test_an_id_of_the_other_account_is_never_taken_over(alice: JMAPClient, bob: JMAPClient) -> None:
    [base] = bake(alice, "Base")
    [top] = bake(alice, "Top", parentId=base)
    here = bake(bob, "One", "Two", "Three")
    assert base in here  # the same id means something else there
    [[_, answer, _]] = copied(bob, alice, create={"n": {"id": top}})
    assert answer["notCreated"] == {"n": {"type": "invalidProperties", "properties": ["parentId"]}}
    [[_, answer, _]] = copied(bob, alice, create={"n": {"id": top, "parentId": here[2]}})
    assert cake(bob, answer["created"]["n"]["id"], "parentId") == {"parentId": here[2]}


def test_one_original_is_copied_twice(alice: JMAPClient, bob: JMAPClient) -> None:
    [made] = bake(alice, "A")
    responses = copied(
        bob, alice, create={"n": {"id": made}, "m": {"id": made, "name": "B"}}, onSuccessDestroyOriginal=True
    )
    assert sorted(responses[0][1]["created"]) == ["m", "n"]
    assert responses[1][1]["destroyed"] == [made]


def test_the_copies_are_known_by_their_creation_ids(alice: JMAPClient, bob: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    answer = bob.request(
        ["ToyCake/set", {**account, "create": {"o": {"name": "A"}}}, "0"],
        ["ToyCake/copy", {"fromAccountId": alice.account_id, "accountId": bob.account_id, "create": {"n": {"id": "#o"}}}, "1"],
        ["ToyCake/get", {"accountId": bob.account_id, "ids": ["#n"], "properties": ["name"]}, "2"],
        createdIds={},
    )  # fmt: skip
    copy = answer["methodResponses"][1][1]["created"]["n"]["id"]
    assert answer["methodResponses"][2][1]["list"] == [{"id": copy, "name": "A"}]
    assert answer["createdIds"]["n"] == copy


def test_the_accounts_differ(alice: JMAPClient) -> None:
    arguments = {"fromAccountId": alice.account_id, "create": {}}
    assert alice.error("ToyCake/copy", arguments) == {"type": "invalidArguments"}


@pytest.mark.parametrize("missing", ["fromAccountId", "create", "accountId"])
def test_arguments_that_must_be_given(alice: JMAPClient, bob: JMAPClient, missing: str) -> None:
    arguments = {"accountId": bob.account_id, "fromAccountId": alice.account_id, "create": {}}
    del arguments[missing]
    [answer] = bob.request(["ToyCake/copy", arguments, "c"])["methodResponses"]
    assert answer == ["error", {"type": "invalidArguments"}, "c"]


def test_an_account_that_the_caller_may_not_see_is_not_there(
    cast: Cast, alice: JMAPClient, bob: JMAPClient
) -> None:
    charlie = JMAPClient(cast.charlie)
    [made] = bake(alice, "A")
    arguments = {"fromAccountId": alice.account_id, "create": {"n": {"id": made}}}
    assert charlie.error("ToyCake/copy", arguments) == {"type": "fromAccountNotFound"}
    arguments = {"accountId": charlie.account_id, **arguments}
    assert bob.error("ToyCake/copy", arguments) == {"type": "accountNotFound"}
    assert charlie.call("ToyCake/get")["list"] == []


def test_who_may_only_read_copies_out_and_not_in(cast: Cast, alice: JMAPClient) -> None:
    dora = JMAPClient(cast.dora)
    [made] = bake(alice, "A")
    [mine] = bake(dora, "D")
    responses = copied(dora, alice, create={"n": {"id": made}}, onSuccessDestroyOriginal=True)
    assert list(responses[0][1]["created"]) == ["n"]
    assert responses[1][1]["notDestroyed"] == {made: {"type": "forbidden"}}
    into = {"accountId": alice.account_id, "fromAccountId": dora.account_id, "create": {"n": {"id": mine}}}
    assert dora.error("ToyCake/copy", into) == {"type": "accountReadOnly"}
    assert [each["name"] for each in alice.call("ToyCake/get")["list"]] == ["A"]


def test_more_than_the_limit_is_too_large(alice: JMAPClient, bob: JMAPClient) -> None:
    create = {f"n{number}": {"id": f"k{number + 1}"} for number in range(501)}
    assert copied(bob, alice, create=create)[0][1] == {"type": "requestTooLarge"}
