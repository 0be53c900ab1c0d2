"""/changes as the engine derives it from a declaration (RFC 8620 §5.2)."""

from __future__ import annotations

from typing import Any

import pytest

from jmapcore.store.database import connection
from tests.protocol.toys.bakery import bake, state
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8620", "5.2")


def since(client: JMAPClient, start: str, **arguments: Any) -> tuple[list[str], list[str], list[str]]:
    answer = client.call("ToyCake/changes", {"sinceState": start, **arguments})
    return answer["created"], answer["updated"], answer["destroyed"]


def test_nothing_has_changed(alice: JMAPClient) -> None:
    bake(alice, "A")
    now = state(alice)
    assert alice.call("ToyCake/changes", {"sinceState": now}) == {
        "accountId": alice.account_id,
        "oldState": now,
        "newState": now,
        "hasMoreChanges": False,
        "created": [],
        "updated": [],
        "destroyed": [],
        "updatedProperties": None,
    }


def test_what_was_created_updated_and_destroyed(alice: JMAPClient) -> None:
    first, second, third = bake(alice, "A", "B", "C")
    start = state(alice)
    [made] = bake(alice, "D")
    alice.call("ToyCake/set", {"update": {first: {"weight": 1}}, "destroy": [second]})
    assert since(alice, start) == ([made], [first], [second])
    assert third not in {made, first, second}


def test_a_type_without_volatile_properties_answers_no_updated_properties(alice: JMAPClient) -> None:
    answer = alice.call("ToyCandle/changes", {"sinceState": alice.call("ToyCandle/get")["state"]})
    assert "updatedProperties" not in answer


def test_a_create_and_a_destroy_cancel_out(alice: JMAPClient) -> None:
    start = state(alice)
    [made] = bake(alice, "A")
    alice.call("ToyCake/set", {"update": {made: {"weight": 1}}})
    alice.call("ToyCake/set", {"destroy": [made]})
    assert since(alice, start) == ([], [], [])
    assert state(alice) != start


def test_created_and_updated_is_created(alice: JMAPClient) -> None:
    start = state(alice)
    [made] = bake(alice, "A")
    alice.call("ToyCake/set", {"update": {made: {"weight": 1}}})
    assert since(alice, start) == ([made], [], [])


def test_updated_and_destroyed_is_destroyed(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    start = state(alice)
    alice.call("ToyCake/set", {"update": {made: {"weight": 1}}})
    alice.call("ToyCake/set", {"destroy": [made]})
    assert since(alice, start) == ([], [], [made])


def test_updated_twice_is_updated_once(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    start = state(alice)
    for weight in (1, 2):
        alice.call("ToyCake/set", {"update": {made: {"weight": weight}}})
    assert since(alice, start) == ([], [made], [])


def test_an_update_that_changes_nothing_is_no_change(alice: JMAPClient) -> None:
    [made] = bake(alice, "A", weight=5)
    start = state(alice)
    answer = alice.call("ToyCake/set", {"update": {made: {"weight": 5, "toppings/x": None}}})
    assert (answer["updated"], answer["oldState"], answer["newState"]) == ({made: None}, start, start)


@pytest.mark.parametrize("most", range(1, 9))
def test_pages_of_any_size_lead_to_the_same_end(alice: JMAPClient, most: int) -> None:
    first, second, third = bake(alice, "A", "B", "C")
    start = state(alice)
    fourth, fifth = bake(alice, "D", "E")
    alice.call("ToyCake/set", {"update": {first: {"weight": 1}, fourth: {"weight": 1}}})
    alice.call("ToyCake/set", {"destroy": [second, fifth], "update": {first: {"weight": 2}}})
    alice.call("ToyCake/set", {"update": {third: {"weight": 3}}})
    known, updated = {first, second, third}, set()
    for _ in range(20):
        answer = alice.call("ToyCake/changes", {"sinceState": start, "maxChanges": most})
        assert answer["oldState"] == start
        assert sum(len(answer[name]) for name in ("created", "updated", "destroyed")) <= most
        assert known.isdisjoint(answer["created"])
        known |= set(answer["created"])
        assert known.issuperset(answer["updated"])
        assert known.issuperset(answer["destroyed"])
        known -= set(answer["destroyed"])
        updated |= set(answer["updated"])
        start = answer["newState"]
        if not answer["hasMoreChanges"]:
            break
    assert (known, start) == ({first, third, fourth}, state(alice))
    assert {first, third} <= updated


def test_the_states_in_between_are_states(alice: JMAPClient) -> None:
    start = state(alice)
    ids = bake(alice, "A", "B", "C")
    page = alice.call("ToyCake/changes", {"sinceState": start, "maxChanges": 2})
    assert (page["created"], page["hasMoreChanges"]) == (ids[:2], True)
    bake(alice, "D")
    rest = alice.call("ToyCake/changes", {"sinceState": page["newState"]})
    assert (len(rest["created"]), rest["newState"], rest["hasMoreChanges"]) == (2, state(alice), False)


@pytest.mark.parametrize("most", [0, -1, 1.5, "1", True, 2**53])
def test_max_changes_is_a_positive_integer(alice: JMAPClient, most: Any) -> None:
    arguments = {"sinceState": state(alice), "maxChanges": most}
    assert alice.error("ToyCake/changes", arguments) == {"type": "invalidArguments"}


def test_the_state_must_be_given(alice: JMAPClient) -> None:
    assert alice.error("ToyCake/changes", {}) == {"type": "invalidArguments"}


def test_states_that_were_never_issued_are_refused(alice: JMAPClient) -> None:
    bake(alice, "A")
    epoch, number = state(alice).rsplit("-", 1)
    never = [
        "", "x", "0", number, f"{epoch}-", f"{epoch}-{int(number) + 1}", f"{epoch}-0{number}", f"{epoch}--1",
        f"{epoch}x-{number}", f" {epoch}-{number}", f"{epoch}-{number}\n", f"{epoch}-{10**30}", f"{epoch}-٣", "\0",
    ]  # fmt: skip
    for text in never:
        answer = alice.error("ToyCake/changes", {"sinceState": text})
        assert answer["type"] in {"cannotCalculateChanges", "invalidArguments"}, text
        if "\0" not in text:
            assert answer == {"type": "cannotCalculateChanges"}


def test_the_state_of_another_account_is_refused(cast: Cast, alice: JMAPClient) -> None:
    bake(alice, "A")
    other = state(JMAPClient(cast.bob))
    assert alice.error("ToyCake/changes", {"sinceState": other}) == {"type": "cannotCalculateChanges"}


def test_a_state_from_before_the_floor_is_refused_and_the_state_stays(cast: Cast, alice: JMAPClient) -> None:
    start = state(alice)
    ids = bake(alice, "A", "B")
    middle = alice.call("ToyCake/changes", {"sinceState": start, "maxChanges": 1})["newState"]
    now = state(alice)
    account = cast.alice.account.pk
    with connection() as lent, lent.transaction():
        lent.execute(
            "SELECT set_config('jmap.account', %s, true), set_config('jmap.writing', %s, true)",
            (str(account),) * 2,
        )
        lent.execute(
            "UPDATE type_state SET floor = %s WHERE account_id = %s AND type = 'ToyCake'",
            (int(middle.rsplit("-", 1)[1]), account),
        )
    assert alice.error("ToyCake/changes", {"sinceState": start}) == {"type": "cannotCalculateChanges"}
    assert since(alice, middle) == ([ids[1]], [], [])
    assert state(alice) == now


def test_volatile_properties_are_named_only_where_nothing_else_changed(alice: JMAPClient) -> None:
    first, second = bake(alice, "A", "B")
    start = state(alice)
    alice.call("ToyCandle/set", {"create": {"c": {"cakeId": first}}})
    answer = alice.call("ToyCake/changes", {"sinceState": start})
    assert (answer["updated"], answer["updatedProperties"]) == ([first], ["slices"])
    alice.call("ToyCake/set", {"update": {second: {"weight": 1}}})
    answer = alice.call("ToyCake/changes", {"sinceState": start})
    assert (answer["updated"], answer["updatedProperties"]) == ([first, second], None)


def test_a_record_that_changed_both_ways_is_not_only_volatile(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    start = state(alice)
    alice.call("ToyCake/set", {"update": {made: {"weight": 1}}})
    alice.call("ToyCandle/set", {"create": {"c": {"cakeId": made}}})
    assert alice.call("ToyCake/changes", {"sinceState": start})["updatedProperties"] is None


def test_more_changes_than_the_server_gives_are_paged(alice: JMAPClient, settings: Any) -> None:
    start = state(alice)
    ids = bake(alice, "A", "B", "C", "D", "E")
    settings.JMAP_MAX_CHANGES = 2
    answer = alice.call("ToyCake/changes", {"sinceState": start})
    assert (answer["created"], answer["hasMoreChanges"]) == (ids[:2], True)


def test_a_type_without_the_method_does_not_know_it(alice: JMAPClient) -> None:
    assert alice.error("ToyOven/changes", {"sinceState": "x"}) == {"type": "unknownMethod"}
