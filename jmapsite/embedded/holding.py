"""How a command holds the embedded servers:

started if they do not run, shared if they do, let go at its end.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from jmapsite.embedded.errors import EmbeddedServerError
from jmapsite.embedded.keeper import READY, START_SECONDS, STOP_SECONDS
from jmapsite.embedded.layout import Layout
from jmapsite.embedded.locks import FileLock, is_held
from jmapsite.embedded.server_user import check_reach, make_var_dir, server_user

SOURCE = Path(__file__).resolve().parent.parent.parent


class Holder:
    """Holds servers from `__enter__` to `__exit__`; after that they run on only if another process holds
    them.

    `servers` are names of `layout`. `durable=False` is for data that no one will miss: no fsync, nothing of
    Redis kept. Raises `EmbeddedServerError` on entering.
    """

    def __init__(self, var_dir: Path, servers: Iterable[str], *, durable: bool = True) -> None:
        self._layout = Layout(var_dir)
        self._servers = list(servers)
        self._durable = durable
        self._users: dict[str, FileLock] = {}
        self._keepers: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        if self._servers:
            make_var_dir(self._layout)
            check_reach(self._layout, server_user(self._layout))
        try:
            for server in self._servers:
                self._hold(server)
        except BaseException:
            self.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def lost(self) -> str | None:
        """The name of a held server that does not run any more, if there is one."""
        return next((server for server in self._users if not self._is_kept(server)), None)

    def release(self) -> None:
        """Let all servers go, and wait for those to stop that nobody else holds."""
        for server, lock in self._users.items():
            lock.release()
            # Free: the keeper is about to have it. Shared: others use the server. Held alone: the keeper is
            # stopping it.
            deadline = time.monotonic() + 2 * STOP_SECONDS
            while self._is_kept(server) and time.monotonic() < deadline:
                if lock.try_to_take():
                    lock.release()
                elif lock.try_to_share():
                    break
                time.sleep(0.02)
            lock.close()
        self._users = {}
        for keeper in self._keepers:
            keeper.poll()

    def _is_kept(self, server: str) -> bool:
        return is_held(self._layout.lock(server, "keeper"))

    def _hold(self, server: str) -> None:
        users = FileLock(self._layout.lock(server, "users"))
        users.share()
        self._users[server] = users
        start = FileLock(self._layout.lock(server, "start"))
        start.take()
        try:
            if not (self._is_kept(server) and self._await_ready(server)):
                self._start_keeper(server)
        finally:
            start.close()

    def _await_ready(self, server: str) -> bool:
        """Whether the server of a living keeper runs;

        False where the keeper ended without having got it to run.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self._layout.ready(server).exists():
            if not self._is_kept(server):
                return False
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"{server} is being started by another process, which does not get on."
                )
            time.sleep(0.02)
        return True

    def _start_keeper(self, server: str) -> None:
        command = [sys.executable, "-m", "jmapsite.embedded", server, str(self._layout.var_dir)]
        with self._layout.log(server).open("ab") as log:
            keeper = subprocess.Popen(
                command if self._durable else [*command, "volatile"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=SOURCE,
                start_new_session=True,
            )
        assert keeper.stdout is not None
        with keeper.stdout:
            said = keeper.stdout.readline().strip()
        if said != READY:
            keeper.wait()
            raise EmbeddedServerError(said or f"{server} was not started; see {self._layout.log(server)}")
        self._keepers.append(keeper)
