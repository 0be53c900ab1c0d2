"""The plan of a /set: refusing one thing takes along what depends on it."""

from __future__ import annotations

from typing import Any

import pytest

from jmapcore.protocol.errors import ForbiddenSet, NotFound
from jmapcore.store.plan import PlannedCreate, PlannedDestroy, PlannedUpdate, SetPlan
from tests.toys.types import CAKE


@pytest.fixture
def plan() -> SetPlan:
    nothing: Any = None
    return SetPlan(CAKE, nothing, nothing, {})


def create(number: int) -> PlannedCreate:
    return PlannedCreate(f"c{number}", number, {"name": "A"}, frozenset({"name"}))


def test_a_refused_create_takes_its_update_along(plan: SetPlan) -> None:
    plan.creates["c1"] = create(1)
    plan.updates[1] = PlannedUpdate(1, {}, {}, ["#c1", "k1"])
    error = ForbiddenSet()
    plan.fail_create("c1", error)
    plan.fail_create("c1", error)
    assert (plan.creates, plan.updates, plan.not_created, plan.failures) == ({}, {}, {"c1": error}, 1)
    assert {key: type(each) for key, each in plan.not_updated.items()} == {"#c1": NotFound, "k1": NotFound}


def test_a_refused_update_is_told_under_each_of_its_names(plan: SetPlan) -> None:
    plan.updates[1] = PlannedUpdate(1, {}, {}, ["#c1", "k1"])
    error = ForbiddenSet()
    plan.fail_update(1, error)
    plan.fail_update(1, error)
    assert (plan.not_updated, plan.failures) == ({"#c1": error, "k1": error}, 1)


def test_a_refused_destroy_of_what_the_call_creates_creates_it(plan: SetPlan) -> None:
    passing = create(1)
    plan.passing.append(passing)
    plan.passing.append(create(2))
    plan.destroys[1] = PlannedDestroy(1, {}, "#c1", ["k1"])
    error = ForbiddenSet()
    plan.fail_destroy(1, error)
    plan.fail_destroy(1, error)
    assert (plan.not_destroyed, plan.failures) == ({"#c1": error, "k1": error}, 1)
    assert plan.creates == {"c1": passing}
    assert [each.id for each in plan.passing] == [2]
    assert plan.created_ids() == {"c1": "k1", "c2": "k2"}
