"""The processes of a service that may be killed at any moment, and are started again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import redis

from jmapsite.embedded import Holder
from jmapsite.embedded.layout import POSTGRESQL, REDIS, Layout
from jmapsite.running.processes import Process

KILLED = ("web", "lmtp", "worker", "beat")
SERVERS = (POSTGRESQL, REDIS)


class Site:
    """The servers and processes of one VAR_DIR.

    A process that has ended is started again by `keep_running`, as a service manager would. `kills` counts by name.
    """

    def __init__(self, var_dir: Path, processes: list[Process], log: Path, randomness: random.Random) -> None:
        self._layout = Layout(var_dir)
        self._processes = {process.name: process for process in processes}
        self._log = log
        self._random = randomness
        self._holders: list[Holder] = []
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._changing = threading.RLock()
        self._ending = threading.Event()
        self._keeper: threading.Thread | None = None
        self.kills: dict[str, int] = {}

    def hold_servers(self) -> None:
        """Start the embedded servers, those that do not run."""
        holder = Holder(self._layout.var_dir, SERVERS)
        holder.__enter__()
        self._holders.append(holder)

    def start(self) -> None:
        """Start every process and keep it running."""
        for name in self._processes:
            self._start(name)
        self._keeper = threading.Thread(target=self._keep_running)
        self._keeper.start()

    def stop(self) -> None:
        """End the processes in good order, and then the servers."""
        self._ending.set()
        if self._keeper is not None:
            self._keeper.join()
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(10)
            _kill_group(child)
            child.wait()
        for holder in self._holders:
            holder.release()

    def command(self, *arguments: str) -> str:
        """Run one management command to its end; what it printed. Raises `RuntimeError` where it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def kill_one(self) -> str:
        """SIGKILL for one process chosen at random: the whole group, or one of its children where it has any."""
        with self._changing:
            name = self._random.choice(KILLED)
            child = self._children[name]
            children = _children(child.pid)
            if children and self._random.random() < 0.5:
                with suppress(ProcessLookupError):
                    os.kill(self._random.choice(children), signal.SIGKILL)
            else:
                _kill_group(child)
        return self._count(name)

    def restart_postgresql(self) -> str:
        """Stop PostgreSQL in the midst of it all and start it again: in order or, half of the time, as if it had crashed."""
        wish = self._random.choice([signal.SIGINT, signal.SIGQUIT])
        self._restart(POSTGRESQL, wish)
        return self._count(f"postgresql ({'fast' if wish == signal.SIGINT else 'crash'})")

    def restart_redis(self) -> str:
        """Kill Redis and start it again."""
        self._restart(REDIS, signal.SIGKILL)
        return self._count("redis restarted")

    def empty_redis(self) -> str:
        """Take everything out of Redis."""
        with redis.Redis(unix_socket_path=str(self._layout.redis_socket)) as client:
            client.flushall()
        return self._count("redis emptied")

    def _restart(self, server: str, wish: signal.Signals) -> None:
        process_id = int(self._layout.process_id(server).read_text("ascii"))
        os.kill(process_id, wish)
        deadline = time.monotonic() + 60
        while Path(f"/proc/{process_id}").exists() or self._layout.ready(server).exists():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{server} does not stop")
            time.sleep(0.02)
        holder = Holder(self._layout.var_dir, [server])
        holder.__enter__()
        self._holders.append(holder)

    def _count(self, name: str) -> str:
        self.kills[name] = self.kills.get(name, 0) + 1
        return name

    def _start(self, name: str) -> None:
        process = self._processes[name]
        with self._log.open("ab") as log:
            self._children[name] = subprocess.Popen(
                process.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **process.environment},
                start_new_session=True,
            )

    def _keep_running(self) -> None:
        while not self._ending.wait(0.1):
            with self._changing:
                for name, child in self._children.items():
                    if child.poll() is not None:
                        _kill_group(child)  # what a killed leader has left behind
                        self._start(name)


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _children(process_id: int) -> list[int]:
    try:
        return [
            int(word) for word in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
        ]
    except OSError:
        return []
