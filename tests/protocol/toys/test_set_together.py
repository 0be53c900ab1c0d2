"""Foo/set of several records in one call: what counts is the state at the end (RFC 8620 §5.3)."""

from __future__ import annotations

import pytest

from tests.protocol.toys.bakery import bake, cake, set_cakes
from tests.support.cast import Cast
from tests.support.client import JMAPClient


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
def test_an_update_of_what_is_destroyed_is_skipped(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    answer = set_cakes(alice, update={made: {"weight": 1}}, destroy=[made])
    assert answer["notUpdated"] == {made: {"type": "willDestroy"}}
    assert answer["destroyed"] == [made]


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
def test_what_is_created_and_destroyed_refers_to_what_exists_too(alice: JMAPClient) -> None:
    answer = set_cakes(alice, create={"a": {"name": "A", "parentId": "k999999"}}, destroy=["#a"])
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["parentId"]}}
    assert answer["notDestroyed"] == {"#a": {"type": "notFound"}}
    assert (answer["created"], answer["destroyed"]) == (None, None)


@pytest.mark.rfc("8620", "5.3")
def test_records_that_come_and_go_together_refer_to_each_other(alice: JMAPClient) -> None:
    [old] = bake(alice, "Old")
    create = {
        "a": {"name": "A", "parentId": "#b"},
        "b": {"name": "B", "parentId": old},
    }
    answer = set_cakes(alice, create=create, destroy=["#a", "#b", old])
    assert (answer["notCreated"], answer["notDestroyed"]) == (None, None)
    assert answer["destroyed"] == [answer["created"]["a"]["id"], answer["created"]["b"]["id"], old]


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
