"""PatchObject: every rule of RFC 8620 §5.3."""

from __future__ import annotations

import contextlib
import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmapcore.protocol.errors import InvalidPatch
from jmapcore.protocol.patch import REMOVED, apply_patch

RECORD: dict[str, Any] = {
    "name": "A",
    "keywords": {"x": True, "a/b": True},
    "alerts": {"1": {"offset": 5, "deep": {"er": 1}}},
    "list": [{"a": 1}],
    "nothing": None,
}


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({}, {}),
        ({"name": "B"}, {"name": "B"}),
        ({"name": None}, {"name": REMOVED}),
        ({"unknown": 1}, {"unknown": 1}),
        ({"keywords": {"y": True}}, {"keywords": {"y": True}}),
        ({"keywords/y": True}, {"keywords": {"x": True, "a/b": True, "y": True}}),
        ({"keywords/x": None}, {"keywords": {"a/b": True}}),
        ({"keywords/missing": None}, {"keywords": {"x": True, "a/b": True}}),
        ({"keywords/a~1b": None}, {"keywords": {"x": True}}),
        ({"keywords/x": None, "keywords/y": True}, {"keywords": {"a/b": True, "y": True}}),
        ({"alerts/1/offset": 6}, {"alerts": {"1": {"offset": 6, "deep": {"er": 1}}}}),
        ({"alerts/1/deep/er": 2, "alerts/2": {}}, {"alerts": {"1": {"offset": 5, "deep": {"er": 2}}, "2": {}}}),
        ({"list": []}, {"list": []}),
        ({"keywords/": True}, {"keywords": {"x": True, "a/b": True, "": True}}),
        ({"": 1}, {"": 1}),
    ],
)  # fmt: skip
def test_a_patch_is_applied(patch: dict[str, Any], changed: dict[str, Any]) -> None:
    before = copy.deepcopy(RECORD)
    assert apply_patch(RECORD, patch) == changed
    assert before == RECORD


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize(
    "patch",
    [
        {"list/0": {}},
        {"list/0/a": 2},
        {"list/-": {}},
        {"missing/a": 1},
        {"alerts/2/offset": 1},
        {"alerts/1/offset/x": 1},
        {"alerts/1/deep/er/x/y": 1},
        {"name/x": 1},
        {"nothing/x": 1},
        {"alerts/1/offset": 1, "alerts": {}},
        {"alerts/1/offset": 1, "alerts/1": {}},
        {"alerts/1": {}, "alerts/1/deep/er": 1},
        {"keywords/~": True},
        {"keywords/~2": True},
        {"~x": 1},
    ],
)
def test_a_patch_that_breaks_a_rule_is_invalid(patch: dict[str, Any]) -> None:
    with pytest.raises(InvalidPatch):
        apply_patch(RECORD, patch)


@pytest.mark.rfc("8620", "5.3")
def test_a_name_that_begins_like_another_is_no_prefix_of_it() -> None:
    record: dict[str, Any] = {"a": {}, "a!": {}, "ab": {}}
    patch = {"a/x": 1, "a!/x": 2, "ab/x": 3, "a/xy": 4, "a/x!": 5}
    assert apply_patch(record, patch) == {"a": {"x": 1, "xy": 4, "x!": 5}, "a!": {"x": 2}, "ab": {"x": 3}}


@given(st.dictionaries(st.text("ab/~01", max_size=6), st.none() | st.integers() | st.just({}), max_size=5))
def test_whatever_patch_comes_is_applied_or_invalid(patch: dict[str, Any]) -> None:
    record: dict[str, Any] = {"a": {"a": {"b": {}}, "b": []}, "b": None, "": {"": {}}}
    before = copy.deepcopy(record)
    try:
        apply_patch(record, patch)
    except InvalidPatch:
        pass
    else:
        paths = [("/" + pointer).split("/")[1:] for pointer in patch]
        assert not any(one != two and two[: len(one)] == one for one in paths for two in paths)
    assert record == before


@pytest.mark.parametrize(
    "patch",
    [
        {f"keywords/{number}": True for number in range(100_000)},
        {f"p{number}": True for number in range(100_000)},
        {"keywords" + "/a" * 1_000_000: True},
        {f"keywords/x{'/a' * number}": True for number in range(2_000)},
    ],
    ids=["many keys", "many properties", "one deep", "many prefixes"],
)
def test_large_patches_take_no_time(patch: dict[str, Any]) -> None:
    started = time.thread_time()
    with contextlib.suppress(InvalidPatch):
        apply_patch(RECORD, patch)
    assert time.thread_time() - started < 2
