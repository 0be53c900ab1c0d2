"""Who may connect, and sockets of the file system that few may open."""

from __future__ import annotations

import grp
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from accounts.client import Network


def is_trusted(peer: str, trusted: Iterable[Network]) -> bool:
    """Whether an IP address is in one of the networks; an empty one is a unix socket's, whose file says who may open it."""
    if not peer:
        return True
    address = ip_address(peer.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in trusted)


def make_way(path: str) -> None:
    """Remove a socket that a process which is gone has left. Raises OSError, and FileExistsError for another kind of file."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(file.stat().st_mode):
            raise FileExistsError(f"{path} is no socket")
        file.unlink()


def open_to(path: str, group: str) -> None:
    """Let the owner of a socket open it, and a group if one is named. Raises KeyError for an unknown one, OSError."""
    if group:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    Path(path).chmod(0o660 if group else 0o600)
