"""Hostile requests: nothing answers 500, nothing takes long, nothing half is written."""

from __future__ import annotations

import sys
import time
from typing import Any

import orjson
import pytest
from django.http import HttpResponse

from tests.protocol.http.wsgi import environ
from tests.protocol.toys.bakery import bake
from tests.support.cast import Cast
from tests.support.client import JMAPClient

LIMIT_SECONDS = 20 if sys.gettrace() else 2  # measuring coverage takes its time


class Attacker(JMAPClient):
    """A client of whose requests each may cost two seconds of computing; what the shadow client does is not counted."""

    def post(self, body: Any, content_type: str = "application/json") -> HttpResponse:
        """The response to a body."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        started = time.thread_time()
        response = self.http.post("/jmap/api", raw, content_type=content_type)
        assert time.thread_time() - started < LIMIT_SECONDS
        return self._looked_at(response)


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return Attacker(cast.alice)


def answers(client: JMAPClient, *calls: list[Any]) -> list[Any]:
    """The responses, none of which is a serverFail."""
    responses: list[Any] = client.request(*calls)["methodResponses"]
    failed = [
        each
        for each in responses
        if each[0] == "error" and each[1]["type"] in {"serverFail", "serverUnavailable"}
    ]
    assert failed == []
    return responses


def reference(call: int, path: str = "", name: str = "Core/echo") -> dict[str, str]:
    return {"resultOf": str(call), "name": name, "path": path}


@pytest.mark.rfc("8620", "8.5")
def test_echoes_that_double_one_another(alice: JMAPClient) -> None:
    calls: list[list[Any]] = [["Core/echo", {"a": "x" * 10_000}, "0"]]
    for number in range(31):
        both = reference(number)
        calls.append(["Core/echo", {"#a": both, "#b": both}, str(number + 1)])
    responses = answers(alice, *calls)
    assert sum(len(orjson.dumps(each)) for each in responses) < 51_000_000
    assert {each[1]["type"] for each in responses if each[0] == "error"} <= {
        "requestTooLarge",
        "invalidResultReference",
    }


def test_echoes_of_everything_before(alice: JMAPClient) -> None:
    calls: list[list[Any]] = [["Core/echo", {"a": ["x" * 100] * 10_000}, "0"]]
    for number in range(31):
        calls.append(
            ["Core/echo", {f"#{n}": reference(n, "/a/*") for n in range(number + 1)}, str(number + 1)]
        )
    assert len(answers(alice, *calls)) == 32


def test_pointers_with_many_stars(alice: JMAPClient) -> None:
    value: Any = 1
    for _ in range(60):
        value = [value, value] if len(orjson.dumps(value)) < 100_000 else [value]
    calls = [["Core/echo", {"a": value}, "0"]]
    calls += [["Core/echo", {"#b": reference(0, "/a" + "/*" * stars)}, "c"] for stars in range(1, 31)]
    assert len(answers(alice, *calls)) == 31


def test_full_calls_of_ids(alice: JMAPClient) -> None:
    ids = [f"k{number}" for number in range(1, 1_001)]
    calls = [
        ["ToyCake/get", {"accountId": alice.account_id, "ids": ids}, str(number)] for number in range(32)
    ]
    assert all(len(each[1]["notFound"]) == 1_000 for each in answers(alice, *calls))


@pytest.mark.rfc("8620", "8.5")
def test_a_million_ids(alice: JMAPClient) -> None:
    [answer] = answers(
        alice, ["ToyCake/get", {"accountId": alice.account_id, "ids": ["k1"] * 1_000_000}, "c"]
    )
    assert answer[1] == {"type": "requestTooLarge"}


@pytest.mark.rfc("8620", "8.5")
def test_filters_of_many_conditions(alice: JMAPClient) -> None:
    bake(alice, "A", "B")
    wide = {"operator": "OR", "conditions": [{"name": "x"}] * 10_000}
    assert alice.error("ToyCake/query", {"filter": wide}) == {"type": "unsupportedFilter"}
    wide["conditions"] = [{"name": "x"}] * 900
    assert alice.call("ToyCake/query", {"filter": wide})["ids"] == []


@pytest.mark.rfc("8620", "8.5")
@pytest.mark.parametrize("operator", ["AND", "OR", "NOT"])
def test_filters_that_nest_deeply(alice: JMAPClient, operator: str) -> None:
    [made] = bake(alice, "A")
    nested: dict[str, Any] = {"name": "A"}
    for _ in range(46):  # two levels of JSON each
        nested = {"operator": operator, "conditions": [nested]}
    assert alice.call("ToyCake/query", {"filter": nested})["ids"] == [made]
    for _ in range(10):
        nested = {"operator": operator, "conditions": [nested]}
    response = alice.post({"using": [], "methodCalls": [["ToyCake/query", {"filter": nested}, "c"]]})
    assert response.status_code == 400


def test_filters_that_grow_by_reference(alice: JMAPClient) -> None:
    calls: list[list[Any]] = [["Core/echo", {"operator": "NOT", "conditions": []}, "0"]]
    for number in range(20):
        calls.append(
            [
                "Core/echo",
                {"operator": "NOT", "#conditions": reference(number, "/conditions")},
                str(number + 1),
            ]
        )
    calls.append(["ToyCake/query", {"accountId": alice.account_id, "#filter": reference(20)}, "q"])
    assert answers(alice, *calls)[-1][0] == "ToyCake/query"


@pytest.mark.rfc("8620", "8.5")
def test_patches_of_a_hundred_thousand_pointers(alice: JMAPClient) -> None:
    [made] = bake(alice, "A")
    account = {"accountId": alice.account_id}
    many = {f"toppings/t{number}": True for number in range(100_000)}
    deep = {"toppings/" + "/".join("x" * 1_000_000): True}
    unknown = {f"p{number}": True for number in range(100_000)}
    responses = answers(
        alice,
        ["ToyCake/set", {**account, "update": {made: deep}}, "0"],
        ["ToyCake/set", {**account, "update": {made: unknown}}, "1"],
        ["ToyCake/set", {**account, "update": {made: many}}, "2"],
    )
    assert responses[0][1]["notUpdated"] == {made: {"type": "invalidPatch"}}
    assert responses[1][1]["notUpdated"][made]["type"] == "invalidProperties"
    assert responses[2][1]["updated"] == {made: None}
    alice.call("ToyCake/set", {"destroy": [made]})


NUL: list[dict[str, Any]] = [
    {"create": {"a": {"name": "A", "\0": 1}}},
    {"create": {"a": {"name": "A", "toppings": {"\0": True}}}},
    {"create": {"a": {"name": "A", "layers": [{"of": "\0"}]}}},
    {"create": {"a": {"name": "A", "tag": "\0"}}},
    {"create": {"\0": {"name": "A"}}},
    {"update": {"MADE": {"toppings/\0": True}}},
    {"update": {"MADE": {"\0/x": True}}},
    {"update": {"\0": {"name": "B"}}},
    {"destroy": ["\0"]},
    {"ifInState": "\0"},
]


@pytest.mark.parametrize("arguments", NUL, ids=repr)
def test_nul_characters(alice: JMAPClient, arguments: dict[str, Any]) -> None:
    [made] = bake(alice, "Made")
    if "MADE" in arguments.get("update", {}):
        arguments = {"update": {made: arguments["update"]["MADE"]}}
    [[name, answer, _]] = answers(alice, ["ToyCake/set", {"accountId": alice.account_id, **arguments}, "c"])
    assert name == "error" or answer["created"] is answer["updated"] is None
    assert [each["name"] for each in alice.call("ToyCake/get")["list"]] == ["Made"]


@pytest.mark.parametrize(
    "number",
    [
        "1e308",
        "-1e308",
        "1e-308",
        "9" * 300,
        "-" + "9" * 300,
        "9007199254740993",
        "18446744073709551615",
        "0.1",
        "-1",
    ],
)
def test_enormous_numbers(alice: JMAPClient, number: str) -> None:
    account = f'"accountId":"{alice.account_id}"'
    calls = ",".join(
        [
            f'["ToyCake/set",{{{account},"create":{{"a":{{"name":"A","weight":{number}}}}}}},"0"]',
            f'["ToyCake/set",{{{account},"create":{{"a":{{"name":"B","layers":[{{"of":"x","height":{number}}}]}}}}}},"1"]',
            f'["ToyCake/query",{{{account},"position":{number}}},"2"]',
            f'["ToyCake/query",{{{account},"limit":{number}}},"3"]',
            f'["ToyCake/query",{{{account},"filter":{{"minWeight":{number}}}}},"4"]',
            f'["ToyCake/query",{{{account},"sort":[{{"property":"topping","atLeast":{number}}}]}},"5"]',
            f'["ToyCake/changes",{{{account},"sinceState":"x","maxChanges":{number}}},"6"]',
            f'["Core/echo",{{"n":{number}}},"7"]',
        ]
    )
    body = f'{{"using":["urn:ietf:params:jmap:core","urn:example:toys"],"methodCalls":[{calls}]}}'
    response = alice.post(body.encode())
    assert response.status_code == 200
    types = [
        each[1]["type"] for each in orjson.loads(response.content)["methodResponses"] if each[0] == "error"
    ]
    assert set(types) <= {"invalidArguments", "cannotCalculateChanges"}
    assert alice.call("ToyCake/get")["list"] == []


def test_long_names_of_everything(alice: JMAPClient) -> None:
    long = "x" * 100_000
    account = {"accountId": alice.account_id}
    responses = answers(
        alice,
        [long, {}, "0"],
        ["ToyCake/get", {**account, long: 1}, "1"],
        ["ToyCake/get", {**account, "properties": [long]}, "2"],
        ["ToyCake/get", {**account, "ids": [long]}, "3"],
        ["ToyCake/query", {**account, "filter": {long: 1}}, "4"],
        ["ToyCake/query", {**account, "sort": [{"property": long}]}, "5"],
        ["ToyCake/query", {**account, "sort": [{"property": "name", "collation": long}]}, "6"],
        ["ToyCake/changes", {**account, "sinceState": long}, "7"],
        ["ToyCake/get", {"accountId": long}, "8"],
        ["ToyCake/get", {**account, "#ids": {"resultOf": long, "name": long, "path": long}}, "9"],
    )
    assert [each[1]["type"] for each in responses] == [
        "unknownMethod", "invalidArguments", "invalidArguments", "invalidArguments", "unsupportedFilter",
        "unsupportedSort", "unsupportedSort", "cannotCalculateChanges", "invalidArguments", "invalidResultReference",
    ]  # fmt: skip


def test_creates_that_lean_on_each_other(alice: JMAPClient) -> None:
    circle = {f"c{n}": {"name": f"N{n}", "parentId": f"#c{(n + 1) % 400}"} for n in range(400)}
    [[_, answer, _]] = answers(alice, ["ToyCake/set", {"accountId": alice.account_id, "create": circle}, "c"])
    assert answer["created"] is None
    assert len(answer["notCreated"]) == 400


def test_a_path_of_any_octets(cast: Cast) -> None:
    from jmapcore.edge import Edge

    edge = Edge()
    for path in (
        "/jmap/\0",
        "/jmap/download/a1/b1/\xff\xfe",
        "/jmap/upload/\r\nX: y/",
        "/jmap/download/a1/" + "x" * 100_000 + "/n",
    ):
        answer = edge.answer(environ("GET", path, cast.alice.bearer))
        assert answer is None or answer.status in {400, 404, 405}


def test_a_chain_of_creates_of_which_the_first_fails(alice: JMAPClient) -> None:
    chain = {
        f"c{n}": {"name": "N", "parentId": f"#c{n - 1}" if n else "k999999"} for n in reversed(range(500))
    }
    [[_, answer, _]] = answers(alice, ["ToyCake/set", {"accountId": alice.account_id, "create": chain}, "c"])
    assert answer["created"] is None
    assert len(answer["notCreated"]) == 500
