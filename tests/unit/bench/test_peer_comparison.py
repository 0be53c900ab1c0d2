"""Ratios of the service and a peer."""

from __future__ import annotations

import pytest

from bench.catalogue import BY_NAME, WORKLOADS
from bench.measuring import Measurement, Refusal
from bench.peer_comparison import BUDGETED_PEER, Row


def measured(workload: str, web: float, others: float, per_second: float = 1.0) -> Measurement:
    return Measurement(
        workload, workload, 1, 100, 1.0, per_second, 1.0, 1.0, 1.0, web, others, 1.0, 0.11, None, None, holds=True
    )  # fmt: skip


def row(workload: str, ours: list[Measurement], peer: list[Measurement]) -> Row:
    return Row(BY_NAME[workload], ours, peer)


def test_the_budget_names_a_peer_for_every_workload() -> None:
    assert BUDGETED_PEER.keys() == {workload.name for workload in WORKLOADS}


def test_medians_are_compared() -> None:
    ours = [measured("echo", cost, 0.1) for cost in (0.1, 0.2, 9.0)]
    peer = [measured("echo", cost, 5.0) for cost in (0.5, 0.6, 7.0)]
    assert row("echo", ours, peer).ratio == pytest.approx(0.5)


def test_what_the_budget_asks_for() -> None:
    assert row("echo", [], []).wanted == pytest.approx(0.20 / 0.62)


@pytest.mark.parametrize(("ours", "holds"), [(0.15, True), (0.25, False)])
def test_processor_time_is_to_be_low(ours: float, holds: bool) -> None:
    assert row("echo", [measured("echo", ours, 0.0)], [measured("echo", 0.62, 0.0)]).holds is holds


@pytest.mark.parametrize(("ours", "holds"), [(400.0, False), (600.0, True)])
def test_a_rate_is_to_be_high(ours: float, holds: bool) -> None:
    found = row("import", [measured("import", 1.0, 1.0, ours)], [measured("import", 9.0, 1.0, 61.0)])
    assert found.holds is holds


def test_a_line_shows_both_sides() -> None:
    line = row("echo", [measured("echo", 0.2, 0.11)], [measured("echo", 0.62, 0.01)]).line()
    assert line.split() == [
        "Core/echo", "0.620", "0.010", "0.310", "0.110", "0.500", "0.323", "1.000", "EXCEEDED",
    ]  # fmt: skip


def test_a_refusal_is_shown_and_counts_for_nothing() -> None:
    found = row("echo", [measured("echo", 0.2, 0.1)], [])
    found.add("peer", Refusal("echo", "Core/echo", "unknownMethod"))
    assert (found.holds, found.line().endswith("peer: unknownMethod")) == (True, True)
