"""Parsed queries: what they look at, and the pieces that /query and /queryChanges share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jmapcore.protocol.errors import AnchorNotFound, UnsupportedFilter
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Boolean
from jmapcore.store.query import Query, WindowRequest, matches, parse_filter, parse_sort, take_window
from tests.toys.types import CAKE


def query(filter_: object = None, sort: object = None) -> Query:
    return Query(CAKE, parse_filter(CAKE, filter_, lambda text: text), parse_sort(CAKE, sort))


def test_a_query_is_mutable_where_it_looks_at_what_may_change() -> None:
    assert not query().mutable
    assert not query({"shape": "round"}, [{"property": "shape"}]).mutable
    assert query({"operator": "OR", "conditions": [{"shape": "round"}, {"name": "x"}]}).mutable
    assert query({"shape": "round"}, [{"property": "weight"}]).mutable


def test_an_argument_may_make_a_query_mutable() -> None:
    declared = replace(CAKE, arguments={"query": {"stacked": Argument(Boolean(), False, mutable=True)}})
    assert not Query(declared, None, (), {"stacked": False}).mutable
    assert Query(declared, None, (), {"stacked": True}).mutable


@pytest.mark.parametrize("nothing", [None, []])
def test_the_default_sort_stands_where_there_is_none(nothing: object) -> None:
    declared = replace(CAKE, default_sort=("weight", "name"))
    sort = parse_sort(declared, nothing)
    assert [(each.name, each.ascending) for each in sort] == [("weight", True), ("name", True)]
    assert Query(declared, None, sort).mutable
    assert [each.name for each in parse_sort(declared, [{"property": "shape"}])] == ["shape"]


def test_a_query_needs_the_properties_of_its_filter_and_sort() -> None:
    assert query().needs() == set()
    assert query({"minWeight": 1, "name": "x"}, [{"property": "topping"}]).needs() == {
        "weight",
        "name",
        "toppings",
    }


def test_a_condition_without_a_function_cannot_be_decided() -> None:
    with pytest.raises(UnsupportedFilter):
        matches(query({"unheardOf": "x"}).filter, {})


def test_a_window_counts_whatever_it_holds() -> None:
    window = take_window([5, 6, 7], WindowRequest(1, None, 0, 1, True))
    assert (window.ids, window.position, window.total) == ([6], 1, 3)
    beyond = take_window([5, 6, 7], WindowRequest(0, 6, 2**53 - 1, 1, True))
    assert (beyond.ids, beyond.position) == ([], 3)
    with pytest.raises(AnchorNotFound):
        take_window([5, 6, 7], WindowRequest(0, 8, 0, 1, False))
