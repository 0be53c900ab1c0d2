"""Which addresses are public."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from jmapcore.public_addresses import is_public, may_be_reached, networks, parsed


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "192.0.1.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_addresses_of_the_internet_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.rfc("8620", "8.6")
@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "10.255.255.255",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.88.99.1",
        "192.168.1.1",
        "198.19.255.255",
        "203.0.113.9",
        "224.0.0.251",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::8.8.8.8",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_all_others_are_not(text: str) -> None:
    assert not is_public(ip_address(text))


def test_an_operator_may_allow_networks() -> None:
    allowed = networks(["10.1.0.0/16", " ", "fd00::/8"])
    assert may_be_reached(ip_address("10.1.2.3"), allowed)
    assert may_be_reached(ip_address("fd12::1"), allowed)
    assert may_be_reached(ip_address("8.8.8.8"), allowed)
    assert not may_be_reached(ip_address("10.2.0.1"), allowed)
    assert not may_be_reached(ip_address("::ffff:10.1.2.3"), allowed)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "somewhere", "300.0.0.1"])
def test_what_is_no_network_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        networks([text])


def test_a_name_is_no_address() -> None:
    assert parsed("push.example") is None
    assert parsed("127.1") is None
