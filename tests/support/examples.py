"""What every example of the tests keeps to that make up their own input."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import settings

FUZZ = "fuzz"
"""The profile of `make fuzz`."""

MOST_SECONDS = 2.0
"""Processor time of this process for one example."""

MOST_OCTETS = 512 * 2**20
"""Memory that this process may ever have taken, its tests and what hypothesis remembers included."""

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_octets() -> int:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


@contextmanager
def bounded() -> Iterator[None]:
    """One example: in the profile of `make fuzz` it keeps to its time and the process to its memory.

    A run of the tests measures nothing: other things go on beside it.
    """
    started = time.process_time()
    yield
    if settings.get_current_profile_name() == FUZZ:
        spent = time.process_time() - started
        assert spent < MOST_SECONDS, f"{spent:.1f} seconds for one example"
        assert peak_octets() < MOST_OCTETS, f"{peak_octets() >> 20} MB"
