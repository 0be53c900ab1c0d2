"""Two result files side by side: what became dearer, what became cheaper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COLUMNS = ("per_second", "latency_p50", "latency_p95", "cpu_web", "cpu_postgresql", "cpu")
_ROW = "{:<32} {:>4}" + " {:>9}" * (len(COLUMNS) + 1)
_NOTEWORTHY = 1.15

Key = tuple[str, int]


class ComparisonError(Exception):
    """A file cannot be compared; the text is a sentence."""


def load(path: Path) -> dict[str, Any]:
    """A result file. Raises `ComparisonError`."""
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        document["measurements"] = {
            (each["workload"], each["connections"]): each for each in document["measurements"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ComparisonError(f"{path} is no result file of this program: {error}") from error
    return document


def ratio(before: float, after: float) -> float | None:
    """`after` in units of `before`; None where there was nothing."""
    return after / before if before else None


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """A table of the ratios after : before of every workload that both files have, and what stands out.

    The last column is processor time again, corrected for how fast the processor was at either time.
    """
    lines = [f"{_described(before)}  →  {_described(after)}", ""]
    lines.append(
        _ROW.format("after : before", "conn", "per s", "p50", "p95", "web", "pg", "cpu", "corrected")
    )
    dearer: list[str] = []
    shared: list[Key] = [key for key in before["measurements"] if key in after["measurements"]]
    for key in shared:
        old, new = before["measurements"][key], after["measurements"][key]
        ratios = [ratio(old[column], new[column]) for column in COLUMNS]
        pace = ratio(old["nothing"], new["nothing"])
        ratios.append(ratios[-1] / pace if ratios[-1] is not None and pace else None)
        shown = ["-" if each is None else f"{each:.2f}" for each in ratios]
        lines.append(_ROW.format(new["title"], key[1], *shown))
        processor_time = ratios[-1]
        if processor_time is not None and processor_time > _NOTEWORTHY:
            dearer.append(f"{key[0]} ×{processor_time:.2f}")
    if dearer:
        lines += ["", f"dearer by more than {_NOTEWORTHY - 1:.0%}: {', '.join(dearer)}"]
    return lines


def _described(document: dict[str, Any]) -> str:
    return f"{document.get('source') or 'unknown source'}, {document.get('messages', 0):,} messages"
