"""Recipients, compared with what the addresses of accounts mean everywhere else."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.addresses import resolve
from accounts.models import User
from accounts.provisioning import add_alias, set_catch_all
from mail.delivery.outcome import SUSPENDED, UNKNOWN
from mail.delivery.recipients import Recipient, resolve_recipients
from tests.support.cast import Cast

LOCAL_PARTS = [
    "alice", "ALICE", '"alice"', "alice+x", "alice+x+y", "alice+", "+x", "+", "bob", "bob+x", "info", "info+x", "sales+x",
    "sales", "nobody", "gone", "gone+x", "", "a b", "a@b", "ålice", "*",
]  # fmt: skip


@pytest.mark.parametrize("with_catch_all", [False, True])
def test_every_address_leads_where_it_leads_elsewhere(cast: Cast, with_catch_all: bool) -> None:
    domain = cast.north_domain.name
    add_alias(f"info@{domain}", cast.bob.account)
    add_alias(f"sales+x@{domain}", cast.alice.account)
    add_alias(f"gone@{domain}", cast.dora.account)
    User.objects.filter(pk=cast.dora.user.pk).update(is_active=False)
    if with_catch_all:
        set_catch_all(cast.north_domain, cast.bob.account)
    addresses = [f"{local_part}@{domain}" for local_part in LOCAL_PARTS]
    addresses += [
        "alice@elsewhere.example",
        f"alice@{domain.upper()}.",
        f"alice@{cast.south_domain.name}",
        "alice",
    ]
    found = resolve_recipients(addresses)
    expected = [resolve(address) for address in addresses]
    accounts = [each.account_id if isinstance(each, Recipient) else each for each in found]
    assert accounts == [UNKNOWN if account is None else account.pk for account in expected]


def test_what_a_recipient_says_of_itself(cast: Cast) -> None:
    domain = cast.north_domain.name
    add_alias(f"sales+x@{domain}", cast.alice.account)
    found = resolve_recipients([f"Alice+Shop+2@{domain}", f"sales+x@{domain}", f"alice@{domain}"])
    assert [(each.address, each.detail, each.owner_id) for each in found if isinstance(each, Recipient)] == [
        (f"alice+shop+2@{domain}", "shop+2", cast.alice.user.pk),
        (f"sales+x@{domain}", "", cast.alice.user.pk),
        (f"alice@{domain}", "", cast.alice.user.pk),
    ]


def test_a_suspended_owner(cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.user.pk).update(is_suspended=True)
    assert resolve_recipients([f"alice+x@{cast.north_domain.name}"]) == [SUSPENDED]


def test_no_addresses() -> None:
    assert resolve_recipients([]) == []


@pytest.mark.rfc("5321", "4.5.1")
def test_postmaster_is_somebody(cast: Cast, settings: Any) -> None:
    settings.MAIL_POSTMASTER = cast.alice.address
    domain = cast.south_domain.name
    found = resolve_recipients(
        ["postmaster", "Postmaster", f"POSTMASTER@{domain}", "postmaster@elsewhere.example"]
    )
    assert [(each.account_id, each.address) for each in found if isinstance(each, Recipient)] == [
        (cast.alice.account.pk, cast.alice.address),
        (cast.alice.account.pk, cast.alice.address),
        (cast.alice.account.pk, f"postmaster@{domain}"),
    ]
    assert found[3] is UNKNOWN


def test_who_has_the_address_is_postmaster(cast: Cast, settings: Any) -> None:
    settings.MAIL_POSTMASTER = cast.alice.address
    address = f"postmaster@{cast.north_domain.name}"
    add_alias(address, cast.bob.account)
    [found] = resolve_recipients([address])
    assert isinstance(found, Recipient)
    assert found.account_id == cast.bob.account.pk


@pytest.mark.parametrize("postmaster", ["", "nobody@elsewhere.example", "postmaster"])
def test_without_a_postmaster_it_is_unknown(cast: Cast, settings: Any, postmaster: str) -> None:
    settings.MAIL_POSTMASTER = postmaster
    assert resolve_recipients(["postmaster", f"postmaster@{cast.north_domain.name}"]) == [UNKNOWN, UNKNOWN]
