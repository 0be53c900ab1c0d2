"""One workload measured: requests per second, latencies, and the processor time of web and PostgreSQL apart."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from bench.exchange import RefusedError
from bench.load import LoadProcesses, Order, Timings
from bench.nothing import BUDGETED_MILLISECONDS, Nothing
from bench.target import Target, connect
from bench.workload import Facts, Workload

WARM_UP = 40
"""Operations on each connection before the clock runs: plans are made, caches filled, pools opened."""

FEWEST = 20
MOST_SECONDS = 8.0
"""How long one measurement may take; a workload that is far too slow is measured with fewer operations."""

_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one workload cost with a number of connections. Times are milliseconds; `cpu_…` for one operation.

    `nothing` is what a request for nothing cost just before and after, on the average; `scaled` is `cpu` in a place where that is
    what it was where the budget was made.
    """

    workload: str
    title: str
    connections: int
    operations: int
    seconds: float
    per_second: float
    latency_p50: float
    latency_p95: float
    latency_p99: float
    cpu_web: float
    cpu_postgresql: float
    octets: float
    nothing: float
    budget_cpu: float | None
    budget_per_second: float | None
    holds: bool

    @property
    def cpu(self) -> float:
        """Processor time of both together."""
        return self.cpu_web + self.cpu_postgresql

    @property
    def scaled(self) -> float:
        """The same for a processor at the pace of the budget."""
        return scaled(self.cpu, self.nothing)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A workload that the service did not answer, and what it said."""

    workload: str
    title: str
    reason: str


def percentile(ordered: list[int], share: float) -> float:
    """The value below which `share` (0 to 1) of the sorted values lie, in milliseconds: the nearest rank."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / _MILLISECOND


def find_facts(workload: Workload, target: Target) -> Facts:
    """What every part of a workload needs to know. Raises `RefusedError`."""
    connection = connect(target)
    try:
        return workload.facts(connection.exchange, target)
    except (OSError, KeyError, IndexError) as error:
        raise RefusedError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


class ServerProcesses(Protocol):
    """The processes of a server: those that answer requests, and those that work for them."""

    def nanoseconds(self) -> tuple[int, int]:
        """Processor time so far of either kind."""

    def web_workers(self) -> list[int]:
        """The processes that answer requests."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that is there while measurements are made."""

    target: Target
    processes: ServerProcesses
    nothing: Nothing
    loaders: LoadProcesses
    requests: int
    seed: int

    def measure(self, workload: Workload, connections: int) -> Measurement | Refusal:
        """Run a workload on so many connections, each with its number of operations."""
        try:
            facts = find_facts(workload, self.target)
            self.loaders.prepare(
                [self._order(workload, facts, part, connections) for part in range(connections)]
            )
            nothing = self.nothing.milliseconds()
            before = self.processes.nanoseconds()
            timings = self.loaders.run(connections)
            after = self.processes.nanoseconds()
            nothing = (nothing + self.nothing.milliseconds()) / 2
        except RefusedError as error:
            return Refusal(workload.name, workload.title, str(error))
        spent = [end - start for start, end in zip(before, after, strict=True)]
        return _measurement(workload, timings, (spent[0], spent[1]), nothing)

    def _order(self, workload: Workload, facts: Facts, part: int, parts: int) -> Order:
        operations = max(FEWEST, round(self.requests * workload.weight))
        warm_up = min(WARM_UP, operations)
        return Order(
            workload.name, self.target, facts, part, parts, warm_up, operations, MOST_SECONDS, self.seed
        )


def _measurement(
    workload: Workload, timings: list[Timings], spent: tuple[int, int], nothing: float
) -> Measurement:
    """The figures; `spent` are nanoseconds of web and PostgreSQL over all operations."""
    # The load processes share one monotonic clock.
    seconds = (max(each.ended for each in timings) - min(each.began for each in timings)) / 1e9
    latencies = sorted(latency for each in timings for latency in each.latencies)
    count = len(latencies)
    web, postgresql = (nanoseconds / count / _MILLISECOND for nanoseconds in spent)
    budget = workload.budget
    return Measurement(
        workload=workload.name,
        title=workload.title,
        connections=len(timings),
        operations=count,
        seconds=seconds,
        per_second=count / seconds,
        latency_p50=percentile(latencies, 0.50),
        latency_p95=percentile(latencies, 0.95),
        latency_p99=percentile(latencies, 0.99),
        cpu_web=web,
        cpu_postgresql=postgresql,
        octets=sum(each.octets for each in timings) / len(timings),
        nothing=nothing,
        budget_cpu=budget.cpu_milliseconds,
        budget_per_second=budget.per_second,
        holds=budget.holds(
            scaled(web + postgresql, nothing), count / seconds * nothing / BUDGETED_MILLISECONDS
        ),
    )


def scaled(milliseconds: float, nothing: float) -> float:
    """Processor time at the pace of the budget, where a request for nothing costs `nothing` milliseconds now."""
    return milliseconds * BUDGETED_MILLISECONDS / nothing


def settle(processes: ServerProcesses, most_seconds: float = 5.0) -> None:
    """Wait until PostgreSQL has nothing left to do of its own accord (a checkpoint, a vacuum), within bounds."""
    deadline = time.monotonic() + most_seconds
    _, before = processes.nanoseconds()
    while time.monotonic() < deadline:
        time.sleep(0.25)
        _, after = processes.nanoseconds()
        if after - before < 5 * _MILLISECOND:
            return
        before = after
