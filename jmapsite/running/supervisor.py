"""Start processes, pass on what they print, notice when one ends, and stop them all in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

from jmapsite.embedded.process_end import die_with_parent
from jmapsite.running.guard import Guard
from jmapsite.running.processes import Process

START_SECONDS = 60.0
# After the polite signal, and after the one that drops what is under way.
STOP_SECONDS = (6.0, 2.0)
POLL_SECONDS = 0.2


class RunError(Exception):
    """The service cannot be started or cannot go on.

    The text is a sentence for the person at the terminal.
    """


def refuse_taken_ports(host: str, ports: dict[str, int]) -> None:
    """Raise `RunError` if a port of the mapping from setting to port cannot be listened on, before anything
    starts.
    """
    taken = []
    for name, port in ports.items():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                probe.listen()
            except OSError as error:
                taken.append(f"{name} {port} cannot be used on {host}: {error.strerror}.")
    if len(set(ports.values())) < len(ports):
        taken.append(f"The ports must differ: {', '.join(f'{name} {port}' for name, port in ports.items())}.")
    if taken:
        example = " ".join(f"{name}={port + 100}" for name, port in ports.items())
        raise RunError(f"{' '.join(taken)} Stop what uses it, or choose others: make run {example}")


class Supervisor:
    """The processes of one run. `stop_wanted` is set by signal handlers and ends `watch`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[tuple[Process, subprocess.Popen[str]]] = []
        self._printing = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._guard: Guard | None = None
        self.stop_wanted = threading.Event()

    def handle_signals(self) -> None:
        """From now on Ctrl-C, SIGTERM and a closed terminal end the run in order."""
        for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(wish, lambda *_: self.stop_wanted.set())

    def start(self, process: Process) -> None:
        """Start one process, in a group of its own so that Ctrl-C reaches this process alone."""
        if self._guard is None:
            self._guard = Guard(STOP_SECONDS[0])
        child = subprocess.Popen(
            process.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1", **process.environment},
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        self._children.append((process, child))
        self._guard.watch_over(child.pid)

    def pass_on_output(self) -> None:
        """Print what the started processes print, from now on, each line with the name of its process.

        Called when all are started: code runs between their fork and exec, which must be the only thread.
        """
        for process, child in self._children:
            assert child.stdout is not None
            thread = threading.Thread(target=self._pass_on, args=(process.name, child.stdout), daemon=True)
            thread.start()
            self._threads.append(thread)

    def await_ports(self, host: str) -> None:
        """Wait until every started process with a port answers there. Raises `RunError`."""
        deadline = time.monotonic() + START_SECONDS
        for process, _ in self._children:
            while (
                process.port is not None
                and not self.stop_wanted.is_set()
                and not _answers(host, process.port)
            ):
                self._refuse_ended()
                if time.monotonic() > deadline:
                    raise RunError(f"{process.name} did not answer on port {process.port} within a minute.")
                self.stop_wanted.wait(0.05)

    def watch(self, lost: Callable[[], str | None]) -> None:
        """Return when the run shall end.

        Raises `RunError` when a process has ended or `lost()` names a server.
        """
        while not self.stop_wanted.wait(POLL_SECONDS):
            self._refuse_ended()
            server = lost()
            if server is not None:
                raise RunError(f"{server} has stopped, so everything stops; its log is in VAR_DIR/log.")

    def _refuse_ended(self) -> None:
        for process, child in self._children:
            if child.poll() is not None:
                raise RunError(
                    f"The process {process.name} has ended ({_reason(child.returncode)}): everything stops."
                )

    def stop(self) -> None:
        """Stop the processes, the last started first, and leave none behind."""
        for _, child in reversed(self._children):
            _signal_leader(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS[0]
        for process, child in reversed(self._children):
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{process.name} takes too long to stop and is killed.")
            # What the leader has left of its group, or all of it.
            _kill_group(child)
            child.wait()
        for thread in self._threads:
            thread.join(STOP_SECONDS[1])
        self._children = []
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None

    def _pass_on(self, name: str, lines: IO[str]) -> None:
        for line in lines:
            with self._printing:
                sys.stdout.write(f"{name:<6} | {line.rstrip()}\n")
                sys.stdout.flush()


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((_reachable(host), port), timeout=1):
            return True
    except OSError:
        return False


def _reachable(host: str) -> str:
    """The address at which this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 compared, not listened on


def _reason(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"


def _signal_leader(child: subprocess.Popen[str], wish: signal.Signals) -> None:
    if child.poll() is None:
        child.send_signal(wish)


def _kill_group(child: subprocess.Popen[str]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
