"""How much processor time and memory a family of processes has used (Linux: /proc and the processes' own clocks)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
_TICK_NANOSECONDS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
# clock_getcpuclockid(3): the clock of a process is its number, inverted, above the three bits that say "scheduler".
_SCHEDULER_CLOCK = 2


def process_nanoseconds(process_id: int) -> int:
    """Processor time of all threads of a process, ended ones too; 0 for one that has gone.

    The scheduler's own count, exact to the nanosecond: the ticks of /proc/PID/stat would be a tenth of a short run.
    """
    try:
        return time.clock_gettime_ns((~process_id << 3) | _SCHEDULER_CLOCK)
    except OSError:
        return 0


def _fields(process_id: int) -> list[str] | None:
    """The fields of /proc/PID/stat behind the name, so that [1] is the parent."""
    try:
        return (PROC / str(process_id) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _parents() -> Iterator[tuple[int, int]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))) is not None:
            yield int(entry.name), int(fields[1])


def family(process_id: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found = [process_id]
    for member in found:
        found += children.get(member, [])
    return found


def family_nanoseconds(process_id: int) -> int:
    """Processor time of a process and its descendants; of children that have ended, to the tick."""
    fields = _fields(process_id)
    ended = int(fields[13]) + int(fields[14]) if fields is not None else 0
    return sum(map(process_nanoseconds, family(process_id))) + ended * _TICK_NANOSECONDS


def memory(process_id: int) -> dict[str, int]:
    """Octets of memory of a process: `resident` now, and `peak` since it began or `reset_peak`. Raises `OSError`."""
    found: dict[str, int] = {}
    for line in (PROC / str(process_id) / "status").read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name in {"VmRSS", "VmHWM"}:
            found["resident" if name == "VmRSS" else "peak"] = int(value.split()[0]) * 1024
    return found


def reset_peak(process_id: int) -> None:
    """Let `peak` count from now (proc(5), clear_refs). Raises `OSError`."""
    (PROC / str(process_id) / "clear_refs").write_text("5", "ascii")
