"""What `make run` starts: one entry for each process of the service."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from jmapsite.running.certificates import Certificates

WEB_WORKERS = 2
# Threads that wait for slow bodies; only a few of them execute calls at a time (the engine sees to that).
WEB_THREADS = 128
# Connections of one worker, idle ones among them: each further one waits until one of these ends.
WEB_CONNECTIONS = 4096
# glibc gives each thread an arena that grows to the largest request it served; two are enough for who works at a time.
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class Process:
    """A name for its log lines, its command line, and the port that tells when it answers (None where it has
    none).
    """

    name: str
    command: list[str]
    port: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def processes(certificates: Certificates | None) -> list[Process]:
    """The processes in the order in which they are started; they are stopped in the reverse order."""
    return [worker(), beat(), lmtp(), push(certificates), web(certificates)]


def _module(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def web(certificates: Certificates | None) -> Process:
    """Granian with the WSGI application: a few processes, many threads in each."""
    command = _module(
        "granian", "--interface", "wsgi", "--host", settings.HOST, "--port", str(settings.PORT),
        "--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS),
        "--backpressure", str(WEB_CONNECTIONS),
        # Its timeout for headers also ends what is idle; whoever says nothing to "auto" is waited for without end.
        "--http", "1", "--http1-header-read-timeout", "30000",
        "--blocking-threads-idle-timeout", "60", "--no-ws",
        "--respawn-failed-workers", "--respawn-interval", "0.5", "--log-level", "error",
        "--workers-kill-timeout", "3",
    )  # fmt: skip
    if certificates is not None:
        command += ["--ssl-certificate", str(certificates.chain), "--ssl-keyfile", str(certificates.key)]
        command += ["--ssl-protocol-min", "tls1.2"]
    return Process("web", [*command, "jmapsite.wsgi:application"], settings.PORT, FEW_ARENAS)


def push(certificates: Certificates | None) -> Process:
    """Daphne, with protocols of ours, and the ASGI application."""
    if certificates is None:
        endpoint = f"tcp:{settings.PUSH_PORT}:interface={_escaped(settings.HOST)}"
    else:
        endpoint = (
            f"ssl:{settings.PUSH_PORT}:interface={_escaped(settings.HOST)}"
            f":privateKey={_escaped(certificates.key)}:certKey={_escaped(certificates.certificate)}"
        )
    command = _module("push.serving", "--endpoint", endpoint, "jmapsite.asgi:application")
    return Process("push", command, settings.PUSH_PORT, FEW_ARENAS)


def _escaped(value: str | Path) -> str:
    """A value within Twisted's description of an endpoint, where colons separate."""
    return str(value).replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")


def worker() -> Process:
    """The Celery worker."""
    command = _module("celery", "--app", "jmapsite.celery", "--quiet", "worker", "--concurrency", "2")
    # Celery warns of root for the sake of pickled messages; only JSON is accepted here.
    return Process(
        "worker",
        [*command, "--without-gossip", "--without-mingle", "--loglevel", "WARNING"],
        environment={"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"},
    )


def lmtp() -> Process:
    """The LMTP server: mail in, and lookups for the MTA in front of it."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "lmtp"]
    return Process("lmtp", command, settings.LMTP_PORT or None, {"MALLOC_ARENA_MAX": "2"})


def beat() -> Process:
    """Celery's clock."""
    schedule = settings.VAR_DIR / "beat-schedule"
    return Process(
        "beat",
        _module(
            "celery", "--app", "jmapsite.celery", "--quiet", "beat", "--schedule", str(schedule),
            "--pidfile=", "--loglevel", "WARNING",
        ),
    )  # fmt: skip
