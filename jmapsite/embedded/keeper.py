"""The keeper: the small process that is the parent of one embedded server, for as long as anybody holds the
server.

    python -m jmapsite.embedded SERVER VAR_DIR [volatile]

Started by `holding.Holder`, in a session of its own. Each command that needs the server shares the lock
`SERVER.users`; the keeper waits to have that lock alone, which the kernel grants when the last of them has
ended, killed ones too. Then it stops the server and ends. If the keeper itself is killed, the kernel tells
the server to stop. It prints `ready`, or the sentence that says why there is no server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

from jmapsite.embedded import postgresql, redis_server
from jmapsite.embedded.errors import EmbeddedServerError
from jmapsite.embedded.layout import POSTGRESQL, REDIS, Layout
from jmapsite.embedded.locks import FileLock
from jmapsite.embedded.server_user import ServerUser, check_reach, private_directory, server_user

READY = "ready"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
LARGEST_LOG = 10_000_000
POLL_SECONDS = 0.5

MODULES: dict[str, ModuleType] = {POSTGRESQL: postgresql, REDIS: redis_server}
# PostgreSQL: roll back what is open and write the rest ("fast"), then drop everything ("immediate").
END_SIGNALS = {POSTGRESQL: (signal.SIGINT, signal.SIGQUIT), REDIS: (signal.SIGTERM, signal.SIGKILL)}


def start(server: str, layout: Layout, *, durable: bool) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers. Raises `EmbeddedServerError`."""
    user = server_user(layout)
    check_reach(layout, user)
    private_directory(layout.sockets, user)
    if server == POSTGRESQL:
        postgresql.prepare(layout, user)
    else:
        redis_server.end_strays(layout)
        private_directory(layout.data(REDIS), user)
    child = _launch(server, layout, user, durable=durable)
    layout.process_id(server).write_text(str(child.pid), "ascii")
    _await(server, layout, child)
    if server == POSTGRESQL:
        postgresql.create_roles(layout, postgresql.find_binaries(layout, user), user)
    return child


def _launch(server: str, layout: Layout, user: ServerUser, *, durable: bool) -> subprocess.Popen[bytes]:
    log = layout.log(server)
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        os.fchmod(output.fileno(), 0o600)
        return subprocess.Popen(
            MODULES[server].command(layout, user, durable=durable),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=layout.data(server) if not user.differs else "/",
            env=postgresql.environment(),
            process_group=0,
            **user.popen_arguments(END_SIGNALS[server][0]),
        )


def _await(server: str, layout: Layout, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not MODULES[server].is_ready(layout, child.pid):
        if child.poll() is not None:
            raise EmbeddedServerError(
                f"{server} stopped as it started: {_last_line(layout.log(server))} "
                f"(more in {layout.log(server)})"
            )
        if time.monotonic() > deadline:
            stop(server, child)
            raise EmbeddedServerError(f"{server} did not answer within a minute; see {layout.log(server)}")
        time.sleep(0.02)


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "nothing was written"


def stop(server: str, child: subprocess.Popen[bytes]) -> None:
    """Stop the server, in good order if it does so in time."""
    for end_signal in END_SIGNALS[server]:
        if child.poll() is None:
            child.send_signal(end_signal)
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue


def _wait_for_last_user(users: FileLock, unused: threading.Event) -> None:
    users.take()
    unused.set()


def keep(server: str, layout: Layout, *, durable: bool) -> int:
    """Run the server until nobody holds it;

    the exit status: 0, or 1 where it could not start or ended by itself.
    """
    keeper = FileLock(layout.lock(server, "keeper"))
    users = FileLock(layout.lock(server, "users"))
    if not keeper.try_to_take():
        _say("another keeper has it")
        return 1
    layout.ready(server).unlink(missing_ok=True)
    try:
        child = start(server, layout, durable=durable)
    except (EmbeddedServerError, OSError) as error:
        _say(str(error))
        return 1
    unused = threading.Event()
    for end_signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end_signal, lambda *_: unused.set())
    threading.Thread(target=_wait_for_last_user, args=(users, unused), daemon=True).start()
    layout.ready(server).write_text(str(child.pid), "ascii")
    _say(READY)
    while not unused.wait(POLL_SECONDS) and child.poll() is None:
        pass
    layout.ready(server).unlink(missing_ok=True)
    ended_by_itself = child.poll() is not None
    stop(server, child)
    # In this order: who gets the users' lock next must find that there is no keeper any more.
    layout.process_id(server).unlink(missing_ok=True)
    keeper.close()
    users.close()
    return int(ended_by_itself)


def _say(words: str) -> None:
    try:
        sys.stdout.write(words + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # whoever started this has gone; the server may have other users
