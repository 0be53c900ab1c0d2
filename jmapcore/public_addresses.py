"""Which IP addresses are somebody else's out in the Internet, and which are not to be spoken to on a user's word.

The special blocks are those of IANA's registries of special-purpose addresses, and what carries an IPv4 address inside of an
IPv6 one, since a translator on the way would lead there.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SPECIAL_V4 = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared by the customers of a carrier; some clouds keep their metadata there
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # public to look at, and within one cloud the address of its own services
    "169.254.0.0/16",  # link-local, with the metadata of clouds
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # AMT
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",  # private
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
)
_UNICAST_V6 = "2000::/3"
"""All that was ever given out. Outside: loopback, mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96), ULA, link-local, multicast."""
_SPECIAL_V6 = (
    "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4, with an IPv4 address inside
    "2620:4f:8000::/48",  # AS112
    "3fff::/20",  # documentation
)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks and single addresses from their texts, blank ones left out. Raises `ValueError` for what is neither."""
    return tuple(ip_network(text.strip()) for text in texts if text.strip())


_special_v4 = networks(_SPECIAL_V4)
_special_v6 = networks(_SPECIAL_V6)
_unicast_v6 = ip_network(_UNICAST_V6)


def is_public(address: Address) -> bool:
    """Whether an address is an ordinary one of the Internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _special_v4)
    if address.scope_id is not None or address not in _unicast_v6:
        return False
    return not any(address in network for network in _special_v6)


def may_be_reached(address: Address, allowed: Iterable[Network]) -> bool:
    """Whether an address is public, or in one of the networks that the operator allows."""
    return is_public(address) or any(
        address in network for network in allowed if network.version == address.version
    )


def parsed(text: str) -> Address | None:
    """The address that a text is; None for a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None
