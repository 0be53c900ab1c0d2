"""What holds for a request as a whole: `using`, creation ids, result references, failures (RFC 8620 §3)."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from jmapcore.registry import registry
from jmapcore.store.database import connection_string
from tests.protocol.toys.bakery import bake, cake, state
from tests.support.cast import Cast
from tests.support.client import CORE, MAIL, TOYS, JMAPClient
from tests.toys.types import CAKE


def reference(call: str, name: str, path: str) -> dict[str, str]:
    return {"resultOf": call, "name": name, "path": path}


@pytest.mark.rfc("8620", "3.3")
@pytest.mark.parametrize("using", [[], [CORE], [MAIL], [CORE, MAIL]])
def test_a_method_whose_capability_is_not_used_is_unknown(alice: JMAPClient, using: list[str]) -> None:
    if MAIL in using and MAIL not in registry.capabilities:
        using = [CORE]
    assert alice.error("ToyCake/get", using=using) == {"type": "unknownMethod"}


@pytest.mark.rfc("8620", "3.3")
def test_a_capability_may_stand_twice(alice: JMAPClient) -> None:
    assert alice.call("ToyCake/get", using=[TOYS, TOYS])["list"] == []


@pytest.mark.rfc("8620", "3.6.2")
@pytest.mark.parametrize(
    "name",
    [
        "",
        "ToyCake",
        "ToyCake/",
        "toycake/get",
        "ToyCake/Get",
        "ToyCake/frost",
        "ToyBell/get",
        "error",
        "a\0\n",
    ],
)
def test_methods_that_do_not_exist_are_unknown(alice: JMAPClient, name: str) -> None:
    assert alice.error(name) == {"type": "unknownMethod"}


@pytest.mark.rfc("8620", "3.6.2")
def test_a_method_that_fails_stops_no_other(alice: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    responses = alice.request(
        ["ToyCake/get", {}, "same"],
        ["ToyCake/set", {**account, "create": {"a": {"name": "A"}}}, "same"],
        ["Nothing/get", account, "same"],
        ["ToyCake/get", {**account, "properties": ["name"]}, "same"],
    )["methodResponses"]
    assert [(name, call_id) for name, _, call_id in responses] == [
        ("error", "same"),
        ("ToyCake/set", "same"),
        ("error", "same"),
        ("ToyCake/get", "same"),
    ]
    assert [each["name"] for each in responses[3][1]["list"]] == ["A"]


@pytest.mark.rfc("8620", "3.4")
def test_created_ids_come_back_only_where_they_were_given(alice: JMAPClient) -> None:
    create: list[Any] = ["ToyCake/set", {"accountId": alice.account_id, "create": {"a": {"name": "A"}}}, "c"]
    assert "createdIds" not in alice.request(create)
    create[1]["create"] = {"b": {"name": "B"}}
    answer = alice.request(create, createdIds={"x": "k1"})
    made = answer["methodResponses"][0][1]["created"]["b"]["id"]
    assert answer["createdIds"] == {"x": "k1", "b": made}


@pytest.mark.rfc("8620", "3.3")
def test_creation_ids_reach_into_later_calls_and_requests(alice: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    first = alice.request(
        ["ToyCake/set", {**account, "create": {"a": {"name": "A"}}}, "0"],
        ["ToyCandle/set", {**account, "create": {"l": {"cakeId": "#a"}}}, "1"],
        createdIds={},
    )
    made = first["createdIds"]["a"]
    assert first["methodResponses"][1][1]["created"]["l"]["cakeId"] == made
    second = alice.request(
        ["ToyCake/set", {**account, "update": {"#a": {"weight": 3}}}, "0"],
        ["ToyCandle/set", {**account, "create": {"m": {"cakeId": "#a"}}, "destroy": ["#l"]}, "1"],
        createdIds=first["createdIds"],
    )
    assert second["methodResponses"][0][1]["updated"] == {made: None}
    assert second["methodResponses"][1][1]["destroyed"] == [first["createdIds"]["l"]]
    assert second["createdIds"].keys() == {"a", "l", "m"}


@pytest.mark.rfc("8620", "5.3")
def test_a_creation_id_that_is_used_again_means_the_newest(alice: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    answer = alice.request(
        ["ToyCake/set", {**account, "create": {"a": {"name": "A"}}}, "0"],
        ["ToyCake/set", {**account, "create": {"a": {"name": "B"}}}, "1"],
        ["ToyCake/get", {**account, "ids": ["#a"], "properties": ["name"]}, "2"],
        createdIds={"a": "k77"},
    )
    assert [each["name"] for each in answer["methodResponses"][2][1]["list"]] == ["B"]
    assert answer["createdIds"]["a"] == answer["methodResponses"][1][1]["created"]["a"]["id"]


@pytest.mark.rfc("8620", "3.3")
def test_a_create_that_is_refused_gives_no_creation_id(alice: JMAPClient) -> None:
    create = {"a": {"name": ""}}
    answer = alice.request(
        ["ToyCake/set", {"accountId": alice.account_id, "create": create}, "0"], createdIds={"a": "k5"}
    )
    assert answer["createdIds"] == {"a": "k5"}


@pytest.mark.rfc("8620", "3.7")
def test_references_chain_through_every_method(alice: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    start = state(alice)
    [base] = bake(alice, "Base", weight=9)
    bake(alice, "One", "Two", parentId=base)
    answers = alice.request(
        ["ToyCake/changes", {**account, "sinceState": start}, "0"],
        ["ToyCake/get", {**account, "#ids": reference("0", "ToyCake/changes", "/created")}, "1"],
        ["ToyCake/query", {**account, "filter": {"minWeight": 500}}, "2"],
        [
            "ToyCake/get",
            {**account, "#ids": reference("2", "ToyCake/query", "/ids"), "properties": ["parentId"]},
            "3",
        ],
        [
            "ToyCake/get",
            {**account, "#ids": reference("3", "ToyCake/get", "/list/*/parentId"), "properties": ["name"]},
            "4",
        ],
        ["ToyCake/set", {**account, "#destroy": reference("2", "ToyCake/query", "/ids")}, "5"],
        [
            "ToyCake/queryChanges",
            {**account, "#sinceQueryState": reference("2", "ToyCake/query", "/queryState")},
            "6",
        ],
        [
            "ToyCake/get",
            {"#accountId": reference("0", "ToyCake/changes", "/accountId"), "properties": ["name"]},
            "7",
        ],
    )["methodResponses"]
    assert [name for name, _, _ in answers] == [
        "ToyCake/changes", "ToyCake/get", "ToyCake/query", "ToyCake/get", "ToyCake/get", "ToyCake/set",
        "ToyCake/queryChanges", "ToyCake/get",
    ]  # fmt: skip
    assert [each["name"] for each in answers[1][1]["list"]] == ["Base", "One", "Two"]
    assert answers[4][1]["list"] == [{"id": base, "name": "Base"}]
    assert set(answers[6][1]["removed"]) == set(answers[5][1]["destroyed"]) == set(answers[2][1]["ids"])
    assert answers[7][1]["list"] == [{"id": base, "name": "Base"}]


@pytest.mark.rfc("8620", "3.7")
def test_a_reference_into_an_error_needs_its_name(alice: JMAPClient) -> None:
    answers = alice.request(
        ["Nothing/get", {}, "0"],
        ["ToyCake/get", {"accountId": alice.account_id, "#ids": reference("0", "Nothing/get", "/list")}, "1"],
    )["methodResponses"]
    assert answers[1] == ["error", {"type": "invalidResultReference"}, "1"]


@pytest.mark.rfc("8620", "3.6.2")
def test_a_method_that_breaks_leaves_nothing_half_written(
    alice: JMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = bake(alice, "A")
    before, was = cake(alice, first), state(alice)
    written = CAKE.storage.record_changes

    def broken(plan: Any, updates: Any) -> None:
        written(plan, updates)
        raise RuntimeError("the oven of alice@example.com exploded")

    monkeypatch.setattr(CAKE.storage, "record_changes", broken)
    arguments = {"create": {"b": {"name": "B"}}, "update": {first: {"weight": 1}}}
    error = alice.error("ToyCake/set", arguments, createdIds={})
    assert error.keys() == {"type", "description"}
    assert error["type"] == "serverFail"
    assert re.fullmatch("incident [0-9a-f]{16}", error["description"])
    monkeypatch.undo()
    assert (cake(alice, first), state(alice)) == (before, was)
    assert len(alice.call("ToyCake/get")["list"]) == 1


@pytest.mark.rfc("8620", "3.6.2")
def test_a_call_on_a_locked_account_is_unavailable_and_the_next_one_is_not(
    cast: Cast, alice: JMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jmapcore.store import write

    monkeypatch.setattr(
        write, "SET_WRITING", f"{write.SET_WRITING}, set_config('lock_timeout', '50', true)", raising=True
    )
    account = str(cast.alice.account.pk)
    with psycopg.connect(connection_string()) as holder:
        holder.execute(
            "SELECT set_config('jmap.account', %s, true), set_config('jmap.writing', %s, true)",
            (account, account),
        )
        holder.execute("SELECT 1 FROM account_state WHERE account_id = %s FOR UPDATE", (account,))
        create = {"accountId": alice.account_id, "create": {"a": {"name": "A"}}}
        other = {"accountId": cast.bob.account_id, "create": {"a": {"name": "A"}}}
        assert alice.error("ToyCake/set", create) == {"type": "serverUnavailable"}
        assert alice.call("ToyCake/get")["list"] == []
        answers = JMAPClient(cast.bob).request(["ToyCake/set", create, "0"], ["ToyCake/set", other, "1"])
        assert [name for name, _, _ in answers["methodResponses"]] == ["error", "ToyCake/set"]
    assert alice.call("ToyCake/set", create)["notCreated"] is None


@pytest.mark.rfc("8620", "3.6.2")
def test_a_statement_that_takes_too_long_is_unavailable(
    alice: JMAPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: Any, reading: Any, *arguments: Any) -> Any:
        reading.run(
            ("SELECT set_config('statement_timeout', '20', true)", ()), ("SELECT pg_sleep(%s::int)", (9,))
        )

    monkeypatch.setattr(type(CAKE.storage), "fetch", slow)
    assert alice.error("ToyCake/get") == {"type": "serverUnavailable"}
    monkeypatch.undo()
    assert alice.call("ToyCake/get")["list"] == []
