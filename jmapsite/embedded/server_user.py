"""As whom the embedded servers run, and the directories that are theirs.

PostgreSQL refuses to run as root, so under root both servers run as an unprivileged user: the owner of an
existing data directory, else the owner of VAR_DIR, else `nobody`. Anybody else runs them as themselves.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jmapsite.embedded.errors import EmbeddedServerError
from jmapsite.embedded.layout import POSTGRESQL, Layout
from jmapsite.embedded.process_end import die_with_parent

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user (and its group) of the server processes;

    `differs` from the one who starts them under root alone.
    """

    user_id: int
    group_id: int
    name: str

    @property
    def differs(self) -> bool:
        """Whether the process has to change its user to become this one."""
        return self.user_id != os.geteuid()

    def popen_arguments(self, end_signal: int | None = None) -> dict[str, Any]:
        """Arguments for `subprocess` so that the child runs as this user, and gets `end_signal` if this
        process dies.
        """
        arguments: dict[str, Any] = {"umask": 0o077}
        if self.differs:
            arguments |= {"user": self.user_id, "group": self.group_id, "extra_groups": []}
        if end_signal is not None:
            arguments["preexec_fn"] = die_with_parent(end_signal)
        return arguments


def server_user(layout: Layout) -> ServerUser:
    """Who runs the servers of this VAR_DIR when the present user starts them."""
    if os.geteuid() != 0:
        return _entry(os.geteuid(), os.getegid())
    for path in (layout.data(POSTGRESQL), layout.var_dir):
        if path.exists() and (owner := path.stat()).st_uid != 0:
            return _entry(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return ServerUser(nobody.pw_uid, nobody.pw_gid, nobody.pw_name)


def _entry(user_id: int, group_id: int) -> ServerUser:
    try:
        name = pwd.getpwuid(user_id).pw_name
    except KeyError:
        raise EmbeddedServerError(
            f"PostgreSQL needs a name for the user it runs as, and user id {user_id} has none in /etc/passwd."
        ) from None
    return ServerUser(user_id, group_id, name)


def make_var_dir(layout: Layout) -> None:
    """Create VAR_DIR and what the present user keeps there.

    Raises `EmbeddedServerError` where that is not possible.
    """
    try:
        for path in (layout.var_dir, layout.locks, layout.logs):
            if not path.exists():
                path.mkdir(parents=True, exist_ok=True)
                path.chmod(0o711)
    except OSError as error:
        raise EmbeddedServerError(
            f"VAR_DIR cannot be used: {error.strerror} ({error.filename}). "
            "Name a directory that you can write to, for example: make run VAR_DIR=$HOME/jmapsite-data"
        ) from error
    if not os.access(layout.locks, os.W_OK | os.X_OK):
        owner = _name(layout.locks.stat().st_uid)
        raise EmbeddedServerError(
            f"{layout.var_dir} belongs to the user {owner}. Run this as {owner}, or name another directory "
            "with VAR_DIR=…"
        )


def check_reach(layout: Layout, user: ServerUser) -> None:
    """Raise `EmbeddedServerError` where the user of the servers cannot get to VAR_DIR."""
    if user.differs and not _may_search(layout.var_dir, user):
        # VAR_DIR is the service's own directory, and everything in it has a mode of its own; above it nothing
        # is touched.
        layout.var_dir.chmod(stat.S_IMODE(layout.var_dir.stat().st_mode) | stat.S_IXOTH)
    obstacle = out_of_reach(layout.var_dir, user)
    if obstacle is not None:
        raise EmbeddedServerError(
            f"Under root PostgreSQL and Redis run as the user {user.name}, who cannot reach VAR_DIR "
            f"({layout.var_dir}): {obstacle} is closed to that user. Name a directory that is not below it, "
            "for example: make run VAR_DIR=/var/lib/jmapsite"
        )


def out_of_reach(path: Path, user: ServerUser) -> Path | None:
    """The outermost directory on the way into `path`, itself included, that the user may not search;

    None if all are open.
    """
    if not user.differs:
        return None
    for directory in [*reversed(path.parents), path]:
        if not _may_search(directory, user):
            return directory
    return None


def _may_search(directory: Path, user: ServerUser) -> bool:
    status = directory.stat()
    if status.st_uid == user.user_id:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.group_id:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def private_directory(path: Path, user: ServerUser) -> None:
    """Make `path` a directory of the servers' user with mode 0700, and nothing else than that.

    The socket directory may lie in /tmp, where anybody can be first: what belongs to somebody else is
    refused.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        if user.differs:
            os.chown(path, user.user_id, user.group_id)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise EmbeddedServerError(f"{path} must be a directory.")
    if status.st_uid == 0 and user.differs and not any(path.iterdir()):
        os.chown(path, user.user_id, user.group_id)
    elif status.st_uid != user.user_id:
        raise EmbeddedServerError(
            f"{path} belongs to the user {_name(status.st_uid)}, but the servers run as {user.name}. "
            f"Run this as {_name(status.st_uid)}, or name another directory with VAR_DIR=…"
        )
    path.chmod(0o700)


def remove_directory(path: Path) -> None:
    """Remove a directory of the servers with all that is in it, if it is there."""
    if path.exists():
        shutil.rmtree(path)


def _name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
