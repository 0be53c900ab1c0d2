"""What a request costs at least: the table."""

from __future__ import annotations

import pytest

from bench.floors import STEPS, report


def test_the_table_is_in_milliseconds_and_in_units_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    found = {step: [(0.125 * number, 0.125 * (number - 1))] * 3 for number, step in enumerate(STEPS, 1)}
    report(found)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == ["nothing", "0.125", "0.000", "0.125", "1.00", "0.110"]
    assert rows[2] == ["gate", "0.250", "0.125", "0.375", "3.00", "0.330"]
    assert [row[0] for row in rows[1:]] == list(STEPS)
