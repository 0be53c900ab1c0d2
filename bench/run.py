"""One run from beginning to end: servers, seed, working copy, web process, workloads, report."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import django
from django.conf import settings
from tqdm import tqdm

from bench.catalogue import WORKLOADS
from bench.deliveries import measure_deliveries
from bench.exchange import RefusedError
from bench.load import LoadProcesses
from bench.measuring import Bench, Refusal, settle
from bench.nothing import running_nothing
from bench.options import Options, PeerOptions
from bench.peer import Login, PeerError, discover, find_processes
from bench.peer_comparison import HEADING as PEER_HEADING
from bench.peer_comparison import Row, compare_by_turns, describe
from bench.peer_mail import filled
from bench.processor_time import memory
from bench.push import measure_push
from bench.report import HEADING, Results, as_json, circumstances, closing_lines, line, save
from bench.service import Processes, ServiceError, await_port, free_port, running_web
from bench.submissions import measure_submissions
from bench.target import connect
from bench.transfers import measure_memory, measure_stalled
from bench.workload import Workload
from jmapsite.embedded import POSTGRESQL, REDIS, Holder, Layout
from jmapsite.embedded.locks import FileLock

WORKING_COPY = "bench_run"


def run(options: Options) -> int:
    """Measure or profile; the exit status. Raises `EmbeddedServerError` and `ServiceError`."""
    with Holder(settings.VAR_DIR, (POSTGRESQL, REDIS)):
        lock = FileLock(Layout(settings.VAR_DIR).locks / "bench")
        if not lock.try_to_take():
            raise ServiceError(
                f"A benchmark runs already in {settings.VAR_DIR}; name another with --var-dir."
            )
        django.setup()
        with seeded(options):
            if options.profile:
                return _profile(options)
            if options.peer is not None:
                return _compare_with_peer(options, options.peer)
            return _measure(options)


@contextmanager
def seeded(options: Options) -> Iterator[None]:
    """Settings that point to a fresh copy of the seeded account; without --keep the seed goes again if it was made."""
    # Django has to be set up before models are imported.
    from bench import databases
    from bench.seeding import seeded_database

    name, is_new = seeded_database(options.messages, options.seed)
    try:
        with databases.working_copy(name, WORKING_COPY):
            yield
    finally:
        if is_new and not options.keep:
            databases.drop(name)


def _say(words: str) -> None:
    tqdm.write(words, file=sys.stdout)
    sys.stdout.flush()


def _wanted(options: Options) -> list[Workload]:
    return [workload for workload in WORKLOADS if not options.only or workload.name in options.only]


@contextmanager
def _running(options: Options) -> Iterator[Bench]:
    """The service on the seeded account, and everything to measure it with."""
    from bench.seeding import target_of

    log = settings.VAR_DIR / "log" / "bench-web.log"
    with (
        running_web(WORKING_COPY, log) as processes,
        running_nothing(
            settings.HOST, free_port(), lambda child, port: await_port(child, port, log)
        ) as nothing,
        LoadProcesses() as loaders,
    ):
        target = target_of(settings.HOST, settings.PORT, options.seed)
        yield Bench(target, processes, nothing, loaders, options.requests, options.seed)


def _measure(options: Options) -> int:
    results = Results(options.messages, options.seed, options.requests)
    with _running(options) as bench:
        _workloads(bench, options, results)
        results.workers = [memory(worker)["resident"] for worker in bench.processes.web_workers()]
        _special(bench, options, results)
        _deliveries(bench, options, results)
        _submissions(options, results)
    for words in closing_lines(results):
        _say(words)
    path = options.output or _new_path(options)
    save(path, as_json(results, _postgresql_version()))
    _say(f"written to {path}")
    return 1 if results.exceeded else 0


def _compare_with_peer(options: Options, given: PeerOptions) -> int:
    """By turns with another server; the exit status: 1 where a ratio is worse than the budget's. Raises `PeerError`."""
    peer = discover(Login(given.url, given.user, given.password))
    peer_processes = find_processes(given.first_process, given.answering_process)
    try:
        with closing(connect(peer)) as connection:
            peer = filled(connection.exchange, peer, options.messages, options.seed)
    except (RefusedError, OSError) as error:
        raise PeerError(f"The account at {given.url} cannot be filled: {error}") from error
    with _running(options) as ours:
        _say(PEER_HEADING)
        rows: list[Row] = []
        for row in compare_by_turns(
            ours, replace(ours, target=peer, processes=peer_processes), _wanted(options), given.rounds
        ):
            rows.append(row)
            _say(row.line())
    path = options.output or _new_path(options, "-peer")
    save(path, {**circumstances(_postgresql_version()), "rows": describe(rows)})
    _say(f"written to {path}")
    return 0 if all(row.holds for row in rows) else 1


def _workloads(bench: Bench, options: Options, results: Results) -> None:
    planned = [
        (workload, connections)
        for workload in _wanted(options)
        for connections in workload.connections or options.connections
    ]
    settle(bench.processes)
    _say(HEADING)
    with tqdm(planned, unit=" measurements", disable=None, leave=False) as progress:
        refused = ""
        for workload, connections in progress:
            progress.set_description(workload.name)
            if workload.name == refused:
                continue
            found = bench.measure(workload, connections)
            refused = workload.name if isinstance(found, Refusal) else ""
            results.add(found)
            _say(line(found))


def _special(bench: Bench, options: Options, results: Results) -> None:
    try:
        if not options.only or "memory" in options.only:
            results.memory = measure_memory(bench)
        if not options.only or "stalled" in options.only:
            results.stalled = measure_stalled(bench)
    except (RefusedError, OSError) as error:
        _say(f"large transfers: {type(error).__name__}: {error}")
    if (not options.only or "push" in options.only) and isinstance(bench.processes, Processes):
        log = settings.VAR_DIR / "log" / "bench-push.log"
        results.pushed = measure_push(bench.processes.web, bench.target, WORKING_COPY, log)


def _deliveries(bench: Bench, options: Options, results: Results) -> None:
    if options.only and "deliveries" not in options.only:
        return
    log = settings.VAR_DIR / "log" / "bench-lmtp.log"
    postgresql = int(Layout(settings.VAR_DIR).process_id(POSTGRESQL).read_text("ascii"))
    messages = max(400, 4 * options.requests)
    try:
        results.deliveries = measure_deliveries(
            postgresql, WORKING_COPY, messages, options.seed, log, bench.nothing.milliseconds
        )
    except (RefusedError, OSError) as error:
        _say(f"deliveries: {type(error).__name__}: {error}")


def _submissions(options: Options, results: Results) -> None:
    if options.only and "submissions" not in options.only:
        return
    log = settings.VAR_DIR / "log" / "bench-submissions.log"
    postgresql = int(Layout(settings.VAR_DIR).process_id(POSTGRESQL).read_text("ascii"))
    for signed in (False, True):
        results.submissions.append(
            measure_submissions(postgresql, WORKING_COPY, max(200, 4 * options.requests), log, signed=signed)
        )


def _new_path(options: Options, ending: str = "") -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return options.var_dir / "results" / f"{stamp}-{options.messages}{ending}.json"


def _postgresql_version() -> str:
    from jmapcore.store.database import connection

    with connection() as lent:
        row = lent.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""


def _log_to(path: Path) -> None:
    """Have the log lines of requests written to a file, so that their cost stays and the terminal stays free."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(path.open("w", encoding="utf-8"))


def _profile(options: Options) -> int:
    from bench.profiling import profile
    from bench.profiling import save as save_profile
    from bench.seeding import target_of
    from jmapsite.wsgi import application

    target = target_of(settings.HOST, settings.PORT, options.seed)
    _log_to(settings.VAR_DIR / "log" / "bench-profile.log")
    for workload in _wanted(options):
        operations = max(20, round(options.requests * workload.weight))
        try:
            found = profile(application, target, workload, operations, options.seed)
        except RefusedError as error:
            _say(f"{workload.title}: not answered: {error}")
            continue
        path = save_profile(options.var_dir / "profiles", found)
        _say(
            f"{workload.title}: {found.processor_milliseconds:.3f} ms of this thread's processor time,"
            f" {found.elapsed_milliseconds:.3f} ms by the clock; {path}"
        )
    return 0
