"""Addresses that mail is sent from and to."""

from __future__ import annotations

import pytest

from accounts import provisioning
from jmapcore.store.database import connection
from jmapcore.store.write import account_write
from mail.sending import covers, is_mailbox, own_addresses
from tests.support.cast import Cast, Person


@pytest.mark.rfc("8621", "7.5")
@pytest.mark.parametrize(
    "text",
    [
        "bob@example.org",
        "b.o-b+x!#$%&'*/=?^_`{|}~@example.org",
        '"b o b"@example.org',
        '"b\\"@b"@example.org',
        "zoë@bücher.example",
        "bob@xn--bcher-kva.example",
        "bob@localhost",
        f"{'x' * 64}@example.org",
    ],
)
def test_a_mailbox(text: str) -> None:
    assert is_mailbox(text)


@pytest.mark.rfc("8621", "7.5")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "@example.org",
        "bob@",
        "bob@@example.org",
        "bob.@example.org",
        ".bob@example.org",
        "b..b@example.org",
        "b b@example.org",
        '"b"b@example.org',
        '"b\nb"@example.org',
        '"bob@example.org',
        "<bob@example.org>",
        "bob@example.org>",
        "bob@example.org\r\nDATA",
        "\rbob@example.org",
        " bob@example.org",
        "bob@example.org ",
        "bob@example.org.",
        "bob@-example.org",
        "bob@[192.0.2.1]",
        "bob\u2028@example.org",
        "bob\u00a0b@example.org",
        "bob\u0085@example.org",
        "bob\x00@example.org",
        f"{'x' * 65}@example.org",
        f"{'ä' * 33}@example.org",
        f"bob@{'x' * 64}.example",
        "bob@" + "x." * 200 + "example",
        "bob" * 100_000,
    ],
)
def test_no_mailbox(text: str) -> None:
    assert not is_mailbox(text)


@pytest.mark.rfc("8621", "6")
@pytest.mark.parametrize(
    ("identity", "address", "covered"),
    [
        ("ann@example.org", "ann@example.org", True),
        ("ann@example.org", "Ann@EXAMPLE.org", True),
        ("ann@example.org", "ann+x@example.org", False),
        ("*@example.org", "ann@example.org", True),
        ("*@example.org", "ann@sub.example.org", False),
        ("*@example.org", "nobody", False),
    ],
)
def test_what_an_identity_is_for(identity: str, address: str, covered: bool) -> None:
    assert covers(identity, address) is covered


def own(person: Person, *addresses: str) -> set[str]:
    """The local parts of those of the addresses that a person may send as."""
    with connection() as lent, account_write(person.account.pk, lent) as write:
        return {address.partition("@")[0] for address in own_addresses(write, addresses)}


def test_nothing_is_asked_for_nothing(cast: Cast) -> None:
    assert own(cast.alice) == set()


@pytest.mark.rfc("8621", "6.3")
def test_an_account_sends_as_those_whose_mail_it_takes(cast: Cast) -> None:
    domain = cast.north_domain.name
    provisioning.add_alias(f"sales@{domain}", cast.alice.account)
    provisioning.add_alias(f"alice+bob@{domain}", cast.bob.account)
    names = ("alice", "alice+lists", "alice+bob", "sales", "sales+lists", "bob", "bob+lists", "free", "*")
    everything = [f"{name}@{domain}" for name in names]
    assert own(cast.alice, *everything) == {"alice", "alice+lists", "sales", "sales+lists"}
    assert own(cast.bob, *everything) == {"alice+bob", "bob", "bob+lists"}
    provisioning.set_catch_all(cast.north_domain, cast.alice.account)
    also = {"*", "free"}
    assert own(cast.alice, *everything) == {"alice", "alice+lists", "sales", "sales+lists", *also}
