"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.catalogue import BY_NAME, WORKLOADS

SPECIAL = ("memory", "stalled")
"""Measurements that are no requests in a row: memory of large transfers, and clients that do not get on."""

SOURCE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is to do."""

    messages: int
    requests: int
    connections: tuple[int, ...]
    seed: int
    only: tuple[str, ...]
    keep: bool
    profile: bool
    var_dir: Path
    output: Path | None
    compare: tuple[Path, Path] | None


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line. Raises `SystemExit` with a sentence."""
    parser = _parser()
    given = parser.parse_args(arguments)
    names = tuple(name for value in given.only or () for name in value.split(","))
    for name in names:
        if name not in BY_NAME and name not in SPECIAL:
            parser.error(f"there is no workload {name!r}; see --help")
    if given.messages < 1 or given.requests < 1 or min(given.connections) < 1:
        parser.error("--messages, --requests and --connections are at least 1")
    return Options(
        given.messages, given.requests, tuple(given.connections), given.seed, names, given.keep, given.profile,
        given.var_dir.resolve(), given.output, tuple(given.compare) if given.compare else None,
    )  # fmt: skip


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


# Longer than a function should be, since it is a list: one option after the other.
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=(
            "Measures what requests cost: seeds an account, starts the web process as `make run` does (with an embedded\n"
            "PostgreSQL of its own, fsync on), sends each workload, and prints requests per second, latencies, and the\n"
            "processor time of web and PostgreSQL apart. Milliseconds of processor time hardly depend on what else the\n"
            "machine does; latencies and requests per second do."
        ),
        epilog=_epilog(),
    )
    add = parser.add_argument
    add(
        "--messages",
        type=int,
        default=10_000,
        metavar="N",
        help="messages in the account (default %(default)s)",
    )
    add(
        "--requests",
        type=int,
        default=500,
        metavar="N",
        help="operations for each connection and workload; dear workloads take a fraction (default %(default)s)",
    )
    add(
        "--connections",
        type=_numbers,
        default=(1, 4),
        metavar="N,N",
        help="measure each workload with these numbers of connections (default 1,4)",
    )
    add(
        "--only", action="append", metavar="NAME", help="only this workload (several: repeat, or with commas)"
    )
    add(
        "--keep",
        action="store_true",
        help="keep the seeded account for later runs; it is used while migrations and message format stay the same",
    )
    add(
        "--profile",
        action="store_true",
        help="run the workloads inside this process under cProfile instead, and write a file for each",
    )
    add(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="the number that all chance comes from (default %(default)s)",
    )
    add("--output", type=Path, metavar="FILE", help="where the JSON goes (default: below --var-dir, by date)")
    add(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("BEFORE", "AFTER"),
        help="compare two JSON files and do nothing else",
    )
    add(
        "--var-dir",
        type=Path,
        default=SOURCE / "var" / "bench",
        metavar="DIR",
        help="where servers, seeded accounts and results lie (default var/bench)",
    )
    return parser  # fmt: skip


def _epilog() -> str:
    rows = [f"  {workload.name:<16} {workload.title:<32} {workload.budget}" for workload in WORKLOADS]
    rows += [
        f"  {'memory':<16} {'upload and download of 50 MB':<32} 10 MB",
        f"  {'stalled':<16} echo beside 16 stalled uploads and 16 stalled downloads",
    ]
    return "\n".join(
        [
            "workloads, in the order in which they run, and what each may cost:", *rows, "",
            "examples:",
            "  make bench",
            "  make bench MESSAGES=100000 ARGS='--keep --only inbox,flip'",
            "  make bench ARGS='--profile --only inbox'",
            "  make bench ARGS='--compare before.json after.json'",
        ]
    )  # fmt: skip
