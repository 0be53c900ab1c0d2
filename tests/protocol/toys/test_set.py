"""/set as the engine derives it from a declaration (RFC 8620 §5.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.toys.bakery import bake, cake, state
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
def test_siblings_swap_their_names_in_one_call(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    created = client.call("ToyCake/set", {"create": {"a": {"name": "A"}, "b": {"name": "B"}}})["created"]
    first, second = created["a"]["id"], created["b"]["id"]
    swapped = client.call("ToyCake/set", {"update": {first: {"name": "B"}, second: {"name": "A"}}})
    assert swapped["updated"] == {first: None, second: None}
    cakes = client.call("ToyCake/get", {"ids": [first, second], "properties": ["name"]})["list"]
    assert cakes == [{"id": first, "name": "B"}, {"id": second, "name": "A"}]


@pytest.mark.rfc("8620", "5.3")
def test_creates_refer_to_each_other_in_any_order(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    created = client.call(
        "ToyCake/set", {"create": {"top": {"name": "Top", "parentId": "#base"}, "base": {"name": "Base"}}}
    )["created"]
    assert created["top"]["parentId"] == created["base"]["id"]


@pytest.mark.rfc("8620", "5.3")
def test_parent_and_child_are_destroyed_in_one_call(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    created = client.call(
        "ToyCake/set", {"create": {"top": {"name": "Top", "parentId": "#base"}, "base": {"name": "Base"}}}
    )["created"]
    ids = [created["base"]["id"], created["top"]["id"]]
    assert client.call("ToyCake/set", {"destroy": ids})["destroyed"] == ids


@pytest.mark.rfc("8620", "5.3")
def test_a_taken_name_names_the_existing_record(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    taken = client.call("ToyCake/set", {"create": {"a": {"name": "A"}}})["created"]["a"]["id"]
    refused = client.call("ToyCake/set", {"create": {"b": {"name": "A"}}})
    assert refused["notCreated"] == {"b": {"type": "alreadyExists", "existingId": taken}}


@pytest.mark.rfc("8620", "5.3")
def test_a_volatile_property_is_told_apart(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    made = client.call("ToyCake/set", {"create": {"a": {"name": "A"}}})
    cake = made["created"]["a"]["id"]
    client.call("ToyCandle/set", {"create": {"c": {"cakeId": cake}}})
    changes = client.call("ToyCake/changes", {"sinceState": made["newState"]})
    assert (changes["updated"], changes["updatedProperties"]) == ([cake], ["slices"])


def set_cakes(client: JMAPClient, **arguments: Any) -> dict[str, Any]:
    """What ToyCake/set answers."""
    return client.call("ToyCake/set", arguments)


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


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


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ({"id": "k999"}, ["id"]),
        ({"id": None}, ["id"]),
        ({"slices": 11}, ["slices"]),
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
        ({"layers/0": {}}, None),
        ({"layers/-": {}}, None),
        ({"toppings/x/y": True}, None),
        ({"frosting/x": True}, None),
        ({"name/x": True}, None),
        ({"bakedAt/x": True}, None),
        ({"toppings": {}, "toppings/x": True}, None),
        ({"weight": 1, "~": 1}, None),
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
    patch = dict.fromkeys(["weight", "toppings", "tag", "isVegan", "isFavourite", "slices"])
    assert set_cakes(alice, update={made: patch})["updated"] == {made: None}
    assert cake(alice, made, *patch) == {
        "weight": 500, "toppings": {}, "tag": None, "isVegan": False, "isFavourite": False, "slices": 12,
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
def test_an_update_of_what_is_destroyed_is_skipped(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    answer = set_cakes(alice, update={made: {"weight": 1}}, destroy=[made])
    assert answer["notUpdated"] == {made: {"type": "willDestroy"}}
    assert answer["destroyed"] == [made]


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
def test_a_record_of_this_call_is_updated_by_its_creation_id(alice: JMAPClient) -> None:
    answer = set_cakes(
        alice,
        create={"a": {"name": "A"}, "b": {"name": "B"}},
        update={"#a": {"weight": 9, "parentId": "#b", "toppings/x": True}},
    )
    made = answer["created"]["a"]["id"]
    assert answer["updated"] == {made: None}
    assert cake(alice, made, "weight", "parentId", "toppings") == {
        "weight": 9,
        "parentId": answer["created"]["b"]["id"],
        "toppings": {"x": True},
    }


@pytest.mark.rfc("8620", "5.3")
def test_a_record_of_this_call_is_destroyed_by_its_creation_id(alice: JMAPClient) -> None:
    answer = set_cakes(alice, create={"a": {"name": "A"}, "b": {"name": "B"}}, destroy=["#a"])
    made = answer["created"]["a"]["id"]
    assert answer["destroyed"] == [made]
    assert [each["name"] for each in alice.call("ToyCake/get")["list"]] == ["B"]
    changes = alice.call("ToyCake/changes", {"sinceState": answer["oldState"]})
    assert (changes["created"], changes["destroyed"]) == ([answer["created"]["b"]["id"]], [])


@pytest.mark.rfc("8620", "5.3")
def test_a_record_of_this_call_is_destroyed_under_two_names(alice: JMAPClient) -> None:
    [before] = bake(alice, "A")
    guessed = f"k{int(before[1:]) + 1}"
    answer = set_cakes(alice, create={"a": {"name": "B"}}, destroy=["#a", guessed])
    assert answer["created"]["a"]["id"] == guessed
    assert answer["destroyed"] == [guessed]


@pytest.mark.rfc("8620", "5.3")
def test_an_update_of_a_create_that_is_refused_is_refused(alice: JMAPClient) -> None:
    answer = set_cakes(
        alice, create={"a": {"name": "A", "parentId": "k999999"}}, update={"#a": {"weight": 1}}
    )
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["parentId"]}}
    assert answer["notUpdated"] == {"#a": {"type": "notFound"}}
    assert (answer["created"], answer["updated"]) == (None, None)


@pytest.mark.rfc("8620", "5.3")
def test_two_patches_of_one_record_under_two_names_are_both_applied(alice: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    [before] = bake(alice, "A")
    guessed = f"k{int(before[1:]) + 1}"
    responses = alice.request(
        ["ToyCake/set", {**account, "create": {"b": {"name": "B"}}}, "0"],
        ["ToyCake/set", {**account, "update": {"#b": {"weight": 1}, guessed: {"toppings/x": True}}}, "1"],
    )["methodResponses"]
    assert responses[1][1]["updated"] == {guessed: None}
    assert cake(alice, guessed, "weight", "toppings") == {"weight": 1, "toppings": {"x": True}}


@pytest.mark.rfc("8620", "5.3")
def test_destroyed_parents_take_no_children(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    answer = set_cakes(alice, create={"b": {"name": "B", "parentId": made}}, destroy=[made])
    assert answer["notCreated"] == {"b": {"type": "invalidProperties", "properties": ["parentId"]}}
    assert answer["destroyed"] == [made]


@pytest.mark.rfc("8620", "5.3")
def test_a_destroy_that_the_type_refuses_leaves_the_record(alice: JMAPClient) -> None:
    [base] = bake(alice, "Base")
    [top] = bake(alice, "Top", parentId=base)
    answer = set_cakes(alice, destroy=[base])
    assert answer["notDestroyed"] == {base: {"type": "cakeHasCakeOnTop"}}
    assert cake(alice, top, "parentId") == {"parentId": base}


@pytest.mark.rfc("8620", "5.3")
def test_records_swap_their_parents_but_make_no_circle(alice: JMAPClient) -> None:
    [base] = bake(alice, "Base")
    [top] = bake(alice, "Top", parentId=base)
    swapped = set_cakes(alice, update={base: {"parentId": top}, top: {"parentId": None}})
    assert swapped["updated"] == {base: None, top: None}
    refused = set_cakes(alice, update={top: {"parentId": base}})
    assert refused["notUpdated"] == {top: {"type": "invalidProperties", "properties": ["parentId"]}}


@pytest.mark.rfc("8620", "5.3")
def test_a_unique_value_moves_within_one_call(alice: JMAPClient) -> None:
    [first] = bake(alice, "A", tag="one")
    answer = set_cakes(alice, create={"b": {"name": "B", "tag": "one"}}, update={first: {"tag": None}})
    assert answer["notCreated"] is None
    assert answer["updated"] == {first: None}


@pytest.mark.rfc("8620", "5.3")
def test_a_unique_value_that_is_destroyed_is_free(alice: JMAPClient) -> None:
    [first] = bake(alice, "A", tag="one")
    answer = set_cakes(alice, create={"b": {"name": "A", "tag": "one"}}, destroy=[first])
    assert (answer["notCreated"], answer["destroyed"]) == (None, [first])


@pytest.mark.rfc("8620", "5.3")
def test_a_taken_value_is_refused(alice: JMAPClient) -> None:
    first, second = bake(alice, "A", "B")
    set_cakes(alice, update={first: {"tag": "one"}})
    answer = set_cakes(
        alice,
        create={
            "c": {"name": "C", "tag": "one"},
            "d": {"name": "D", "tag": "two"},
            "e": {"name": "E", "tag": "two"},
        },
        update={second: {"tag": "one"}},
    )
    taken = {"type": "invalidProperties", "properties": ["tag"]}
    assert answer["notCreated"] == {"c": taken, "e": taken}
    assert answer["notUpdated"] == {second: taken}
    assert list(answer["created"]) == ["d"]


@pytest.mark.rfc("8620", "5.3")
def test_a_failed_update_keeps_its_value_taken(alice: JMAPClient) -> None:
    first, second = bake(alice, "A", "B")
    answer = set_cakes(alice, update={first: {"name": "C", "parentId": "k999999"}, second: {"name": "A"}})
    assert answer["notUpdated"] == {
        first: {"type": "invalidProperties", "properties": ["parentId"]},
        second: {"type": "alreadyExists", "existingId": first},
    }


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


@pytest.mark.rfc("8620", "7.2.2")
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


@pytest.mark.rfc("8620", "5.3")
def test_a_hundred_creates_in_one_call(alice: JMAPClient) -> None:
    create = {
        f"c{n}": {"name": f"N{n}", "parentId": f"#c{n - 1}" if n else None} for n in reversed(range(100))
    }
    answer = set_cakes(alice, create=create)
    assert (answer["notCreated"], len(answer["created"])) == (None, 100)
    ids = [each["id"] for each in answer["created"].values()]
    assert len(set_cakes(alice, destroy=ids)["destroyed"]) == 100


@pytest.mark.rfc("8620", "5.3")
def test_a_create_that_is_updated_in_the_same_call_takes_no_taken_value(alice: JMAPClient) -> None:
    [taken] = bake(alice, "A")
    answer = set_cakes(alice, create={"b": {"name": "A"}}, update={"#b": {"weight": 1}})
    assert answer["notCreated"] == {"b": {"type": "alreadyExists", "existingId": taken}}
    assert answer["notUpdated"] == {"#b": {"type": "notFound"}}


@pytest.mark.rfc("8620", "5.3")
def test_what_must_have_a_value_is_not_removed(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    lit = alice.call("ToyCandle/set", {"create": {"c": {"cakeId": made}}})["created"]["c"]["id"]
    answer = alice.call("ToyCandle/set", {"update": {lit: {"cakeId": None}}})
    assert answer["notUpdated"] == {lit: {"type": "invalidProperties", "properties": ["cakeId"]}}


@pytest.mark.rfc("8620", "5.3")
def test_nothing_refers_to_a_record_that_comes_and_goes(alice: JMAPClient) -> None:
    [before] = bake(alice, "A")
    answer = set_cakes(
        alice,
        create={"base": {"name": "Base"}},
        update={before: {"parentId": "#base"}},
        destroy=["#base"],
    )
    made = answer["created"]["base"]["id"]
    assert answer["destroyed"] == [made]
    assert answer["notUpdated"] == {before: {"type": "invalidProperties", "properties": ["parentId"]}}
    assert cake(alice, before, "parentId") == {"parentId": None}
