"""Two result files side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.comparison import ComparisonError, compare, load


def result_file(path: Path, **changed: Any) -> Path:
    measurement = {
        "workload": "echo", "title": "Core/echo", "connections": 1, "per_second": 1000.0, "latency_p50": 1.0,
        "latency_p95": 2.0, "cpu_web": 0.1, "cpu_postgresql": 0.0, "cpu": 0.1, "nothing": 0.1, **changed,
    }  # fmt: skip
    path.write_text(json.dumps({"source": "abc", "messages": 10_000, "measurements": [measurement]}))
    return path


def test_ratios_are_after_to_before(tmp_path: Path) -> None:
    before = load(result_file(tmp_path / "before"))
    after = load(result_file(tmp_path / "after", per_second=500.0, cpu_web=0.2, cpu=0.2, nothing=0.2))
    row = compare(before, after)[3]
    assert row.split() == ["Core/echo", "1", "0.50", "1.00", "1.00", "2.00", "-", "2.00", "1.00"]


def test_what_became_dearer_is_named(tmp_path: Path) -> None:
    before = load(result_file(tmp_path / "before"))
    after = load(result_file(tmp_path / "after", cpu=0.2))
    assert compare(before, after)[-1] == "dearer by more than 15%: echo ×2.00"


def test_a_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_text("[]")
    with pytest.raises(ComparisonError, match="is no result file of this program"):
        load(path)
