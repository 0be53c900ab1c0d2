"""Which client address is believed."""

from __future__ import annotations

import pytest

from accounts.client import client_address, client_network, trusted_networks

PROXIES = trusted_networks(["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("remote", "forwarded_for", "client"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("fd00::1", '"[2001:db8::7]:4711"', "2001:db8::7"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("", "198.51.100.1", "198.51.100.1"),
        ("", None, ""),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(
    remote: str, forwarded_for: str | None, client: str
) -> None:
    assert client_address(remote, forwarded_for, PROXIES) == client


def test_without_trusted_proxies_the_peer_is_the_client() -> None:
    assert client_address("127.0.0.1", "198.51.100.1", ()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", ""),
    ],
)
def test_one_client_is_an_ipv4_address_or_a_64_of_ipv6(client: str, network: str) -> None:
    assert client_network(client) == network


def test_networks_are_made_once_or_twice() -> None:
    assert trusted_networks(PROXIES) == PROXIES


def test_what_is_no_network_cannot_be_trusted() -> None:
    with pytest.raises(ValueError, match=r"proxy\.example"):
        trusted_networks(["proxy.example"])
