"""What was measured, as a table for people and as JSON for `--compare`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import deliveries, push, submissions
from bench.deliveries import Deliveries
from bench.measuring import Measurement, Refusal
from bench.nothing import BUDGETED_MILLISECONDS
from bench.push import Pushed
from bench.submissions import Submissions
from bench.transfers import MOST_ADDED, MOST_WORKER, MemoryUse, Stalled

FORMAT = 2
_ROW = "{:<30} {:>4} {:>7} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7}  {}"
HEADING = _ROW.format(
    "workload", "conn", "per s", "p50 ms", "p95", "p99", "web", "pg", "cpu", "scaled", "budget", ""
)
MEGABYTE = 1_000_000


@dataclass(slots=True)
class Results:
    """Everything that one run found."""

    messages: int
    seed: int
    requests: int
    measurements: list[Measurement] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    memory: MemoryUse | None = None
    stalled: Stalled | None = None
    pushed: Pushed | None = None
    deliveries: Deliveries | None = None
    submissions: list[Submissions] = field(default_factory=list)
    workers: list[int] = field(default_factory=list)
    """Octets of memory of each web worker after all workloads."""

    def add(self, found: Measurement | Refusal) -> None:
        """Keep what a workload gave."""
        if isinstance(found, Refusal):
            self.refusals.append(found)
        else:
            self.measurements.append(found)

    @property
    def exceeded(self) -> list[str]:
        """The names of the workloads that exceed their budget, each once."""
        names = [each.workload for each in self.measurements if not each.holds]
        names += ["push"] if self.pushed is not None and not self.pushed.holds else []
        names += ["deliveries"] if self.deliveries is not None and not self.deliveries.holds else []
        names += ["submissions" for each in self.submissions if not each.holds]
        return list(dict.fromkeys(names))


def line(found: Measurement | Refusal) -> str:
    """A row of the table."""
    if isinstance(found, Refusal):
        return f"{found.title:<32}    - not answered: {found.reason[:100]}"
    if found.budget_cpu is not None:
        budget = f"{found.budget_cpu:.2f}"
    else:
        budget = f">{found.budget_per_second:.0f}/s"
    return _ROW.format(
        found.title, found.connections, f"{found.per_second:.0f}", f"{found.latency_p50:.2f}",
        f"{found.latency_p95:.2f}", f"{found.latency_p99:.2f}", f"{found.cpu_web:.3f}",
        f"{found.cpu_postgresql:.3f}", f"{found.cpu:.3f}", f"{found.scaled:.3f}", budget, "ok" if found.holds else "EXCEEDED",
    )  # fmt: skip


def closing_lines(results: Results) -> list[str]:
    """What stands below the table: memory, stalled transfers, and what exceeds its budget."""
    lines = [""]
    if results.workers:
        sizes = ", ".join(f"{octets / MEGABYTE:.0f} MB" for octets in results.workers)
        verdict = "ok" if max(results.workers) < MOST_WORKER else "EXCEEDED"
        lines.append(f"memory of the web workers after all workloads: {sizes} (at most 150 MB) {verdict}")
    if results.memory is not None:
        lines += _memory_lines(results.memory)
    if results.stalled is not None:
        lines += _stalled_lines(results.stalled)
    if results.pushed is not None:
        verdict = "ok" if results.pushed.holds else "EXCEEDED"
        lines += [f"{each}  {verdict}" for each in push.lines(results.pushed)]
    if results.deliveries is not None:
        verdict = "ok" if results.deliveries.holds else "EXCEEDED"
        lines.append(f"{deliveries.line(results.deliveries)}  {verdict}")
    lines += [
        f"{submissions.line(each)}  {'ok' if each.holds else 'EXCEEDED'}" for each in results.submissions
    ]
    if results.measurements:
        costs = sorted(each.nothing for each in results.measurements)
        lines.append(
            f"a request for nothing cost {costs[0]:.3f} to {costs[-1]:.3f} ms; scaled is for {BUDGETED_MILLISECONDS} ms,"
            " what it cost where the budget was made"
        )
    if results.exceeded:
        lines.append(f"over budget: {', '.join(results.exceeded)}")
    return lines


def _memory_lines(use: MemoryUse) -> list[str]:
    lines = []
    for what, added, seconds in (
        ("upload", use.upload_added, use.upload_seconds),
        ("download", use.download_added, use.download_seconds),
    ):
        verdict = "ok" if added < MOST_ADDED else "EXCEEDED"
        lines.append(
            f"{what} of 50 MB: adds {added / MEGABYTE:.1f} MB (at most 10 MB), takes {seconds:.2f} s  {verdict}"
        )
    sizes = ", ".join(f"{octets / MEGABYTE:.0f} MB" for octets in use.workers)
    return [*lines, f"memory of the web workers after the transfers: {sizes}"]


def _stalled_lines(found: Stalled) -> list[str]:
    if isinstance(found.alone, Refusal) or isinstance(found.beside, Refusal):
        refused = found.alone if isinstance(found.alone, Refusal) else found.beside
        return [f"Core/echo beside stalled transfers: {line(refused)}"]
    return [
        f"Core/echo alone: p50 {found.alone.latency_p50:.2f} ms, p99 {found.alone.latency_p99:.2f} ms; beside"
        f" {found.uploads} stalled uploads and {found.downloads} stalled downloads: p50"
        f" {found.beside.latency_p50:.2f} ms, p99 {found.beside.latency_p99:.2f} ms"
    ]


def as_json(results: Results, postgresql: str) -> dict[str, Any]:
    """The results as plain values, with what they depend on."""
    return {
        "format": FORMAT,
        **circumstances(postgresql),
        **{name: value for name, value in asdict(results).items() if name != "measurements"},
        "measurements": [
            {**asdict(each), "cpu": each.cpu, "scaled": each.scaled} for each in results.measurements
        ],
    }


def circumstances(postgresql: str) -> dict[str, Any]:
    """What every result depends on: source and machine."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": source_revision(),
        "machine": {
            "processors": os.cpu_count(),
            "load_average": [round(load, 2) for load in os.getloadavg()],
            "system": platform.platform(),
            "python": platform.python_version(),
            "postgresql": postgresql,
        },
    }


def source_revision() -> str | None:
    """The commit that was measured, with a + where files differ from it; None outside a checkout."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],  # noqa: S607  # whichever git the person uses
            capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()


def save(path: Path, document: dict[str, Any]) -> None:
    """Write the JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_rounded(document), indent=1) + "\n", "utf-8")


def _rounded(value: Any) -> Any:
    """The same with numbers that a person can read."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value
