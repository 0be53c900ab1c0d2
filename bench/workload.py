"""What a workload is: a name, a budget, and a script that says which requests come one after the other."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from bench.exchange import Exchange, Request, Response
from bench.target import Target

Operations = Generator[Request, Response, None]
"""Yields requests without end, and is sent the answer to each."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Budget:
    """What may at most be used, or must at least be reached; the other is None."""

    cpu_milliseconds: float | None = None
    per_second: float | None = None

    def holds(self, cpu_milliseconds: float, per_second: float) -> bool:
        """Whether a measurement keeps to it."""
        if self.cpu_milliseconds is not None:
            return cpu_milliseconds <= self.cpu_milliseconds
        return self.per_second is None or per_second >= self.per_second

    def __str__(self) -> str:
        if self.cpu_milliseconds is not None:
            return f"{self.cpu_milliseconds:.2f} ms"
        return f"{self.per_second:.0f} /s"


@dataclass(frozen=True, slots=True)
class Share:
    """What one of `parts` connections gets to run its part of a workload.

    `exchange` is for what has to be known before the first request; nothing of that is measured. `facts` are the same for
    every part. `operations` is how many will be asked for.
    """

    target: Target
    exchange: Exchange
    random: random.Random
    facts: Facts
    part: int = 0
    parts: int = 1
    operations: int = 100


def no_facts(exchange: Exchange, target: Target) -> Facts:
    """For workloads that need to know nothing in common."""
    return {}


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the budget. `weight` times `--requests` operations are measured for each connection.

    `connections` overrides the numbers of the command line where the budget names one. `facts` is called once, just
    before the workload, and may change the account.
    """

    name: str
    title: str
    script: Callable[[Share], Operations]
    budget: Budget
    weight: float = 1.0
    facts: Callable[[Exchange, Target], Facts] = no_facts
    connections: tuple[int, ...] = field(default=())
