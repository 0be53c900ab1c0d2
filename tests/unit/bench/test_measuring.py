"""Figures from timings, and budgets."""

from __future__ import annotations

from bench.measuring import percentile
from bench.workload import Budget


def test_percentiles_are_the_nearest_rank_in_milliseconds() -> None:
    ordered = [number * 1_000_000 for number in range(1, 101)]
    assert [percentile(ordered, share) for share in (0.5, 0.95, 0.99)] == [51.0, 96.0, 100.0]


def test_the_percentile_of_one_value_is_the_value() -> None:
    assert percentile([2_000_000], 0.99) == 2.0


def test_a_budget_of_processor_time() -> None:
    budget = Budget(cpu_milliseconds=0.5)
    assert (budget.holds(0.5, 1.0), budget.holds(0.51, 1e6)) == (True, False)


def test_a_budget_of_operations_per_second() -> None:
    budget = Budget(per_second=500)
    assert (budget.holds(99.0, 500.0), budget.holds(0.1, 499.0)) == (True, False)
