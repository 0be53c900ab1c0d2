"""/queryChanges as the engine derives it from a declaration (RFC 8620 §5.6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.toys.bakery import bake, state
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8620", "5.6")

BY_WEIGHT: dict[str, Any] = {
    "filter": {"minWeight": 10},
    "sort": [{"property": "weight"}, {"property": "name"}],
}
BY_SHAPE: dict[str, Any] = {"filter": {"shape": "round"}, "sort": [{"property": "shape"}]}


def changes(client: JMAPClient, since: str, **arguments: Any) -> dict[str, Any]:
    return client.call("ToyCake/queryChanges", {"sinceQueryState": since, **arguments})


def spliced(ids: list[str], answer: dict[str, Any]) -> list[str]:
    """What a client has after it spliced the changes into its list (RFC 8620 §5.6)."""
    kept = [each for each in ids if each not in answer["removed"]]
    for item in answer["added"]:
        kept.insert(item["index"], item["id"])
    return kept


def test_nothing_has_changed(alice: JMAPClient) -> None:
    bake(alice, "A")
    now = state(alice)
    assert changes(alice, now) == {
        "accountId": alice.account_id,
        "oldQueryState": now,
        "newQueryState": now,
        "removed": [],
        "added": [],
    }
    assert changes(alice, now, calculateTotal=True)["total"] == 1


def test_the_changes_lead_from_the_old_to_the_new_results(alice: JMAPClient) -> None:
    first, second, third = bake(alice, "A", "B", "C", weight=20)
    before = alice.call("ToyCake/query", BY_WEIGHT)
    [light] = bake(alice, "D", weight=1)
    [heavy, fifth] = bake(alice, "E", "0", weight=20)
    alice.call("ToyCake/set", {"update": {first: {"weight": 30}, third: {"weight": 9}}, "destroy": [second]})
    answer = changes(alice, before["queryState"], **BY_WEIGHT, calculateTotal=True)
    after = alice.call("ToyCake/query", BY_WEIGHT)
    assert after["ids"] == [fifth, heavy, first]
    assert spliced(before["ids"], answer) == after["ids"]
    assert set(answer["removed"]) >= {first, second, third}
    assert answer["added"] == [
        {"id": fifth, "index": 0},
        {"id": heavy, "index": 1},
        {"id": first, "index": 2},
    ]
    assert (answer["newQueryState"], answer["total"]) == (after["queryState"], 3)
    assert light not in after["ids"]


def test_a_create_and_a_destroy_cancel_out(alice: JMAPClient) -> None:
    now = state(alice)
    [made] = bake(alice, "A")
    alice.call("ToyCake/set", {"destroy": [made]})
    answer = changes(alice, now)
    assert (answer["removed"], answer["added"]) == ([], [])


def test_up_to_an_id_where_nothing_that_may_change_is_looked_at(alice: JMAPClient) -> None:
    first, second = bake(alice, "A", "B")
    now = state(alice)
    bake(alice, "C", "D")
    answer = changes(alice, now, **BY_SHAPE, upToId=second)
    assert (answer["removed"], answer["added"]) == ([], [])
    assert len(changes(alice, now, **BY_SHAPE)["added"]) == 2
    assert len(changes(alice, now, **BY_SHAPE, upToId="k999")["added"]) == 2
    assert len(changes(alice, now, **BY_SHAPE, upToId="l1")["added"]) == 2
    assert first != second


def test_up_to_an_id_is_ignored_where_the_order_may_change(alice: JMAPClient) -> None:
    first, _ = bake(alice, "A", "B", weight=20)
    now = state(alice)
    bake(alice, "C", weight=30)
    assert len(changes(alice, now, **BY_WEIGHT, upToId=first)["added"]) == 1


def test_an_update_moves_nothing_where_nothing_that_may_change_is_looked_at(alice: JMAPClient) -> None:
    first, second = bake(alice, "A", "B", weight=20)
    now = state(alice)
    alice.call("ToyCake/set", {"update": {first: {"weight": 30}}, "destroy": [second]})
    answer = changes(alice, now, **BY_SHAPE, maxChanges=1)
    assert (answer["removed"], answer["added"]) == ([second], [])
    assert set(changes(alice, now, **BY_WEIGHT)["removed"]) == {first, second}


def test_each_item_counts_as_a_change(alice: JMAPClient) -> None:
    [first] = bake(alice, "A", weight=20)
    now = state(alice)
    assert changes(alice, now, maxChanges=0)["added"] == []
    alice.call("ToyCake/set", {"update": {first: {"weight": 30}}})  # one removed, one added
    assert len(changes(alice, now, **BY_WEIGHT, maxChanges=2)["added"]) == 1
    for most in (0, 1):
        arguments = {"sinceQueryState": now, **BY_WEIGHT, "maxChanges": most}
        assert alice.error("ToyCake/queryChanges", arguments) == {"type": "tooManyChanges"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"sinceQueryState": None}, "invalidArguments"),
        ({"sinceQueryState": "x"}, "cannotCalculateChanges"),
        ({"sinceQueryState": ""}, "cannotCalculateChanges"),
        ({"sinceQueryState": "epoch-1"}, "cannotCalculateChanges"),
        ({"maxChanges": -1}, "invalidArguments"),
        ({"maxChanges": 1.5}, "invalidArguments"),
        ({"upToId": "a b"}, "invalidArguments"),
        ({"position": 0}, "invalidArguments"),
        ({"anchor": None}, "invalidArguments"),
        ({"filter": []}, "invalidArguments"),
        ({"filter": {"frosting": 1}}, "unsupportedFilter"),
        ({"sort": [{"property": "frosting"}]}, "unsupportedSort"),
    ],
)  # fmt: skip
def test_arguments_that_are_refused(alice: JMAPClient, arguments: dict[str, Any], error: str) -> None:
    given = {"sinceQueryState": state(alice), **arguments}
    assert alice.error("ToyCake/queryChanges", given) == {"type": error}


def test_the_state_of_another_account_is_refused(cast: Cast, alice: JMAPClient) -> None:
    other = state(JMAPClient(cast.bob))
    error = alice.error("ToyCake/queryChanges", {"sinceQueryState": other})
    assert error == {"type": "cannotCalculateChanges"}


def test_more_changes_than_the_server_looks_at_cannot_be_calculated(alice: JMAPClient, settings: Any) -> None:
    now = state(alice)
    bake(alice, "A", "B", "C")
    settings.JMAP_MAX_QUERY_CHANGES = 2
    error = alice.error("ToyCake/queryChanges", {"sinceQueryState": now})
    assert error == {"type": "cannotCalculateChanges"}


def test_a_call_that_fails_leaves_no_transaction_open(alice: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    responses = alice.request(
        ["ToyCake/queryChanges", {**account, "sinceQueryState": "x"}, "0"],
        ["ToyCake/set", {**account, "create": {"a": {"name": "A"}}}, "1"],
    )["methodResponses"]
    assert [name for name, _, _ in responses] == ["error", "ToyCake/set"]
    assert len(alice.call("ToyCake/get")["list"]) == 1
