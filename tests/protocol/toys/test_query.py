"""/query as the engine derives it from a declaration (RFC 8620 §5.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.toys.bakery import bake, state
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8620", "5.5")

CAKES: list[dict[str, Any]] = [
    {"name": "apple 10", "weight": 300, "shape": "square", "bakedAt": "2020-03-01T00:00:00Z"},
    {"name": "Éclair 9", "weight": 100, "isVegan": True},
    {"name": "zebra", "weight": 200, "toppings": {"x": True}, "bakedAt": "2020-01-01T00:00:00Z"},
    {"name": "Banana", "weight": 200, "bakedAt": "2020-02-01T00:00:00Z", "isVegan": True},
    {"name": "apple 9", "weight": 300, "toppings": {"x": True, "y": True}},
]
NAMES = [each["name"] for each in CAKES]


class Bakery:
    """Five cakes, and queries that answer their names."""

    def __init__(self, client: JMAPClient) -> None:
        self.client = client
        create = {f"c{number}": each for number, each in enumerate(CAKES)}
        created = client.call("ToyCake/set", {"create": create})["created"]
        self.ids = [created[f"c{number}"]["id"] for number in range(len(CAKES))]
        self.names = dict(zip(self.ids, NAMES, strict=True))

    def query(self, **arguments: Any) -> dict[str, Any]:
        return self.client.call("ToyCake/query", arguments)

    def found(self, **arguments: Any) -> list[str]:
        return [self.names[each] for each in self.query(**arguments)["ids"]]


@pytest.fixture
def bakery(cast: Cast) -> Bakery:
    return Bakery(JMAPClient(cast.alice))


def test_without_arguments_everything_is_found(bakery: Bakery) -> None:
    assert bakery.query() == {
        "accountId": bakery.client.account_id,
        "queryState": state(bakery.client),
        "canCalculateChanges": True,
        "position": 0,
        "ids": bakery.ids,
    }
    assert bakery.query(filter=None, sort=None, limit=None, anchor=None) == bakery.query()


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({}, NAMES),
        ({"name": "apple"}, ["apple 10", "apple 9"]),
        ({"minWeight": 200}, ["apple 10", "zebra", "Banana", "apple 9"]),
        ({"minWeight": 200, "name": "A"}, ["apple 10", "zebra", "Banana", "apple 9"]),
        ({"minWeight": 300, "shape": "round"}, ["apple 9"]),
        ({"parentId": None}, NAMES),
        ({"parentId": "k999"}, []),
        ({"parentId": "#nobody"}, []),
        ({"operator": "AND", "conditions": []}, NAMES),
        ({"operator": "OR", "conditions": []}, []),
        ({"operator": "NOT", "conditions": []}, NAMES),
        ({"operator": "AND", "conditions": [{"name": "apple"}, {"shape": "square"}]}, ["apple 10"]),
        ({"operator": "OR", "conditions": [{"name": "zebra"}, {"shape": "square"}]}, ["apple 10", "zebra"]),
        ({"operator": "NOT", "conditions": [{"name": "apple"}, {"name": "zebra"}]}, ["Éclair 9", "Banana"]),
        (
            {
                "operator": "AND",
                "conditions": [
                    {"operator": "NOT", "conditions": [{"name": "apple"}]},
                    {"operator": "OR", "conditions": [{"minWeight": 200}, {"name": "9"}]},
                ],
            },
            ["Éclair 9", "zebra", "Banana"],
        ),
    ],
)  # fmt: skip
def test_a_filter_decides_what_is_found(bakery: Bakery, condition: Any, found: list[str]) -> None:
    assert bakery.found(filter=condition) == found


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ([], "invalidArguments"),
        ("name", "invalidArguments"),
        (1, "invalidArguments"),
        ({"name": 1}, "invalidArguments"),
        ({"name": None}, "invalidArguments"),
        ({"name": "a\0"}, "invalidArguments"),
        ({"minWeight": -1}, "invalidArguments"),
        ({"parentId": "a b"}, "invalidArguments"),
        ({"operator": "AND"}, "invalidArguments"),
        ({"operator": "and", "conditions": []}, "invalidArguments"),
        ({"operator": "XOR", "conditions": []}, "invalidArguments"),
        ({"operator": ["AND"], "conditions": []}, "invalidArguments"),
        ({"operator": "AND", "conditions": {}}, "invalidArguments"),
        ({"operator": "AND", "conditions": [1]}, "invalidArguments"),
        ({"operator": "AND", "conditions": [None]}, "invalidArguments"),
        ({"operator": "AND", "conditions": [], "name": "x"}, "invalidArguments"),
        ({"frosting": 1}, "unsupportedFilter"),
        ({"": 1}, "unsupportedFilter"),
        ({"operator": "NOT", "conditions": [{"frosting": 1}]}, "unsupportedFilter"),
        ({"unheardOf": "x"}, "unsupportedFilter"),
    ],
)  # fmt: skip
def test_a_filter_that_is_none_or_cannot_be_processed(bakery: Bakery, condition: Any, error: str) -> None:
    assert bakery.client.error("ToyCake/query", {"filter": condition}) == {"type": error}


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ([], NAMES),
        ([{"property": "name"}], ["apple 10", "apple 9", "Banana", "Éclair 9", "zebra"]),
        ([{"property": "name", "collation": None}], ["apple 10", "apple 9", "Banana", "Éclair 9", "zebra"]),
        ([{"property": "name", "isAscending": False}], ["zebra", "Éclair 9", "Banana", "apple 9", "apple 10"]),
        ([{"property": "name", "isAscending": None}], ["apple 10", "apple 9", "Banana", "Éclair 9", "zebra"]),
        ([{"property": "name", "collation": "i;ascii-casemap"}], ["apple 10", "apple 9", "Banana", "zebra", "Éclair 9"]),
        ([{"property": "name", "collation": "i;ascii-numeric"}], NAMES),
        ([{"property": "weight"}], ["Éclair 9", "zebra", "Banana", "apple 10", "apple 9"]),
        ([{"property": "weight", "isAscending": False}], ["apple 10", "apple 9", "zebra", "Banana", "Éclair 9"]),
        (
            [{"property": "weight", "isAscending": False}, {"property": "name"}],
            ["apple 10", "apple 9", "Banana", "zebra", "Éclair 9"],
        ),
        ([{"property": "isVegan"}], ["apple 10", "zebra", "apple 9", "Éclair 9", "Banana"]),
        ([{"property": "bakedAt"}], ["Éclair 9", "apple 9", "zebra", "Banana", "apple 10"]),
        ([{"property": "bakedAt", "isAscending": False}], ["apple 10", "Banana", "zebra", "Éclair 9", "apple 9"]),
        ([{"property": "topping"}], ["apple 10", "Éclair 9", "Banana", "zebra", "apple 9"]),
        ([{"property": "topping", "atLeast": 2, "isAscending": False}, {"property": "weight"}],
         ["zebra", "apple 9", "Éclair 9", "Banana", "apple 10"]),
    ],
)  # fmt: skip
def test_a_sort_decides_the_order(bakery: Bakery, sort: Any, found: list[str]) -> None:
    assert bakery.found(sort=sort) == found


@pytest.mark.parametrize(
    ("sort", "error"),
    [
        ({}, "invalidArguments"),
        ("name", "invalidArguments"),
        (["name"], "invalidArguments"),
        ([None], "invalidArguments"),
        ([{}], "invalidArguments"),
        ([{"property": 1}], "invalidArguments"),
        ([{"property": "name", "isAscending": 1}], "invalidArguments"),
        ([{"property": "name", "collation": 1}], "invalidArguments"),
        ([{"property": "name", "keyword": "x"}], "invalidArguments"),
        ([{"property": "topping", "atLeast": "x"}], "invalidArguments"),
        ([{"property": "frosting"}], "unsupportedSort"),
        ([{"property": "toppings/x"}], "unsupportedSort"),
        ([{"property": "name", "collation": "i;octet"}], "unsupportedSort"),
        ([{"property": "weight", "collation": "x"}], "unsupportedSort"),
        ([{"property": "weight", "collation": ""}], "unsupportedSort"),
        ([{"property": "name"}] * 21, "unsupportedSort"),
    ],
)  # fmt: skip
def test_a_sort_that_is_none_or_not_supported(bakery: Bakery, sort: Any, error: str) -> None:
    assert bakery.client.error("ToyCake/query", {"sort": sort}) == {"type": error}


def test_arguments_repeated_in_a_comparator_mean_nothing_there(bakery: Bakery) -> None:
    repeated = {"anchor": None, "anchorOffset": 0, "calculateTotal": False, "limit": 1, "position": 2}
    assert bakery.found(sort=[{"property": "name", **repeated}]) == bakery.found(sort=[{"property": "name"}])


@pytest.mark.parametrize(
    ("window", "position", "expected"),
    [
        ({"position": 0, "limit": 2}, 0, slice(0, 2)),
        ({"position": 3}, 3, slice(3, 5)),
        ({"position": 3, "limit": 10}, 3, slice(3, 5)),
        ({"position": -2}, 3, slice(3, 5)),
        ({"position": -2, "limit": 1}, 3, slice(3, 4)),
        ({"position": -100}, 0, slice(0, 5)),
        ({"position": 5}, 5, slice(0, 0)),
        ({"position": 2**53 - 1}, 2**53 - 1, slice(0, 0)),
        ({"position": -(2**53) + 1}, 0, slice(0, 5)),
        ({"limit": 0}, 0, slice(0, 0)),
        ({"limit": 2**53 - 1}, 0, slice(0, 5)),
        ({"anchor": 2}, 2, slice(2, 5)),
        ({"anchor": 2, "position": 4}, 2, slice(2, 5)),
        ({"anchor": 2, "anchorOffset": -1, "limit": 2}, 1, slice(1, 3)),
        ({"anchor": 2, "anchorOffset": 2}, 4, slice(4, 5)),
        ({"anchor": 2, "anchorOffset": 3}, 5, slice(0, 0)),
        ({"anchor": 2, "anchorOffset": -9}, 0, slice(0, 5)),
        ({"anchorOffset": 3}, 0, slice(0, 5)),
        ({"anchor": 4, "limit": 0}, 4, slice(0, 0)),
    ],
)  # fmt: skip
def test_a_window_of_the_results(
    bakery: Bakery, window: dict[str, Any], position: int, expected: slice
) -> None:
    if "anchor" in window:
        window = {**window, "anchor": bakery.ids[window["anchor"]]}
    for more in ({}, {"calculateTotal": True}):
        answer = bakery.query(**window, **more)
        assert (answer["ids"], answer["position"]) == (bakery.ids[expected], position)
        assert answer.get("total") == (5 if more else None)


@pytest.mark.parametrize("anchor", ["k999", "k0", "l1", "#nobody", "singleton"])
def test_an_anchor_that_is_not_in_the_results(bakery: Bakery, anchor: str) -> None:
    assert bakery.client.error("ToyCake/query", {"anchor": anchor}) == {"type": "anchorNotFound"}


def test_an_anchor_that_the_filter_leaves_out(bakery: Bakery) -> None:
    arguments = {"anchor": bakery.ids[1], "filter": {"name": "apple"}}
    assert bakery.client.error("ToyCake/query", arguments) == {"type": "anchorNotFound"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": -1},
        {"limit": "1"},
        {"limit": 1.5},
        {"position": None},
        {"position": 0.5},
        {"anchor": "a b"},
        {"anchorOffset": None},
        {"calculateTotal": None},
        {"collapseThreads": True},
        {"ids": []},
    ],
)  # fmt: skip
def test_arguments_of_the_wrong_type_are_invalid(bakery: Bakery, arguments: dict[str, Any]) -> None:
    assert bakery.client.error("ToyCake/query", arguments) == {"type": "invalidArguments"}


def test_the_total_is_of_what_the_filter_lets_through(bakery: Bakery) -> None:
    answer = bakery.query(filter={"name": "apple"}, limit=0, calculateTotal=True)
    assert (answer["ids"], answer["total"]) == ([], 2)
    assert "total" not in bakery.query(calculateTotal=False)


def test_a_limit_of_the_server_is_told(bakery: Bakery, settings: Any) -> None:
    settings.JMAP_MAX_QUERY_IDS = 3
    assert "limit" not in bakery.query(limit=3)
    for limit in (None, 4):
        answer = bakery.query(limit=limit, calculateTotal=True)
        assert (answer["ids"], answer["limit"], answer["total"]) == (bakery.ids[:3], 3, 5)
    del settings.JMAP_MAX_QUERY_IDS


def test_the_order_of_equals_is_stable(bakery: Bakery) -> None:
    first = bakery.found(sort=[{"property": "weight"}])
    bakery.client.call("ToyCake/set", {"update": {bakery.ids[2]: {"isVegan": True}}})
    assert bakery.found(sort=[{"property": "weight"}]) == first


def test_creation_ids_stand_for_ids_in_filter_and_anchor(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    account = {"accountId": client.account_id}
    responses = client.request(
        [
            "ToyCake/set",
            {**account, "create": {"b": {"name": "Base"}, "t": {"name": "Top", "parentId": "#b"}}},
            "0",
        ],
        ["ToyCake/query", {**account, "filter": {"parentId": "#b"}}, "1"],
        ["ToyCake/query", {**account, "anchor": "#t"}, "2"],
    )["methodResponses"]
    top = responses[0][1]["created"]["t"]["id"]
    assert responses[1][1]["ids"] == [top]
    assert top in responses[2][1]["ids"]


def test_the_query_state_changes_with_the_results(bakery: Bakery) -> None:
    before = bakery.query()["queryState"]
    assert bakery.query()["queryState"] == before
    bake(bakery.client, "New")
    assert bakery.query()["queryState"] != before
