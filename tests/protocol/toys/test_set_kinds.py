"""Foo/set of types with values for each user, without an account, with one object, with arguments of their own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.toys.bakery import bake, cake, set_cakes
from tests.support.cast import Cast
from tests.support.client import JMAPClient


@pytest.mark.rfc("8620", "5.3")
def test_each_user_writes_a_value_of_their_own(cast: Cast, alice: JMAPClient) -> None:
    bob = JMAPClient(cast.bob)
    [made] = bake(alice, "A", isFavourite=True)
    bob.call(
        "ToyCake/set", {"accountId": alice.account_id, "update": {made: {"isFavourite": True, "weight": 2}}}
    )
    alice.call("ToyCake/set", {"update": {made: {"isFavourite": False}}})
    assert cake(alice, made, "isFavourite", "weight") == {"isFavourite": False, "weight": 2}
    assert cake(bob, made, "isFavourite", account_id=alice.account_id) == {"isFavourite": True}


@pytest.mark.rfc("8620", "5.3")
def test_who_may_only_read_writes_their_own_values_alone(cast: Cast, alice: JMAPClient) -> None:
    dora = JMAPClient(cast.dora)
    account = {"accountId": alice.account_id}
    [made] = bake(alice, "A")
    liked = dora.call("ToyCake/set", {**account, "update": {made: {"isFavourite": True, "weight": 500}}})
    assert liked["updated"] == {made: None}
    before = cake(alice, made)
    forbidden = {"type": "forbidden"}
    for patch in (
        {"weight": 1},
        {"isFavourite": False, "weight": 1},
        {"shape": "square"},
        {"toppings/x": True},
    ):
        answer = dora.call("ToyCake/set", {**account, "update": {made: patch}})
        assert answer["notUpdated"] == {made: forbidden}
    answer = dora.call("ToyCake/set", {**account, "create": {"b": {"name": "B"}}, "destroy": [made]})
    assert answer["notCreated"] == {"b": forbidden}
    assert answer["notDestroyed"] == {made: forbidden}
    assert cake(alice, made) == before
    assert cake(dora, made, "isFavourite", "name", account_id=alice.account_id) == {
        "isFavourite": True,
        "name": "A",
    }


@pytest.mark.rfc("8620", "3.6.2")
def test_a_type_that_is_not_open_to_readers_is_read_only(cast: Cast, alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    arguments = {"accountId": alice.account_id, "create": {"c": {"cakeId": made}}}
    assert JMAPClient(cast.dora).error("ToyCandle/set", arguments) == {"type": "accountReadOnly"}
    assert alice.call("ToyCandle/get")["list"] == []


@pytest.mark.rfc("8620", "5.3")
def test_a_singleton_is_neither_created_nor_destroyed(alice: JMAPClient) -> None:
    answer = alice.call(
        "ToyOven/set",
        {
            "create": {"a": {"degrees": 30}},
            "update": {"singleton": {"degrees": 200}},
            "destroy": ["singleton"],
        },
    )
    assert answer["notCreated"] == {"a": {"type": "singleton"}}
    assert answer["notDestroyed"] == {"singleton": {"type": "singleton"}}
    assert answer["notUpdated"] == {"singleton": {"type": "willDestroy"}} or answer["updated"] == {
        "singleton": None
    }
    assert alice.call("ToyOven/set", {"update": {"singleton": {"degrees": 200}}})["updated"] == {
        "singleton": None
    }
    assert alice.call("ToyOven/get")["list"] == [{"id": "singleton", "degrees": 200}]


def crumbs(client: JMAPClient, method: str, **arguments: Any) -> dict[str, Any]:
    """What a method of ToyCrumb answers, by name or as an error."""
    [[_, answer, _]] = client.request([f"ToyCrumb/{method}", arguments, "c"])["methodResponses"]
    found: dict[str, Any] = answer
    return found


@pytest.mark.rfc("8620", "5")
def test_a_type_of_no_account_and_no_state(cast: Cast, alice: JMAPClient) -> None:
    answer = crumbs(alice, "set", create={"a": {"size": 3, "of": "bread"}, "b": {"of": None}, "c": {}})
    assert answer.keys() == {"created", "updated", "destroyed", "notCreated", "notUpdated", "notDestroyed"}
    assert answer["notCreated"] == {"c": {"type": "invalidProperties", "properties": ["of"]}}
    made = answer["created"]["a"]["id"]
    assert crumbs(alice, "set", ifInState="x") == {"type": "invalidArguments"}
    gone = answer["created"]["b"]["id"]
    changed = crumbs(alice, "set", update={made: {"size": 4, "of": None}}, destroy=[gone])
    assert (changed["updated"], changed["destroyed"]) == ({made: None}, [gone])
    assert crumbs(alice, "get")["list"] == [{"id": made, "size": 4, "of": None}]
    assert crumbs(JMAPClient(cast.bob), "get")["list"] == []


@pytest.mark.rfc("8620", "5.3")
def test_a_type_may_take_properties_that_it_does_not_declare(alice: JMAPClient) -> None:
    answer = crumbs(alice, "set", create={"a": {"of": None, "note:x": [1]}, "b": {"of": None, "x": 1}})
    assert answer["notCreated"] == {"b": {"type": "invalidProperties", "properties": ["x"]}}
    made = answer["created"]["a"]["id"]
    assert answer["created"]["a"] == {"id": made, "size": 1}
    assert crumbs(alice, "get", ids=[made], properties=["note:x"])["list"] == [{"id": made, "note:x": [1]}]
    assert crumbs(alice, "get", properties=["x"]) == {"type": "invalidArguments"}


@pytest.mark.rfc("8620", "5.3")
def test_extra_arguments_add_to_the_answer(alice: JMAPClient) -> None:
    assert set_cakes(alice, ringTheBell=True)["rang"] is True
    assert "rang" not in set_cakes(alice)


@pytest.mark.rfc("8620", "3.2")
def test_an_implicit_call_answers_under_the_same_call_id(alice: JMAPClient) -> None:
    responses = alice.responses("ToyCake/set", {"create": {"a": {"name": "A"}}, "onSuccessGet": True})
    assert [(name, call_id) for name, _, call_id in responses] == [("ToyCake/set", "c"), ("ToyCake/get", "c")]
    assert responses[0][1]["newState"] == responses[1][1]["state"]


@pytest.mark.rfc("8620", "5.3")
def test_a_reference_to_another_type_is_checked(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    answer = alice.call(
        "ToyCandle/set",
        {"create": {"a": {"cakeId": made}, "b": {"cakeId": "k999999"}, "c": {"cakeId": "#nobody"}, "d": {}}},
    )
    invalid = {"type": "invalidProperties", "properties": ["cakeId"]}
    assert answer["notCreated"] == {"b": invalid, "c": invalid, "d": invalid}
    assert list(answer["created"]) == ["a"]


@pytest.mark.rfc("8620", "5.3")
def test_a_reference_goes_to_no_other_account(cast: Cast, alice: JMAPClient) -> None:
    bob = JMAPClient(cast.bob)
    theirs = bake(bob, "A", "B", "C", "D")[3]
    answer = set_cakes(alice, create={"a": {"name": "A", "parentId": theirs}})
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["parentId"]}}
