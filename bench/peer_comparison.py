"""The service and a peer on one machine in the same minutes: each workload by turns, and the ratio of the medians.

Neighbours make processor time dearer from one minute to the next, and no two machines are alike; ratios bear both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from bench.measuring import Bench, Measurement, Refusal
from bench.workload import Workload

BUDGETED_PEER: dict[str, float] = {
    "echo": 0.62, "session": 0.88, "mailboxes": 2.2, "inbox": 21.9, "message": 1.3, "download": 0.82, "flagged": 4.2,
    "unread": 2.2, "from": 2.8, "search-rare": 1.8, "search-uncommon": 5.2, "search-common": 24.7, "sync-page": 102.0,
    "poll": 1.7, "delta": 2.9, "query-changes": 3.4, "flip": 2.6, "set-100": 15.2, "create": 5.7, "import": 61.0,
}  # fmt: skip
"""What Cyrus IMAP 3.6 took where the budget was made: milliseconds of the processes that answer, or operations per second."""

_ROW = "{:<32} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>6}  {}"
HEADING = _ROW.format("workload", "peer", "(others)", "ours", "(pg)", "ratio", "budget", "pace", "")


@dataclass(slots=True)
class Row:
    """One workload on either side: a measurement for every round, or what a side said instead."""

    workload: Workload
    ours: list[Measurement] = field(default_factory=list)
    peer: list[Measurement] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    @property
    def is_rate(self) -> bool:
        """Whether operations per second count, of which more is better, and not processor time."""
        return self.workload.budget.per_second is not None

    @property
    def our_median(self) -> float | None:
        """Processor time of web and PostgreSQL, or operations per second."""
        return _median(self.ours, "per_second" if self.is_rate else "cpu")

    @property
    def peer_median(self) -> float | None:
        """Processor time of the processes that answer, or operations per second."""
        return _median(self.peer, "per_second" if self.is_rate else "cpu_web")

    @property
    def ratio(self) -> float | None:
        """Ours in units of the peer's; None where a side was not measured."""
        return _divided(self.our_median, self.peer_median)

    @property
    def wanted(self) -> float | None:
        """The ratio that the budget asks for; None where it names no peer."""
        budget = self.workload.budget
        ours = budget.per_second if self.is_rate else budget.cpu_milliseconds
        return _divided(ours, BUDGETED_PEER.get(self.workload.name))

    @property
    def holds(self) -> bool:
        """Whether the ratio is as good as the budget's, where there are both."""
        if self.ratio is None or self.wanted is None:
            return True
        return self.ratio >= self.wanted if self.is_rate else self.ratio <= self.wanted

    def add(self, side: str, found: Measurement | Refusal) -> None:
        """Keep what a side ("ours", "peer") gave."""
        if isinstance(found, Refusal):
            self.refusals[side] = found.reason
        else:
            (self.ours if side == "ours" else self.peer).append(found)

    def line(self) -> str:
        """The row of the table."""
        if self.refusals:
            remark = "; ".join(f"{side}: {reason[:80]}" for side, reason in self.refusals.items())
        else:
            remark = "ok" if self.holds else "EXCEEDED"
        figures = (
            self.peer_median, _median(self.peer, "cpu_postgresql"), self.our_median, _median(self.ours, "cpu_postgresql"),
            self.ratio, self.wanted, _divided(self.peer_median, BUDGETED_PEER.get(self.workload.name)),
        )  # fmt: skip
        title = f"{self.workload.title}, per s" if self.is_rate else self.workload.title
        return _ROW.format(title, *map(_shown, figures), remark)


def _median(side: list[Measurement], name: str) -> float | None:
    return median(getattr(each, name) for each in side) if side else None


def _divided(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def compare_by_turns(ours: Bench, peer: Bench, workloads: Sequence[Workload], rounds: int) -> Iterator[Row]:
    """Measure each workload on either side, so many rounds over all of them; gives each row in the last round.

    One connection, or as many as the budget names. What a side refused is asked of it no further.
    """
    rows = [Row(workload) for workload in workloads]
    for number in range(rounds):
        # By turns: what goes first may find the caches warmer, or colder.
        order = (("ours", ours), ("peer", peer)) if number % 2 else (("peer", peer), ("ours", ours))
        for row in rows:
            connections = row.workload.connections[0] if row.workload.connections else 1
            for side, bench in order:
                if side not in row.refusals:
                    # Another seed each time: a server that knows a message again by its octets does not import it twice.
                    row.add(side, replace(bench, seed=bench.seed + number).measure(row.workload, connections))
            if number == rounds - 1:
                yield row


def describe(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows as plain values, with what every round gave."""
    return [
        {
            "workload": row.workload.name,
            "refusals": row.refusals,
            "ratio": row.ratio,
            "budget_ratio": row.wanted,
            "ours": [_described(each, "web", "postgresql") for each in row.ours],
            "peer": [_described(each, "answering", "others") for each in row.peer],
        }
        for row in rows
    ]


def _described(found: Measurement, first: str, second: str) -> dict[str, float]:
    return {
        f"cpu_{first}": found.cpu_web,
        f"cpu_{second}": found.cpu_postgresql,
        "per_second": found.per_second,
        "latency_p50": found.latency_p50,
        "nothing": found.nothing,
    }
