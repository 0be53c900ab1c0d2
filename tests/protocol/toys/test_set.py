"""/set as the engine derives it from a declaration (RFC 8620 §5.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.toys.bakery import bake, cake, set_cakes, state
from tests.support.cast import Cast
from tests.support.client import JMAPClient


@pytest.mark.rfc("8620", "5.3")
def test_a_create_answers_what_the_client_did_not_send(cast: Cast) -> None:
    created = JMAPClient(cast.alice).call("ToyCake/set", {"create": {"a": {"name": "Tart", "weight": 100}}})
    assert created["created"]["a"].keys() == {
        "id", "parentId", "tag", "isVegan", "bakedAt", "toppings", "layers", "shape", "slices", "isFavourite",
        "mayEat", "secret",
    }  # fmt: skip
    assert created["notCreated"] is None


@pytest.mark.rfc("8620", "5.3")
def test_a_volatile_property_is_told_apart(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    made = client.call("ToyCake/set", {"create": {"a": {"name": "A"}}})
    cake = made["created"]["a"]["id"]
    client.call("ToyCandle/set", {"create": {"c": {"cakeId": cake}}})
    changes = client.call("ToyCake/changes", {"sinceState": made["newState"]})
    assert (changes["updated"], changes["updatedProperties"]) == ([cake], ["slices"])


@pytest.mark.rfc("8620", "5.3")
def test_every_member_of_the_response_is_there(alice: JMAPClient) -> None:
    before = state(alice)
    assert set_cakes(alice) == {
        "accountId": alice.account_id,
        "oldState": before,
        "newState": before,
        "created": None,
        "updated": None,
        "destroyed": None,
        "notCreated": None,
        "notUpdated": None,
        "notDestroyed": None,
    }


@pytest.mark.rfc("8620", "5.3")
def test_the_states_before_and_after_are_told(alice: JMAPClient) -> None:
    before = state(alice)
    answer = set_cakes(alice, create={"a": {"name": "A"}})
    assert (answer["oldState"], answer["newState"]) == (before, state(alice))
    assert answer["newState"] != before


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize(
    ("given", "invalid"),
    [
        ({}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": 1}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": " "}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"name": "a\0b"}, ["name"]),
        ({"name": "A", "id": "k1"}, ["id"]),
        ({"name": "A", "slices": 12}, ["slices"]),
        ({"name": "A", "mayEat": True}, ["mayEat"]),
        ({"name": "A", "frosting": 1, "": 2}, ["", "frosting"]),
        ({"name": "A", "weight": -1, "isVegan": 0}, ["isVegan", "weight"]),
        ({"name": "A", "weight": 2**53}, ["weight"]),
        ({"name": "A", "weight": 1e300}, ["weight"]),
        ({"name": "A", "bakedAt": "yesterday"}, ["bakedAt"]),
        ({"name": "A", "toppings": {"x": False}}, ["toppings"]),
        ({"name": "A", "toppings": ["x"]}, ["toppings"]),
        ({"name": "A", "layers": [{"height": 1}]}, ["layers"]),
        ({"name": "A", "layers": [{"of": "x", "height": 10}]}, ["layers"]),
        ({"name": "A", "shape": "oval"}, ["shape"]),
        ({"name": "A", "parentId": "k999999"}, ["parentId"]),
        ({"name": "A", "parentId": "#nobody"}, ["parentId"]),
        ({"name": "A", "parentId": "l1"}, ["parentId"]),
        ({"name": "A", "parentId": "k 1"}, ["parentId"]),
        ({"name": "A", "parentId": "#self"}, ["parentId"]),
        ({"name": 1, "parentId": "#nobody", "weight": -1}, ["name", "parentId", "weight"]),
        ({"name": 1, "parentId": "k999999"}, ["name", "parentId"]),
        ({"name": 1, "parentId": "#good"}, ["name"]),
        ({"name": " ", "parentId": "#nobody"}, ["name", "parentId"]),
        ({"name": "A", "toppings/x": True}, ["toppings/x"]),
    ],
)  # fmt: skip
def test_a_create_with_invalid_properties_names_all_of_them(
    alice: JMAPClient, given: dict[str, Any], invalid: list[str]
) -> None:
    answer = set_cakes(alice, create={"self": given, "good": {"name": "Good"}})
    assert answer["notCreated"] == {"self": {"type": "invalidProperties", "properties": invalid}}
    assert list(answer["created"]) == ["good"]
    assert [each["name"] for each in alice.call("ToyCake/get")["list"]] == ["Good"]


@pytest.mark.rfc("8620", "5.3")
def test_what_was_sent_otherwise_is_told(alice: JMAPClient) -> None:
    created = set_cakes(
        alice, create={"a": {"name": " A ", "bakedAt": "2020-01-01T00:00:00.5Z", "weight": 1.0}}
    )
    made = created["created"]["a"]
    assert (made["name"], made["bakedAt"]) == ("A", "2020-01-01T00:00:00Z")
    assert "weight" not in made


@pytest.mark.rfc("8620", "5.3")
def test_what_an_update_changed_otherwise_is_told(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    answer = set_cakes(
        alice, update={made: {"name": " B ", "weight": 7, "bakedAt": "2020-01-01T00:00:00.5Z"}}
    )
    assert answer["updated"] == {made: {"name": "B", "bakedAt": "2020-01-01T00:00:00Z"}}
    assert cake(alice, made, "name", "weight") == {"name": "B", "weight": 7}


@pytest.mark.rfc("8620", "5.3")
def test_a_whole_object_is_a_patch(alice: JMAPClient) -> None:
    [made] = bake(alice, "A", toppings={"x": True}, layers=[{"of": "jam"}], tag="t")
    whole = {"id": made, **cake(alice, made)}
    before = state(alice)
    assert set_cakes(alice, update={made: whole})["updated"] == {made: None}
    assert state(alice) == before
    assert set_cakes(alice, update={made: {**whole, "weight": 1}})["updated"] == {made: None}
    assert {"id": made, **cake(alice, made)} == {**whole, "weight": 1}


@pytest.mark.rfc("8620", "1.1")
@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ({"id": "k999"}, ["id"]),
        ({"id": None}, ["id"]),
        ({"slices": 11}, ["slices"]),
        ({"slices": None}, ["slices"]),
        ({"mayEat": False}, ["mayEat"]),
        ({"mayEat": None}, ["mayEat"]),
        ({"shape": "square"}, ["shape"]),
        ({"secret": "x", "frosting": 1}, ["frosting", "secret"]),
        ({"name": None}, ["name"]),
        ({"name": " ", "weight": 1}, ["name"]),
        ({"weight": "1"}, ["weight"]),
        ({"toppings/x": False}, ["toppings"]),
        ({"toppings/x": 1, "toppings/y": True}, ["toppings"]),
        ({"parentId": "k999999"}, ["parentId"]),
        ({"parentId": "#nobody", "weight": "1"}, ["parentId", "weight"]),
        ({"parentId": "k999999", "name": " "}, ["name", "parentId"]),
        ({"layers/0": {}}, None),
        ({"layers/-": {}}, None),
        ({"toppings/x/y": True}, None),
        ({"frosting/x": True}, None),
        ({"name/x": True}, None),
        ({"bakedAt/x": True}, None),
        ({"toppings": {}, "toppings/x": True}, None),
        ({"weight": 1, "~": 1}, None),
        ({"toppings/~": True}, None),
        ({"toppings/a~2": True}, None),
        ({"mayEat/x": True}, None),
    ],
)  # fmt: skip
def test_an_update_that_is_refused_changes_nothing(
    alice: JMAPClient, patch: dict[str, Any], error: list[str] | None
) -> None:
    [made] = bake(alice, "A", toppings={"x": True})
    before, was = cake(alice, made), state(alice)
    answer = set_cakes(alice, update={made: patch})
    expected = {"type": "invalidProperties", "properties": error} if error else {"type": "invalidPatch"}
    assert answer["notUpdated"] == {made: expected}
    assert answer["updated"] is None
    assert (cake(alice, made), state(alice)) == (before, was)


@pytest.mark.rfc("8620", "1.1")
@pytest.mark.rfc("8620", "5.3")
def test_server_set_and_immutable_properties_may_be_sent_as_they_are(alice: JMAPClient) -> None:
    [made] = bake(alice, "A", shape="square")
    patch = {
        "id": made,
        "slices": 12,
        "shape": "square",
        "mayEat": True,
        "secret": "recipe of A",
        "weight": 3,
    }
    assert set_cakes(alice, update={made: patch})["updated"] == {made: None}


@pytest.mark.rfc("8620", "5.3")
def test_null_sets_the_default(alice: JMAPClient) -> None:
    [made] = bake(alice, "A", weight=3, toppings={"x": True}, tag="t", isVegan=True, isFavourite=True)
    patch = dict.fromkeys(["weight", "toppings", "tag", "isVegan", "isFavourite"])
    assert set_cakes(alice, update={made: patch})["updated"] == {made: None}
    assert cake(alice, made, *patch) == {
        "weight": 500, "toppings": {}, "tag": None, "isVegan": False, "isFavourite": False,
    }  # fmt: skip


@pytest.mark.rfc("8620", "5.3")
def test_pointers_change_a_part_of_a_value(alice: JMAPClient) -> None:
    [made] = bake(alice, "A", toppings={"x": True, "a/b": True})
    patch = {
        "toppings/x": None,
        "toppings/y": True,
        "toppings/a~1b": None,
        "toppings/m~0n": True,
        "toppings/z": None,
    }
    assert set_cakes(alice, update={made: patch})["updated"] == {made: None}
    assert cake(alice, made, "toppings") == {"toppings": {"y": True, "m~n": True}}


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize("text", ["k999999", "k0", "l1", "singleton", "#nobody"])
def test_records_that_do_not_exist_are_not_found(alice: JMAPClient, text: str) -> None:
    answer = set_cakes(alice, update={text: {"weight": 1}}, destroy=[text])
    assert answer["notUpdated"] == {text: {"type": "notFound"}}
    assert answer["notDestroyed"] == {text: {"type": "notFound"}}


@pytest.mark.rfc("8620", "5.3")
def test_a_record_is_destroyed_once(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    assert set_cakes(alice, destroy=[made, made])["destroyed"] == [made]
    assert set_cakes(alice, destroy=[made])["notDestroyed"] == {made: {"type": "notFound"}}


@pytest.mark.rfc("8620", "5.3")
def test_if_in_state_is_honoured(alice: JMAPClient) -> None:
    before = state(alice)
    bake(alice, "A")
    arguments = {"ifInState": before, "create": {"b": {"name": "B"}}}
    assert alice.error("ToyCake/set", arguments) == {"type": "stateMismatch"}
    assert len(alice.call("ToyCake/get")["list"]) == 1
    now = state(alice)
    assert set_cakes(alice, **{**arguments, "ifInState": now})["oldState"] == now


@pytest.mark.rfc("8620", "5.3")
def test_a_destroy_that_the_type_refuses_leaves_the_record(alice: JMAPClient) -> None:
    [base] = bake(alice, "Base")
    [top] = bake(alice, "Top", parentId=base)
    answer = set_cakes(alice, destroy=[base])
    assert answer["notDestroyed"] == {base: {"type": "cakeHasCakeOnTop"}}
    assert cake(alice, top, "parentId") == {"parentId": base}


@pytest.mark.rfc("8620", "5.3")
def test_the_objects_of_a_call_are_limited_together(alice: JMAPClient) -> None:
    destroy = [f"k{number}" for number in range(1_000, 1_500)]
    assert len(set_cakes(alice, destroy=destroy)["notDestroyed"]) == 500
    arguments = {"create": {"a": {"name": "A"}}, "destroy": destroy}
    assert alice.error("ToyCake/set", arguments) == {"type": "requestTooLarge"}
    assert alice.call("ToyCake/get")["list"] == []


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize(
    "arguments",
    [
        {"create": []},
        {"create": {"a": None}},
        {"create": {"a": []}},
        {"create": {"a b": {}}},
        {"create": {"#a": {}}},
        {"update": []},
        {"update": {"k1": None}},
        {"update": {"k 1": {}}},
        {"destroy": "k1"},
        {"destroy": {"k1": True}},
        {"destroy": [1]},
        {"ifInState": 1},
        {"onDestroyRemoveEmails": True},
        {"ringTheBell": None},
    ],
)  # fmt: skip
def test_arguments_of_the_wrong_type_are_invalid(alice: JMAPClient, arguments: dict[str, Any]) -> None:
    assert alice.error("ToyCake/set", arguments) == {"type": "invalidArguments"}


@pytest.mark.rfc("8620", "5.3")
def test_what_must_have_a_value_is_not_removed(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    lit = alice.call("ToyCandle/set", {"create": {"c": {"cakeId": made}}})["created"]["c"]["id"]
    answer = alice.call("ToyCandle/set", {"update": {lit: {"cakeId": None}}})
    assert answer["notUpdated"] == {lit: {"type": "invalidProperties", "properties": ["cakeId"]}}
