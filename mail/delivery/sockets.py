"""The sockets that are listened at, and who may connect."""

from __future__ import annotations

import grp
import os
import socket
import stat
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from accounts.client import Network

BACKLOG = 100
"""Connections that wait to be taken."""


def is_trusted(peer: str, trusted: Iterable[Network]) -> bool:
    """Whether an IP address is in one of the networks; an empty one is a unix socket's, whose file says who may open it."""
    if not peer:
        return True
    address = ip_address(peer.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in trusted)


def listen_at_port(host: str, port: int) -> socket.socket:
    """A listening TCP socket (port 0: a free one). Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setblocking(False)
    return listening


def listen_at_path(path: str, group: str = "") -> socket.socket:
    """A listening unix socket, open to its owner, and to a group if one is named.

    One that is left from before is replaced. Raises OSError (for a file of another kind too), KeyError for an unknown group.
    """
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(file.stat().st_mode):
            raise FileExistsError(f"{path} is no socket")
        file.unlink()
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listening.bind(path)
    finally:
        os.umask(before)
    if group:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    file.chmod(0o660 if group else 0o600)
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening
