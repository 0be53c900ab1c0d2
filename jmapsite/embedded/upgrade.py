"""Bring a data directory of an older PostgreSQL to the present major version, with the binaries of both in
the wheel.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jmapsite.embedded import postgresql
from jmapsite.embedded.errors import EmbeddedServerError
from jmapsite.embedded.layout import POSTGRESQL, Layout
from jmapsite.embedded.locks import FileLock
from jmapsite.embedded.postgresql import INSTALLATIONS, MAJOR, SUPERUSER, Binaries
from jmapsite.embedded.server_user import (
    ServerUser,
    check_reach,
    make_var_dir,
    private_directory,
    remove_directory,
    server_user,
)

RECOVERY_SECONDS = 600.0


def upgrade(var_dir: Path, say: Callable[[str], None]) -> None:
    """Upgrade the data directory of VAR_DIR; `say` gets lines of progress.

    The old directory stays beside it under another name, untouched but for a recovery it may have needed.
    Nothing changes if a step fails. Raises `EmbeddedServerError` where there is nothing to upgrade, or no way
    to.
    """
    layout = Layout(var_dir)
    make_var_dir(layout)
    users = FileLock(layout.lock(POSTGRESQL, "users"))
    if not users.try_to_take():
        raise EmbeddedServerError(f"The database in {var_dir} is in use. Stop what uses it first.")
    try:
        _upgrade(layout, say)
    finally:
        users.close()


def _upgrade(layout: Layout, say: Callable[[str], None]) -> None:
    user = server_user(layout)
    check_reach(layout, user)
    private_directory(layout.sockets, user)
    version = postgresql.data_version(layout)
    if version is None:
        raise EmbeddedServerError(f"There is no database in {layout.var_dir} yet: nothing to upgrade.")
    if version == MAJOR:
        say(f"The database is of PostgreSQL {MAJOR} already: nothing to upgrade.")
        return
    if version not in INSTALLATIONS:
        raise EmbeddedServerError(
            f"The database is of PostgreSQL {version}, whose programs are not here (only those of "
            f"{' and '.join(map(str, sorted(INSTALLATIONS)))}). Write it out with the pg_dump of PostgreSQL "
            f"{version} and read it into a new VAR_DIR."
        )
    kept = layout.var_dir / f"{POSTGRESQL}.{version}"
    if kept.exists():
        raise EmbeddedServerError(f"{kept} is there from an earlier upgrade. Move it elsewhere first.")
    old, new = postgresql.find_binaries(layout, user, version), postgresql.find_binaries(layout, user)
    postgresql.end_strays(layout)
    _end_cleanly(layout, old, user)
    made = layout.var_dir / f"{POSTGRESQL}.new"
    say(f"Upgrading from PostgreSQL {version} to {MAJOR}; this copies all data …")
    checksums = "--data-checksums" if _has_checksums(layout, old, user) else "--no-data-checksums"
    postgresql.create_data_directory(made, new, user, checksums)
    _pg_upgrade(layout, old, new, made, user)
    layout.data(POSTGRESQL).rename(kept)
    made.rename(layout.data(POSTGRESQL))
    say(f"Done. The old data are in {kept}; remove them when you are content.")


def _pg_upgrade(layout: Layout, old: Binaries, new: Binaries, made: Path, user: ServerUser) -> None:
    """Run pg_upgrade in a directory of its own: it writes files where it stands."""
    workplace = layout.var_dir / "upgrade"
    remove_directory(workplace)
    private_directory(workplace, user)
    postgresql.run(
        new.program("pg_upgrade"), "--username", SUPERUSER, "--socketdir", str(layout.sockets),
        "--old-bindir", str(old.directory), "--new-bindir", str(new.directory),
        "--old-datadir", str(layout.data(POSTGRESQL)), "--new-datadir", str(made),
        user=user, directory=workplace,
    )  # fmt: skip
    remove_directory(workplace)


def _control_data(layout: Layout, binaries: Binaries, user: ServerUser) -> dict[str, str]:
    printed = postgresql.run(
        binaries.program("pg_controldata"), str(layout.data(POSTGRESQL)), user=user, directory=layout.sockets
    )
    return {name: value.strip() for name, _, value in (line.partition(":") for line in printed.splitlines())}


def _has_checksums(layout: Layout, binaries: Binaries, user: ServerUser) -> bool:
    return _control_data(layout, binaries, user)["Data page checksum version"] != "0"


def _end_cleanly(layout: Layout, binaries: Binaries, user: ServerUser) -> None:
    """Let a server that was killed recover and shut down in order: pg_upgrade takes nothing else."""
    if _control_data(layout, binaries, user)["Database cluster state"] == "shut down":
        return
    with postgresql.temporary_server(layout, binaries, user, RECOVERY_SECONDS):
        pass
