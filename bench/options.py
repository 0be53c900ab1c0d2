"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.catalogue import BY_NAME, WORKLOADS

SPECIAL = ("memory", "stalled", "push", "deliveries", "submissions")
"""Measurements that are no requests in a row: large transfers, clients that do not get on, what is pushed, mail that goes out."""

SOURCE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """Another JMAP server on this machine: its Session, who asks, and the names of its processes."""

    url: str
    user: str
    password: str
    first_process: str
    answering_process: str
    rounds: int


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
    peer: PeerOptions | None


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line. Raises `SystemExit` with a sentence."""
    parser = _parser()
    given = parser.parse_args(arguments)
    names = tuple(name for value in given.only or () for name in value.split(","))
    for name in names:
        if name not in BY_NAME and name not in SPECIAL:
            parser.error(f"there is no workload {name!r}; see --help")
    if min(given.messages, given.requests, given.rounds, *given.connections) < 1:
        parser.error("--messages, --requests, --connections and --rounds are at least 1")
    if given.peer is not None and not given.peer_user:
        parser.error("--peer needs --peer-user and --peer-password")
    return Options(
        given.messages, given.requests, tuple(given.connections), given.seed, names, given.keep, given.profile,
        given.var_dir.resolve(), given.output, tuple(given.compare) if given.compare else None,
        _peer(given),
    )  # fmt: skip


def _peer(given: argparse.Namespace) -> PeerOptions | None:
    if given.peer is None:
        return None
    first, _, answering = given.peer_processes.partition(",")
    return PeerOptions(
        given.peer, given.peer_user, given.peer_password, first, answering or first, given.rounds
    )


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
    _add_peer(parser)
    add(
        "--var-dir",
        type=Path,
        default=SOURCE / "var" / "bench",
        metavar="DIR",
        help="where servers, seeded accounts and results lie (default var/bench)",
    )
    return parser  # fmt: skip


def _add_peer(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "another JMAP server on this machine", "Measure it and this service by turns, and print the ratios."
    )
    group.add_argument(
        "--peer", metavar="URL", help="its Session resource; the account becomes the benchmark's"
    )
    group.add_argument("--peer-user", metavar="NAME", help="who logs in (HTTP Basic)")
    group.add_argument("--peer-password", default="", metavar="WORD", help="with which password")
    group.add_argument(
        "--peer-processes",
        default="cyrmaster,httpd",
        metavar="FIRST,ANSWERING",
        help="names of its first process, and of those below that answer requests (default %(default)s)",
    )
    group.add_argument(
        "--rounds",
        type=int,
        default=3,
        metavar="N",
        help="how often every workload is measured on either side; medians count (default %(default)s)",
    )


def _epilog() -> str:
    rows = [f"  {workload.name:<16} {workload.title:<32} {workload.budget}" for workload in WORKLOADS]
    rows += [
        f"  {'memory':<16} {'upload and download of 50 MB':<32} 10 MB",
        f"  {'stalled':<16} echo beside 16 stalled uploads and 16 stalled downloads",
        f"  {'deliveries':<16} {'20 kB by LMTP, 4 connections':<32} >200/s",
        f"  {'submissions':<16} {'mail to a local sink':<32} >50/s",
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
