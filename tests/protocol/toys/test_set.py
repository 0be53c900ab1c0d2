"""/set as the engine derives it from a declaration (RFC 8620 §5.3)."""

from __future__ import annotations

import pytest

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
