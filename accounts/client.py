"""The address a request came from, believed only as far as the proxies in between are trusted."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

IPV6_PREFIX_OF_ONE_CLIENT = 64
"""A subscriber has a /64 at least, so that single IPv6 addresses cost an attacker nothing."""


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address out of a forwarded-for element, with port, brackets or zone; None for anything else."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def trusted_networks(names: Iterable[str | Network]) -> tuple[Network, ...]:
    """Networks out of their text ("10.0.0.0/8", "::1") or themselves; raises `ValueError` for anything else."""
    texts = (str(name).strip() for name in names)
    return tuple(ip_network(text, strict=False) for text in texts if text)


def client_address(remote_address: str, forwarded_for: str | None, trusted_proxies: Iterable[Network]) -> str:
    """The client's IP address: the peer's, or the last hop in X-Forwarded-For that is no trusted proxy.

    Read from the right, since every proxy appends and only what a trusted one wrote is true. A peer without
    an IP address (a unix socket, the empty string) is a proxy on this machine; it is trusted where 127.0.0.1
    is. Whatever is no IP address ends the search. Without any, the peer's own text is returned.
    """
    networks = tuple(trusted_proxies)
    client = _parse(remote_address)
    current = client if client is not None else IPv4Address("127.0.0.1")
    for hop in reversed((forwarded_for or "").split(",")):
        if not any(current.version == network.version and current in network for network in networks):
            break
        parsed = _parse(hop)
        if parsed is None:
            break
        client = current = parsed
    return str(client) if client is not None else remote_address


def client_network(client: str) -> str:
    """What counts as one client for the throttle: an IPv4 address, or the /64 of an IPv6 address."""
    address = _parse(client)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX_OF_ONE_CLIENT), strict=False))
    return str(address) if address is not None else client
