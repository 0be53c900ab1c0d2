"""Patches of set members alone: applied as the general way would, and left to it where they are anything else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmapcore.protocol.errors import InvalidPatch
from jmapcore.protocol.patch import apply_patch
from jmapcore.protocol.schema import ObjectType, Property, SetBy
from jmapcore.protocol.wire import Id, MapOf, SetOf, String
from jmapcore.standard.set_members import SetMembers

CAKE = ObjectType(
    name="Cake",
    capability="urn:example",
    letter="k",
    properties={
        "tags": Property(SetOf(String(10)), dict),
        "shelves": Property(SetOf(Id(to="Shelf"), min_items=1)),
        "prices": Property(MapOf(String(), String()), dict),
        "fixed": Property(SetOf(String()), dict, SetBy.CREATE),
        "name": Property(String()),
    },
)
RECORD: dict[str, Any] = {
    "tags": {"a": True},
    "shelves": {"s1": True},
    "prices": {"x": "1"},
    "fixed": {},
    "name": "n",
}


def patched(patch: dict[str, Any], *, read_only: bool = False) -> dict[str, Any] | None:
    """What becomes of the record."""
    return SetMembers(CAKE, {"new": "s9"}, read_only=read_only).patched(RECORD, patch)


def test_members_are_put_in_and_taken_out() -> None:
    assert patched({"tags/b": True, "tags/a": None, "shelves/s2": True}) == {
        "tags": {"b": True},
        "shelves": {"s1": True, "s2": True},
    }
    assert RECORD["tags"] == {"a": True}


def test_taking_out_what_is_not_there_changes_nothing() -> None:
    assert patched({"tags/z": None}) == {"tags": {"a": True}}


def test_a_creation_id_stands_for_what_it_created() -> None:
    assert patched({"shelves/#new": True}) == {"shelves": {"s1": True, "s9": True}}


def test_an_escaped_key_is_that_key() -> None:
    assert patched({"tags/a~1b": True}) == {"tags": {"a": True, "a/b": True}}


@pytest.mark.parametrize(
    "patch",
    [
        {"tags": {"b": True}},
        {"tags/b": False},
        {"tags/b": 1},
        {"tags/b/c": True},
        {"tags/": True},
        {"tags/b~2": True},
        {"tags/longer-than-ten": True},
        {"prices/x": None},
        {"fixed/x": True},
        {"name/x": True},
        {"other/x": True},
        {"shelves/s1": None},
        {"tags/b": True, "name": "m"},
        {"shelves/#new": True, "shelves/s9": True},
    ],
    ids=str,
)
def test_everything_else_is_left_to_the_general_way(patch: dict[str, Any]) -> None:
    assert patched(patch) is None


def test_who_may_only_read_is_left_to_the_general_way() -> None:
    assert patched({"tags/b": True}, read_only=True) is None


def test_a_set_that_is_not_there_is_left_to_the_general_way() -> None:
    assert SetMembers(CAKE, {}, read_only=False).patched({}, {"tags/b": True}) is None


@given(
    st.dictionaries(
        st.sampled_from(["tags/a", "tags/b", "tags/c", "shelves/s1", "shelves/s2", "tags"]),
        st.sampled_from([True, None]),
        max_size=4,
    )
)
def test_it_agrees_with_the_general_way(patch: dict[str, Any]) -> None:
    try:
        general = apply_patch(RECORD, patch)
    except InvalidPatch:
        general = None
    found = patched(patch)
    assert found is None or found == general
