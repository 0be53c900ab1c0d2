"""Where the embedded servers keep their files, as a function of VAR_DIR alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

POSTGRESQL = "postgresql"
REDIS = "redis"

# sun_path of a unix socket's address holds 108 bytes with its closing NUL on Linux, 104 elsewhere (unix(7)).
LONGEST_SOCKET_PATH = 103
POSTGRESQL_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below one VAR_DIR (an absolute path)."""

    var_dir: Path

    @property
    def locks(self) -> Path:
        """Lock files, of the user who runs the commands."""
        return self.var_dir / "locks"

    @property
    def logs(self) -> Path:
        """What the servers and their keepers write."""
        return self.var_dir / "log"

    def data(self, server: str) -> Path:
        """The data directory of a server, 0700 and of the user the servers run as."""
        return self.var_dir / server

    @property
    def sockets(self) -> Path:
        """The directory of the unix sockets, 0700 and of the user the servers run as.

        Below VAR_DIR wherever a socket's path fits into its address, else a directory of /tmp named after
        VAR_DIR.
        """
        beside = self.var_dir / "run"
        if len(bytes(beside / POSTGRESQL_SOCKET)) <= LONGEST_SOCKET_PATH:
            return beside
        return Path("/tmp") / f"jmapsite-{hashlib.sha256(bytes(self.var_dir)).hexdigest()[:16]}"  # noqa: S108 checked by its maker

    @property
    def redis_socket(self) -> Path:
        """The unix socket of Redis."""
        return self.sockets / "redis.sock"

    @property
    def postgresql_socket(self) -> Path:
        """The unix socket of PostgreSQL; libpq is given its directory as host."""
        return self.sockets / POSTGRESQL_SOCKET

    def lock(self, server: str, purpose: str) -> Path:
        """One of the lock files of a server: `users`, `start` or `keeper`."""
        return self.locks / f"{server}.{purpose}"

    def ready(self, server: str) -> Path:
        """The file that exists while the server's keeper has it running."""
        return self.locks / f"{server}.ready"

    def process_id(self, server: str) -> Path:
        """The file with the process id of the server that a keeper started last."""
        return self.locks / f"{server}.pid"

    def log(self, server: str) -> Path:
        """The log file of a server and its keeper."""
        return self.logs / f"{server}.log"
