"""/get as the engine derives it from a declaration (RFC 8620 §5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.toys.bakery import bake, cake, state
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8620", "5.1")


def test_null_ids_are_all_records(alice: JMAPClient) -> None:
    ids = bake(alice, "A", "B")
    answer = alice.call("ToyCake/get", {"ids": None, "properties": ["name"]})
    assert answer == {
        "accountId": alice.account_id,
        "state": state(alice),
        "list": [{"id": ids[0], "name": "A"}, {"id": ids[1], "name": "B"}],
        "notFound": [],
    }


def test_left_out_ids_are_null(alice: JMAPClient) -> None:
    ids = bake(alice, "A")
    assert [record["id"] for record in alice.call("ToyCake/get")["list"]] == ids


def test_no_ids_are_no_records(alice: JMAPClient) -> None:
    bake(alice, "A")
    answer = alice.call("ToyCake/get", {"ids": []})
    assert (answer["list"], answer["notFound"]) == ([], [])


def test_an_account_without_records_answers_an_empty_list(alice: JMAPClient) -> None:
    answer = alice.call("ToyCake/get", {"ids": None})
    assert (answer["list"], answer["notFound"]) == ([], [])


def test_an_id_that_stands_twice_is_answered_once(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    answer = alice.call("ToyCake/get", {"ids": [made, "k999", made, "k999"], "properties": []})
    assert (answer["list"], answer["notFound"]) == ([{"id": made}], ["k999"])


def test_ids_are_not_found_in_the_order_in_which_they_were_asked_for(alice: JMAPClient) -> None:
    asked = ["k999", "x", "k888", "k999", "y"]
    assert alice.call("ToyCake/get", {"ids": asked})["notFound"] == ["k999", "x", "k888", "y"]


def test_all_properties_come_unless_the_declaration_keeps_them_back(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    assert cake(alice, made) == {
        "name": "A",
        "parentId": None,
        "tag": None,
        "weight": 500,
        "isVegan": False,
        "bakedAt": None,
        "toppings": {},
        "layers": [],
        "shape": "round",
        "slices": 12,
        "isFavourite": False,
        "mayEat": True,
    }


def test_a_property_that_is_kept_back_comes_when_named(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    assert cake(alice, made, "secret") == {"secret": "recipe of A"}


def test_the_id_comes_once_also_when_named(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    answer = alice.call("ToyCake/get", {"ids": [made], "properties": ["id", "name", "name", "id"]})
    assert answer["list"] == [{"id": made, "name": "A"}]


@pytest.mark.parametrize("properties", [["frosting"], ["name", ""], ["name/x"], ["account_id"], ["NAME"]])
def test_an_unknown_property_is_invalid(alice: JMAPClient, properties: list[str]) -> None:
    assert alice.error("ToyCake/get", {"ids": [], "properties": properties}) == {"type": "invalidArguments"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"ids": "k1"},
        {"ids": {}},
        {"ids": [1]},
        {"ids": [None]},
        {"ids": [""]},
        {"ids": ["k 1"]},
        {"properties": "name"},
        {"properties": [1]},
        {"accountId": None},
        {"accountId": 1},
        {"accountId": ""},
        {"sort": []},
    ],
)  # fmt: skip
def test_arguments_of_the_wrong_type_are_invalid(alice: JMAPClient, arguments: dict[str, Any]) -> None:
    assert alice.error("ToyCake/get", arguments) == {"type": "invalidArguments"}


def test_a_missing_account_is_invalid(alice: JMAPClient) -> None:
    [answer] = alice.request(["ToyCake/get", {"ids": []}, "c"])["methodResponses"]
    assert answer == ["error", {"type": "invalidArguments"}, "c"]


@pytest.mark.parametrize(
    "text", ["k0", "k01", "K1", "l1", "1", "k99999999999", "k2147483648", "#nobody", "singleton", "k-1"]
)
def test_ids_that_no_record_has_are_not_found(alice: JMAPClient, text: str) -> None:
    bake(alice, "A")
    answer = alice.call("ToyCake/get", {"ids": [text]})
    assert (answer["list"], answer["notFound"]) == ([], [text])


def test_a_creation_id_of_the_request_stands_for_an_id(alice: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    responses = alice.request(
        ["ToyCake/set", {**account, "create": {"new": {"name": "A"}}}, "0"],
        ["ToyCake/get", {**account, "ids": ["#new"], "properties": ["name"]}, "1"],
    )["methodResponses"]
    made = responses[0][1]["created"]["new"]["id"]
    assert responses[1][1]["list"] == [{"id": made, "name": "A"}]
    assert responses[1][1]["notFound"] == []


def test_more_ids_than_the_limit_are_too_many(alice: JMAPClient) -> None:
    assert len(alice.call("ToyCake/get", {"ids": [f"k{n}" for n in range(1, 1_001)]})["notFound"]) == 1_000
    ids = [f"k{number}" for number in range(1, 1_002)]
    assert alice.error("ToyCake/get", {"ids": ids}) == {"type": "requestTooLarge"}


def test_all_records_of_an_account_with_more_than_the_limit_are_too_many(
    alice: JMAPClient, settings: Any
) -> None:
    bake(alice, "A", "B", "C")
    settings.JMAP_LIMITS = {**settings.JMAP_LIMITS, "maxObjectsInGet": 3}
    assert len(alice.call("ToyCake/get", {"ids": None})["list"]) == 3
    settings.JMAP_LIMITS = {**settings.JMAP_LIMITS, "maxObjectsInGet": 2}
    assert alice.error("ToyCake/get", {"ids": None}) == {"type": "requestTooLarge"}
    settings.JMAP_LIMITS = {**settings.JMAP_LIMITS, "maxObjectsInGet": 1_000}


def test_the_state_changes_with_the_data_and_with_nothing_else(alice: JMAPClient) -> None:
    before = state(alice)
    alice.call("ToyOven/set", {"update": {"singleton": {"degrees": 100}}})
    assert state(alice) == before
    bake(alice, "A")
    assert state(alice) != before


def test_a_singleton_is_found_by_its_one_id(alice: JMAPClient) -> None:
    for ids in (None, ["singleton"]):
        answer = alice.call("ToyOven/get", {"ids": ids})
        assert answer["list"] == [{"id": "singleton", "degrees": 20}]
    answer = alice.call("ToyOven/get", {"ids": ["o0", "o1", "singleton"]})
    assert (len(answer["list"]), answer["notFound"]) == (1, ["o0", "o1"])


def test_a_type_of_no_account_takes_and_gives_none(alice: JMAPClient) -> None:
    [answer] = alice.request(["ToyCrumb/get", {"ids": None}, "c"])["methodResponses"]
    assert answer == ["ToyCrumb/get", {"list": [], "notFound": []}, "c"]
    assert alice.error("ToyCrumb/get", {"ids": None}) == {"type": "invalidArguments"}


def test_what_each_user_sees_of_a_shared_record_is_their_own(cast: Cast, alice: JMAPClient) -> None:
    [made] = bake(alice, "A", isFavourite=True)
    shown = [
        cake(JMAPClient(person), made, "isFavourite", "mayEat", account_id=alice.account_id)
        for person in (cast.alice, cast.bob, cast.dora)
    ]
    assert shown == [
        {"isFavourite": True, "mayEat": True},
        {"isFavourite": False, "mayEat": True},
        {"isFavourite": False, "mayEat": False},
    ]
