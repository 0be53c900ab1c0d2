"""Filters and sorts of the types of mail: no query fails, and the answers agree with one another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from jmapcore.protocol.schema import QUERY
from jmapcore.registry import registry
from tests.protocol.fuzz.ground import Ground
from tests.support.examples import play
from tests.support.strategies import filters, patches, sorts
from tests.support.values import ACCOUNT

TYPES = [
    name
    for name, declared in registry.types.items()
    if QUERY in declared.methods and not name.startswith("Toy")
]
WINDOWS = st.fixed_dictionaries({"position": st.integers(-8, 8), "limit": st.integers(0, 8)})


@pytest.mark.fuzz
@pytest.mark.rfc("8620", "5.5")
@pytest.mark.parametrize("name", TYPES)
def test_a_filter_and_its_opposite_share_the_records_and_windows_fit(database: None, name: str) -> None:
    ground = Ground()
    declared = registry.types[name]

    def query(condition: Any, sort: Any, window: dict[str, int]) -> None:
        opposite = {"operator": "NOT", "conditions": [condition]}
        asked: list[dict[str, Any]] = [
            {"filter": None},
            {"filter": condition, "sort": sort, "calculateTotal": True},
            {"filter": opposite, "sort": sort},
            {"filter": condition, "sort": sort, **window},
        ]
        with ground.example():
            answers = ground.send(*([f"{name}/query", {"accountId": ACCOUNT, **each}, "q"] for each in asked))
        (_, everything, _), *others = answers["methodResponses"]
        if any(response == "error" for response, _, _ in others):
            assert len({response for response, _, _ in others}) == 1, (asked, others)
            return
        found, rest, part = (answer for _, answer, _ in others)
        assert len(found["ids"]) == len(set(found["ids"])) == found["total"]
        assert sorted([*found["ids"], *rest["ids"]]) == sorted(everything["ids"])
        start = window["position"] if window["position"] >= 0 else max(0, found["total"] + window["position"])
        assert part["ids"] == found["ids"][start : start + window["limit"]]

    play(query, filters(declared), sorts(declared), WINDOWS)
    ground.leave()


@pytest.mark.fuzz
@pytest.mark.rfc("8620", "5.6")
@pytest.mark.parametrize("name", TYPES)
def test_the_changes_of_a_query_lead_to_its_new_results(database: None, name: str) -> None:
    ground = Ground()
    declared = registry.types[name]
    arguments = sorted(each for each in declared.arguments.get(QUERY, {}))
    changed = st.dictionaries(
        st.builds(f"@{name}:{{}}".format, st.integers(0, 9)), patches(declared), max_size=3
    )

    def follow(condition: Any, sort: Any, more: dict[str, bool], update: Any, destroy: list[str]) -> None:
        query = {"accountId": ACCOUNT, "filter": condition, "sort": sort, **more}
        since = {"resultOf": "0", "name": f"{name}/query", "path": "/queryState"}
        with ground.example():
            answers = ground.send(
                [f"{name}/query", query, "0"],
                [f"{name}/set", {"accountId": ACCOUNT, "update": update, "destroy": destroy}, "1"],
                [f"{name}/queryChanges", {**query, "#sinceQueryState": since}, "2"],
                [f"{name}/query", query, "3"],
            )["methodResponses"]
        if "error" in (answers[0][0], answers[2][0]):
            return
        changes = answers[2][1]
        ids = [each for each in answers[0][1]["ids"] if each not in changes["removed"]]
        for added in changes["added"]:
            ids.insert(added["index"], added["id"])
        assert ids == answers[3][1]["ids"]

    play(
        follow,
        filters(declared),
        sorts(declared),
        st.fixed_dictionaries({each: st.booleans() for each in arguments}),
        changed,
        st.lists(st.builds(f"@{name}:{{}}".format, st.integers(10, 20)), max_size=1),
    )
    ground.leave()
