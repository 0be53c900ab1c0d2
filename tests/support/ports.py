"""Ports for the servers of tests."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def port_settings() -> dict[str, str]:
    """The settings of a service's ports, each with a free one."""
    names = ("PORT", "PUSH_PORT", "LMTP_PORT", "LOOKUP_PORT")
    return {name: str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}
