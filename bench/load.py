"""The processes that send requests: one connection each, one request at a time, the clock around each operation.

They import neither Django nor the service, and do as little as they can while it answers.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Self

from bench.catalogue import BY_NAME
from bench.exchange import KeptConnection, RefusedError
from bench.target import Target, connect
from bench.workload import Facts, Operations, Share

ANSWER_SECONDS = 120.0
"""How long a load process may say nothing before it is given up."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one load process is to do: a part of a workload, first to warm up, then for the clock."""

    workload: str
    target: Target
    facts: Facts
    part: int
    parts: int
    warm_up: int
    operations: int
    most_seconds: float
    seed: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Nanoseconds of each operation, the clock's readings around all of them, and the mean octets of an answer."""

    latencies: list[int]
    began: int
    ended: int
    octets: float


class _Runner:
    """One connection, and the operations that go over it."""

    def __init__(self, connection: KeptConnection, operations: Operations) -> None:
        self._connection = connection
        self._operations = operations
        self._request = next(operations)
        self.octets = 0

    def run(self, count: int, most_seconds: float) -> list[int]:
        """Run so many operations, or as many as begin in time; nanoseconds of each.

        Raises `RefusedError` and `OSError`.
        """
        latencies = [0] * count
        place = 0
        deadline = time.perf_counter_ns() + int(most_seconds * 1e9)
        while place < count and not (place and time.perf_counter_ns() > deadline):
            octets = self._connection.encode(self._request)
            began = time.perf_counter_ns()
            response = self._connection.send(octets)
            latencies[place] += time.perf_counter_ns() - began
            refusal = response.refusal()
            if refusal is not None:
                raise RefusedError(refusal)
            self.octets += len(response.body)
            place += self._request.ends_operation
            self._request = self._operations.send(response)
        return latencies[:place]


def _serve(channel: Connection) -> None:
    """The program of a load process: for each order it warms up, says so, and runs when told to."""
    # The cycle collector would add its pauses to the latencies.
    gc.disable()
    while True:
        try:
            _obey(channel.recv(), channel)
        except EOFError:
            return
        except (RefusedError, OSError, KeyError, IndexError, TypeError) as error:
            said = str(error)
            channel.send(said if isinstance(error, RefusedError) else f"{type(error).__name__}: {said}")
        gc.collect()


def _obey(order: Order, channel: Connection) -> None:
    target = order.target
    connection = connect(target)
    try:
        share = Share(
            target,
            connection.exchange,
            random.Random(f"{order.seed}/{order.workload}/{order.part}/{order.parts}"),
            order.facts,
            order.part,
            order.parts,
            order.warm_up + order.operations,
        )
        runner = _Runner(connection, BY_NAME[order.workload].script(share))
        runner.run(order.warm_up, order.most_seconds / 2)
        runner.octets = 0
        channel.send(None)
        if not channel.recv():
            return
        began = time.perf_counter_ns()
        latencies = runner.run(order.operations, order.most_seconds)
        channel.send(Timings(latencies, began, time.perf_counter_ns(), runner.octets / len(latencies)))
    finally:
        connection.close()


class LoadProcesses:
    """As many load processes as are ever needed at once, started when first needed and kept until the block ends."""

    def __init__(self) -> None:
        # Spawned, not forked: the process that measures has threads and connections.
        self._context = multiprocessing.get_context("spawn")
        self._children: list[tuple[SpawnProcess, Connection]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for process, channel in self._children:
            channel.close()
            process.terminate()
            process.join()
        self._children = []

    def prepare(self, orders: Sequence[Order]) -> None:
        """Have each order warmed up, one after the other. Raises `RefusedError`."""
        while len(self._children) < len(orders):
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self._children.append((process, ours))
        ready: list[Connection] = []
        for order, (_, channel) in zip(orders, self._children, strict=False):
            channel.send(order)
            said = self._answer(channel)
            if said is not None:
                for other in ready:
                    other.send(False)
                raise RefusedError(str(said))
            ready.append(channel)

    def run(self, count: int) -> list[Timings]:
        """Let the first `count` processes run what they were prepared for. Raises `RefusedError`."""
        channels = [channel for _, channel in self._children[:count]]
        for channel in channels:
            channel.send(True)
        answers = [self._answer(channel) for channel in channels]
        for answer in answers:
            if not isinstance(answer, Timings):
                raise RefusedError(str(answer))
        return answers

    def _answer(self, channel: Connection) -> Any:
        if not channel.poll(ANSWER_SECONDS):
            # What it says later must not be taken for the answer to something else.
            self._end()
            raise RefusedError(f"no answer within {ANSWER_SECONDS:.0f} seconds")
        return channel.recv()
