"""What every example of the tests keeps to that make up their own input."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

FUZZ = "fuzz"
"""The profile of `make fuzz`."""

MOST_SECONDS = 2.0
"""Processor time of this process for one example, without what the collection of hypothesis's own garbage takes."""

MOST_OCTETS = 512 * 2**20
"""Memory by which one example may raise what this process has ever taken."""

EXAMPLES_PER_ROUND = 500
"""hypothesis remembers what it has tried: of large examples, 100 MB for each thousand. It forgets them after a round."""

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class _Collections:
    """Processor time of the collections of garbage of this process: of a heap that holds thousands of examples, seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun = 0.0
        gc.callbacks.append(self._called)

    def _called(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.process_time()
        else:
            self.seconds += time.process_time() - self._begun


_collections = _Collections()


def peak_octets() -> int:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


@contextmanager
def bounded() -> Iterator[None]:
    """One example: in the profile of `make fuzz` it keeps to its time and to its memory.

    A run of the tests measures nothing: other things go on beside it.
    """
    started, collected, before = time.process_time(), _collections.seconds, peak_octets()
    yield
    if settings.get_current_profile_name() == FUZZ:
        spent = time.process_time() - started - (_collections.seconds - collected)
        assert spent < MOST_SECONDS, f"{spent:.1f} seconds for one example"
        taken = peak_octets() - before
        assert taken < MOST_OCTETS, f"{taken >> 20} MB more for one example"


PHASES = tuple(phase for phase in Phase if phase is not Phase.explain)
"""To explain a failure hypothesis traces every line of whatever it then tries, which takes many times its own time."""


def play(example: Callable[..., None], *strategies: SearchStrategy[Any]) -> None:
    """Try an example on as many values of the strategies as the profile says, in rounds."""
    left = settings().max_examples
    while left > 0:
        now = min(left, EXAMPLES_PER_ROUND)
        asked = settings(max_examples=now, phases=PHASES, suppress_health_check=list(HealthCheck))
        asked(given(*strategies)(example))()
        left -= now
