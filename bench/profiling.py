"""Where a web worker's time goes: the WSGI application in this process, with the standard profiler around its calls.

The profiler makes everything slower, small functions most of all: look at shares and counts here, and at the table for costs.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import random
import sysconfig
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bench.exchange import RefusedError, Request, Response
from bench.target import Target
from bench.workload import Share, Workload

WARM_UP = 40
FUNCTIONS = 30
SOURCE = Path(__file__).resolve().parent.parent
PACKAGES = sysconfig.get_path("purelib")
Application = Callable[..., Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Profile:
    """Milliseconds of one operation without the profiler (this thread's processor time, and by the clock), and the
    profiler's tables by own and by cumulative time."""

    workload: str
    operations: int
    processor_milliseconds: float
    elapsed_milliseconds: float
    text: str


class InProcess:
    """Calls the WSGI application as a server would (PEP 3333)."""

    def __init__(self, application: Application, target: Target) -> None:
        self._application = application
        self._target = target
        self._status = ""

    def exchange(self, request: Request) -> Response:
        """Send a request and give the answer."""
        environ = self.environ(request)
        body = b"".join(self._application(environ, self._start_response))
        return Response(int(self._status.split(" ", 1)[0]), body)

    def environ(self, request: Request) -> dict[str, Any]:
        """The WSGI environment of a request."""
        path, _, query = request.path.partition("?")
        return {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "iso-8859-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.content_type if request.method == "POST" else "",
            "CONTENT_LENGTH": str(len(request.body)) if request.method == "POST" else "",
            "SERVER_NAME": self._target.host,
            "SERVER_PORT": str(self._target.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": f"{self._target.host}:{self._target.port}",
            "HTTP_AUTHORIZATION": self._target.authorization,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }

    def _start_response(self, status: str, headers: list[tuple[str, str]], *error: object) -> None:
        self._status = status


def profile(
    application: Application, target: Target, workload: Workload, operations: int, seed: int
) -> Profile:
    """Run a workload in this process, first with a clock alone, then with the profiler. Raises `RefusedError`."""
    service = InProcess(application, target)
    facts = workload.facts(service.exchange, target)
    share = Share(target, service.exchange, random.Random(seed), facts, operations=2 * operations + WARM_UP)
    script = workload.script(share)
    request = next(script)

    def run(count: int, profiler: cProfile.Profile | None) -> tuple[float, float]:
        nonlocal request
        processor = elapsed = 0.0
        while count:
            processor_began, began = time.thread_time(), time.perf_counter()
            if profiler is None:
                response = service.exchange(request)
            else:
                response = profiler.runcall(service.exchange, request)
            processor += time.thread_time() - processor_began
            elapsed += time.perf_counter() - began
            if (refusal := response.refusal()) is not None:
                raise RefusedError(refusal)
            count -= request.ends_operation
            request = script.send(response)
        return processor, elapsed

    run(min(WARM_UP, operations), None)
    processor, elapsed = run(operations, None)
    profiler = cProfile.Profile()
    run(operations, profiler)
    text = "\n".join(_table(profiler, order) for order in ("tottime", "cumulative"))
    return Profile(
        workload.name, operations, processor / operations * 1000, elapsed / operations * 1000, text
    )


def _table(profiler: cProfile.Profile, order: str) -> str:
    output = io.StringIO()
    pstats.Stats(profiler, stream=output).sort_stats(order).print_stats(FUNCTIONS)
    # What matters of a path is its end.
    lines = (
        line.replace(f"{SOURCE}/", "").replace(f"{PACKAGES}/", "") for line in output.getvalue().splitlines()
    )
    return "\n".join(lines)


def save(directory: Path, found: Profile) -> Path:
    """Write a profile to a file of its own; the path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{found.workload}.txt"
    path.write_text(found.text, "utf-8")
    return path
