"""What a request costs at least: `python -m bench.floors` measures applications that do a little more each, served as the
service is.

Nothing; the gate's query alone; one and two round trips that read; a write of one row, which is two round trips and a flush of
the log. All of them without any of the service's own Python but the pool and the prepared statements.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bench.exchange import Request
from bench.nothing import BUDGETED_MILLISECONDS
from bench.options import parse
from bench.service import Processes, await_port
from bench.target import Target, connect

ROUNDS, REQUESTS = 15, 100
STEPS = ("nothing", "gate", "read", "read-twice", "write")
"""The paths of the application, each dearer than the one before."""

ROW = "SELECT modseq FROM account_state WHERE account_id = %s"
TOUCH = "UPDATE account_state SET modseq = modseq WHERE account_id = %s"


@cache
def _steps() -> dict[str, Callable[[str], object]]:
    """What each path does for the one who asks; needs Django."""
    import django

    django.setup()
    from accounts.gate import TOKEN_GATE
    from jmapcore.store.database import SET_ACCOUNT, run, unconfirmed_connection
    from jmapcore.store.states import states_statement
    from jmapcore.store.write import SET_WRITING

    account = int(os.environ["BENCH_ACCOUNT"])
    name = str(account)

    def gate(token: str) -> tuple[str, tuple[str]]:
        return TOKEN_GATE, (hashlib.sha256(token.encode()).hexdigest(),)

    def ask(token: str) -> None:
        with unconfirmed_connection() as lent:
            run(lent, gate(token))

    def read(token: str) -> None:
        with unconfirmed_connection() as lent:
            run(lent, gate(token), (SET_ACCOUNT, (name,)), states_statement(account), (ROW, (account,)))

    def read_twice(token: str) -> None:
        with unconfirmed_connection() as lent:
            run(lent, gate(token), (SET_ACCOUNT, (name,)), states_statement(account), (ROW, (account,)))
            run(lent, (SET_ACCOUNT, (name,)), (ROW, (account,)))

    def write(token: str) -> None:
        with unconfirmed_connection() as lent:
            lock = (f"{ROW} FOR UPDATE", (account,))
            run(
                lent, ("BEGIN", ()), gate(token), (SET_WRITING, (name, name)), lock, states_statement(account)
            )
            run(lent, (TOUCH, (account,)), ("COMMIT", ()))

    return dict(zip(STEPS, (lambda token: None, ask, read, read_twice, write), strict=True))


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Read the body, do what the path says, answer two octets."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    _steps()[environ["PATH_INFO"][1:]](environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer "))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


def main(arguments: list[str]) -> int:
    """Print the medians of each step, in milliseconds and in units of the first."""
    options = parse(arguments)
    from bench.__main__ import configure

    configure(options)
    from django.conf import settings

    from bench.run import WORKING_COPY, seeded
    from jmapsite.embedded import POSTGRESQL, REDIS, Holder

    with Holder(settings.VAR_DIR, (POSTGRESQL, REDIS)):
        import django

        django.setup()
        with seeded(replace(options, keep=True)):
            from bench.seeding import target_of

            target = target_of(settings.HOST, settings.PORT, options.seed)
            with _served(target, WORKING_COPY) as processes:
                report(_measured(target, processes))
    return 0


@contextmanager
def _served(target: Target, database: str) -> Iterator[Processes]:
    """Serve the application as `make run` serves the service, until the block ends."""
    from django.conf import settings

    from jmapsite.embedded import POSTGRESQL, Layout
    from jmapsite.running.processes import web

    layout = Layout(settings.VAR_DIR)
    command = [word.replace("jmapsite.wsgi:", "bench.floors:") for word in web(None).command]
    url = f"postgresql://{settings.DATABASES['default']['USER']}@/{database}?host={layout.sockets}"
    environment = {**os.environ, "DATABASE_URL": url, "BENCH_ACCOUNT": target.account_id[1:]}
    log = settings.VAR_DIR / "log" / "bench-floors.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=Path(__file__).parent.parent, env=environment
        )
    try:
        await_port(child, target.port, log)
        yield Processes(child.pid, int(layout.process_id(POSTGRESQL).read_text("ascii")))
    finally:
        child.terminate()
        child.wait(20)


def _measured(target: Target, processes: Processes) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of web and of PostgreSQL for each step, by turns."""
    found: dict[str, list[tuple[float, float]]] = {step: [] for step in STEPS}
    with closing(connect(target)) as connection:
        for _ in range(ROUNDS):
            for step, measured in found.items():
                request = connection.encode(Request("POST", f"/{step}", b"{}"))
                for _ in range(10):
                    connection.send(request)
                web_before, pg_before = processes.nanoseconds()
                for _ in range(REQUESTS):
                    connection.send(request)
                web_after, pg_after = processes.nanoseconds()
                each = REQUESTS * 1e6
                measured.append(((web_after - web_before) / each, (pg_after - pg_before) / each))
    return found


def report(found: dict[str, list[tuple[float, float]]]) -> None:
    """Print the table."""
    unit = statistics.median(sum(times) for times in found["nothing"])
    sys.stdout.write(f"{'step':<12} {'web':>6} {'pg':>6} {'cpu':>6} {'of nothing':>11} {'scaled':>7}\n")
    for step, measured in found.items():
        web_time, pg_time = (statistics.median(column) for column in zip(*measured, strict=True))
        cpu = statistics.median(sum(times) for times in measured)
        sys.stdout.write(
            f"{step:<12} {web_time:6.3f} {pg_time:6.3f} {cpu:6.3f} {cpu / unit:11.2f} {cpu / unit * BUDGETED_MILLISECONDS:7.3f}\n"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
