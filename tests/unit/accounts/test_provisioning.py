"""Tenants, users, aliases and grants: born, changed and removed."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import lifecycle, provisioning
from accounts.addresses import resolve
from accounts.models import Account, Address, Alias, AliasTarget, Domain, Grant, Tenant, User
from accounts.provisioning import ProvisioningError
from tests.support.cast import Cast, make_tenant


@contextmanager
def hooked(hooks: list[Any], hook: Callable[..., None]) -> Iterator[None]:
    """Register a hook for the length of the block."""
    hooks.append(hook)
    try:
        yield
    finally:
        hooks.remove(hook)


def refusal(function: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """The sentence with which provisioning refuses."""
    with pytest.raises(ProvisioningError) as caught:
        function(*arguments, **options)
    return str(caught.value)


def test_tenant_has_its_first_domain(database: None) -> None:
    name = f"T {secrets.token_hex(6)}"
    tenant = provisioning.create_tenant(name, domain="Bücher-" + name[2:] + ".Example")
    stored = Domain.objects.get(tenant=tenant).name
    assert stored.startswith("xn--bcher-")
    assert stored == stored.lower()


def test_tenants_name_is_taken_in_any_case(cast: Cast) -> None:
    sentence = refusal(provisioning.create_tenant, cast.north.name.upper())
    assert sentence == f"There is a tenant named {cast.north.name.upper()} already."


def test_domain_is_taken_worldwide(cast: Cast) -> None:
    sentence = refusal(provisioning.add_domain, cast.south, cast.north_domain.name.upper())
    assert sentence == f"The domain {cast.north_domain.name} is taken."


def test_tenant_whose_domain_is_taken_is_not_made(cast: Cast) -> None:
    name = f"T {secrets.token_hex(6)}"
    refusal(provisioning.create_tenant, name, domain=cast.north_domain.name)
    assert not Tenant.objects.filter(name=name).exists()


def test_user_has_a_personal_account_and_an_address(cast: Cast) -> None:
    user = provisioning.create_user(f"Eve@{cast.north_domain.name.upper()}", name=" Eve ")
    account = Account.objects.get(owner=user)
    assert (user.address, user.name, user.tenant, user.domain) == (
        f"eve@{cast.north_domain.name}",
        "Eve",
        cast.north,
        cast.north_domain,
    )
    assert (account.name, account.tenant) == (user.address, cast.north)
    assert Address.objects.get(address=user.address).user == user


def test_user_without_password_has_none(cast: Cast) -> None:
    assert not cast.alice.user.has_usable_password()


def test_user_with_password_has_it(cast: Cast) -> None:
    user = provisioning.create_user(f"eve@{cast.north_domain.name}", password="secret")
    assert user.check_password("secret")


@pytest.mark.parametrize(
    ("local_part", "sentence"),
    [
        ("alice", "The address {address} is taken."),
        ("ALICE", "The address {address} is taken."),
        ("sales", "The address {address} is taken."),
    ],
)
def test_address_is_taken_by_user_or_alias(cast: Cast, local_part: str, sentence: str) -> None:
    provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.bob.account)
    given = f"{local_part}@{cast.north_domain.name}"
    expected = sentence.replace("{address}", given.lower())
    assert refusal(provisioning.create_user, given) == expected
    assert refusal(provisioning.add_alias, given, cast.bob.account) == expected


def test_users_address_has_no_detail(cast: Cast) -> None:
    assert "detail" in refusal(provisioning.create_user, f"eve+x@{cast.north_domain.name}")


def test_address_needs_a_domain_of_a_tenant(database: None) -> None:
    sentence = refusal(provisioning.create_user, "eve@unheard-of.example")
    assert sentence == "The domain unheard-of.example belongs to no tenant."


def test_address_must_be_one(database: None) -> None:
    assert refusal(provisioning.create_user, "eve") == "'eve' is not an e-mail address."


def test_hooks_run_in_the_transaction_that_creates(cast: Cast) -> None:
    seen: list[object] = []

    def see(born: object) -> None:
        seen.append((born, connection.in_atomic_block))

    with hooked(lifecycle.account_created, see), hooked(lifecycle.user_created, see):
        user = provisioning.create_user(f"eve@{cast.north_domain.name}")
    assert seen == [(user.account, True), (user, True)]


def test_failing_hook_undoes_the_user(cast: Cast) -> None:
    def fail(account: Account) -> None:
        raise ArithmeticError(account.name)

    address = f"eve@{cast.north_domain.name}"
    with hooked(lifecycle.account_created, fail), pytest.raises(ArithmeticError):
        provisioning.create_user(address)
    assert not User.objects.filter(address=address).exists()
    assert not Address.objects.filter(address=address).exists()


def test_an_alias_that_comes_or_goes_changes_the_addresses_of_its_account(cast: Cast) -> None:
    seen: list[tuple[str, int]] = []

    def see(account: Account) -> None:
        seen.append((account.name, account.alias_targets.count()))

    with hooked(lifecycle.addresses_changed, see):
        provisioning.remove_alias(provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.bob.account))
    assert seen == [(cast.bob.address, 1), (cast.bob.address, 0)]


def test_a_catch_all_changes_the_addresses_of_both_accounts(cast: Cast) -> None:
    seen: list[str] = []
    provisioning.set_catch_all(cast.north_domain, cast.alice.account)
    cast.north_domain.catch_all = cast.bob.account  # as the form of the administration does
    with hooked(lifecycle.addresses_changed, lambda account: seen.append(account.name)):
        provisioning.set_catch_all(cast.north_domain, cast.bob.account)
    assert seen == [cast.alice.address, cast.bob.address]


def test_a_new_address_changes_those_of_whoever_took_its_mail_before(cast: Cast) -> None:
    seen: list[str] = []
    bob, dora = cast.bob, cast.dora
    provisioning.set_catch_all(cast.north_domain, bob.account)
    with hooked(lifecycle.addresses_changed, lambda account: seen.append(account.name)):
        provisioning.add_alias(f"alice+lists@{cast.north_domain.name}", dora.account)
        provisioning.create_user(f"eve@{cast.north_domain.name}")
    assert seen == [cast.alice.address, bob.address, dora.address, bob.address]


def test_deleting_a_domain_changes_the_addresses_of_its_catch_all(cast: Cast) -> None:
    domain = provisioning.add_domain(cast.north, f"second-{cast.north_domain.name}")
    provisioning.set_catch_all(domain, cast.alice.account)
    seen: list[tuple[str, int]] = []

    def see(account: Account) -> None:
        seen.append((account.name, account.catch_all_domains.count()))

    with hooked(lifecycle.addresses_changed, see):
        provisioning.delete_domain(domain)
    assert (seen, Domain.objects.filter(name=f"second-{cast.north_domain.name}").exists()) == (
        [(cast.alice.address, 0)],
        False,
    )


def test_a_new_name_comes_with_the_former_one(cast: Cast) -> None:
    seen: list[tuple[str, str]] = []
    with hooked(lifecycle.user_renamed, lambda user, former: seen.append((user.name, former))):
        provisioning.rename_user(cast.alice.user, " Alice Anders ")
    assert seen == [("Alice Anders", "Alice")]
    assert User.objects.get(pk=cast.alice.user.pk).name == "Alice Anders"


def test_removed_alias_frees_its_address(cast: Cast) -> None:
    address = f"sales@{cast.north_domain.name}"
    provisioning.remove_alias(provisioning.add_alias(address, cast.bob.account))
    assert resolve(address) is None
    assert provisioning.create_user(address).address == address


def test_alias_stays_in_its_tenant(cast: Cast) -> None:
    sentence = refusal(provisioning.add_alias, f"x@{cast.north_domain.name}", cast.charlie.account)
    assert "another tenant" in sentence


def test_catch_all_stays_in_its_tenant(cast: Cast) -> None:
    assert "another tenant" in refusal(provisioning.set_catch_all, cast.north_domain, cast.charlie.account)
    cast.north_domain.refresh_from_db()
    assert cast.north_domain.catch_all is None


def test_grant_stays_in_its_tenant(cast: Cast) -> None:
    sentence = refusal(provisioning.grant_access, cast.alice.account, cast.charlie.user)
    assert "different tenants" in sentence
    assert not Grant.objects.filter(user=cast.charlie.user).exists()


def test_owner_needs_no_grant(cast: Cast) -> None:
    assert "owns" in refusal(provisioning.grant_access, cast.alice.account, cast.alice.user)


def test_read_only_grant_cannot_send(cast: Cast) -> None:
    sentence = refusal(
        provisioning.grant_access, cast.alice.account, cast.bob.user, is_read_only=True, may_send_as=True
    )
    assert sentence == "A read-only grant cannot allow sending."


def test_second_grant_replaces_the_first(cast: Cast) -> None:
    provisioning.grant_access(cast.alice.account, cast.bob.user, is_read_only=True)
    grants = Grant.objects.filter(user=cast.bob.user).values_list("is_read_only", "may_send_as")
    assert list(grants) == [(True, False)]


def test_deleted_user_leaves_nothing(cast: Cast) -> None:
    seen: list[object] = []
    bob = cast.bob.user
    alias = provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.alice.account)
    provisioning.set_catch_all(cast.north_domain, cast.alice.account)
    with (
        hooked(lifecycle.account_deleted, lambda account: seen.append(account.name)),
        hooked(lifecycle.user_deleted, lambda user: seen.append(user.address)),
    ):
        provisioning.delete_user(User.objects.get(pk=cast.alice.user.pk))
    cast.north_domain.refresh_from_db()
    assert seen == [cast.alice.address] * 2
    assert resolve(cast.alice.address) is None
    assert resolve(alias.address) is None
    assert list(Grant.objects.filter(user=bob)) == []
    assert not AliasTarget.objects.filter(alias=alias.pk).exists()


def test_deleted_tenant_leaves_others_alone(cast: Cast) -> None:
    provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.alice.account)
    tenant_id = cast.north.pk
    provisioning.delete_tenant(cast.north)
    assert not Domain.objects.filter(name=cast.north_domain.name).exists()
    assert not User.objects.filter(tenant=tenant_id).exists()
    assert resolve(cast.charlie.address) == cast.charlie.account


def test_database_refuses_a_user_without_an_address_row(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="user_has_address"), transaction.atomic():
        User.objects.create(address=f"eve@{cast.north_domain.name}")


def test_database_refuses_an_alias_with_a_users_address(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="alias_has_address"), transaction.atomic():
        Alias.objects.create(address=cast.alice.address, domain=cast.north_domain)


def test_database_refuses_an_address_of_two(cast: Cast) -> None:
    alias = provisioning.add_alias(f"x@{cast.north_domain.name}", cast.bob.account)
    with pytest.raises(IntegrityError, match="address_of_one"), transaction.atomic():
        Address.objects.filter(alias=alias).update(user=cast.alice.user)


def test_of_two_who_want_an_address_at_once_one_gets_it(database: None) -> None:
    _, domain = make_tenant("Race")
    owner = provisioning.create_user(f"owner@{domain.name}")
    address = f"wanted@{domain.name}"
    outcomes: list[str] = []
    ready = threading.Barrier(2)

    def want(function: Callable[[], object]) -> None:
        ready.wait(30)
        try:
            function()
            outcomes.append("made")
        except ProvisioningError as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=want, args=(lambda: provisioning.create_user(address),)),
        threading.Thread(target=want, args=(lambda: provisioning.add_alias(address, owner.account),)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == [f"The address {address} is taken.", "made"]
