"""Setting limits: what is refused, what is nearest, and what the commands and the pages of the administration do."""

from __future__ import annotations

import secrets
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Domain, QuotaLimit, Tenant, User
from accounts.provisioning import ProvisioningError
from accounts.quota_sizes import format_octets, parse_octets
from accounts.quotas import (
    MESSAGES,
    OCTETS,
    AccountUsage,
    Limits,
    account_sentences,
    set_administers,
    set_limits,
    shown_usage,
    unset_limits,
    usage_of,
)
from jmapcore.tasks import refresh_quotas
from tests.support.cast import Cast

DEFAULT = Limits(10_000_000_000, None, 9_000_000_000)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("5000", 5000),
        ("5kB", 5000),
        ("5KiB", 5120),
        ("1.5 GB", 1_500_000_000),
        ("2GiB", 2 * 1024**3),
        ("2g", 2_000_000_000),
        ("0", 0),
        ("", None),
        ("1.5", None),
        ("-1", None),
        ("5 GBs", None),
        ("five", None),
        ("10 PB", None),
        ("٣", None),
    ],
)
def test_sizes_are_read(text: str, octets: int | None) -> None:
    assert parse_octets(text) == octets


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 octets"),
        (999, "999 octets"),
        (1000, "1 kB"),
        (4_730_000_000, "4.73 GB"),
        (999_999, "1 MB"),
        (2**53 - 1, "9.01 PB"),
    ],
)
def test_sizes_are_shown(octets: int, text: str) -> None:
    assert format_octets(octets) == text


def limits_of(account: Account) -> Limits:
    return usage_of([account.pk])[account.pk].octets_limits


def test_a_new_account_has_the_default_limits(cast: Cast) -> None:
    assert usage_of([cast.alice.account.pk]) == {
        cast.alice.account.pk: AccountUsage(0, 0, DEFAULT, Limits(2_000_000, None, 1_800_000))
    }


def test_the_limits_of_an_account_hold_at_once(cast: Cast) -> None:
    set_limits(cast.alice.account, OCTETS, Limits(1000, 800, 500))
    assert limits_of(cast.alice.account) == Limits(1000, 800, 500)
    unset_limits(cast.alice.account, OCTETS)
    assert limits_of(cast.alice.account) == DEFAULT


def test_a_warning_that_is_not_set_comes_before_the_lowest_limit(cast: Cast) -> None:
    set_limits(cast.alice.account, OCTETS, Limits(1000, 800))
    assert limits_of(cast.alice.account) == Limits(1000, 800, 720)


def test_no_limit_can_be_set_too(cast: Cast) -> None:
    set_limits(cast.alice.account, OCTETS, Limits(None))
    assert limits_of(cast.alice.account) == Limits(None)


def test_the_nearest_limits_hold(cast: Cast) -> None:
    """An account's own, its domain's for each, its tenant's for each, the default: as a whole, not one by one."""
    account, seen = cast.alice.account, []
    set_limits(cast.north, OCTETS, Limits(3000, 2500, 2000), each_account=True)
    refresh_quotas()
    seen.append(limits_of(account))
    set_limits(cast.north_domain, OCTETS, Limits(2000, None, 1000), each_account=True)
    refresh_quotas()
    seen.append(limits_of(account))
    set_limits(account, OCTETS, Limits(1000, None, 500))
    seen.append(limits_of(account))
    unset_limits(account, OCTETS)
    seen.append(limits_of(account))
    unset_limits(cast.north_domain, OCTETS, each_account=True)
    unset_limits(cast.north, OCTETS, each_account=True)
    refresh_quotas()
    seen.append(limits_of(account))
    near, tenant = Limits(2000, None, 1000), Limits(3000, 2500, 2000)
    assert seen == [tenant, near, Limits(1000, None, 500), near, DEFAULT]


def test_limits_of_another_tenant_are_its_own(cast: Cast) -> None:
    set_limits(cast.south, OCTETS, Limits(5), each_account=True)
    refresh_quotas()
    assert (limits_of(cast.charlie.account).hard, limits_of(cast.alice.account)) == (5, DEFAULT)


def test_a_new_account_has_what_its_domain_gives_each(cast: Cast) -> None:
    set_limits(cast.north_domain, OCTETS, Limits(77), each_account=True)
    assert limits_of(cast.bob.account).hard == 77


@pytest.mark.parametrize(
    "limits",
    [Limits(-1), Limits(2**53), Limits(None, 5), Limits(None, None, 5), Limits(5, 6), Limits(5, None, 6)],
)
def test_limits_that_cannot_be_are_refused(cast: Cast, limits: Limits) -> None:
    with pytest.raises(ProvisioningError):
        set_limits(cast.alice.account, OCTETS, limits)
    assert not QuotaLimit.objects.filter(account=cast.alice.account).exists()


def test_an_account_has_no_limits_for_each_account(cast: Cast) -> None:
    with pytest.raises(ProvisioningError):
        set_limits(cast.alice.account, OCTETS, Limits(5), each_account=True)


def test_an_operator_administers_no_quotas(database: None) -> None:
    operator = User.objects.create_superuser(f"{secrets.token_hex(8)}@operators.example")
    with pytest.raises(ProvisioningError):
        set_administers(operator, "server")


def run(*arguments: object) -> str:
    out, notes = StringIO(), StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=notes)
    return out.getvalue() + notes.getvalue()


def row(**whose: Any) -> tuple[int | None, ...]:
    found = QuotaLimit.objects.get(**whose)
    return found.hard, found.soft, found.warn


def test_the_command_sets_limits_of_an_account(cast: Cast) -> None:
    said = run(
        "set_quota",
        cast.alice.address,
        "--octets",
        "5GB",
        "--soft",
        "4.5GB",
        "--warn",
        "4GB",
        "--messages",
        100,
    )
    account = cast.alice.account
    assert row(account=account, resource=OCTETS) == (5_000_000_000, 4_500_000_000, 4_000_000_000)
    assert row(account=account, resource=MESSAGES) == (100, None, None)
    assert said == (
        f"octets of {cast.alice.address}: 5 GB, soft limit 4.5 GB, warning from 4 GB.\n"
        f"messages of {cast.alice.address}: 100 messages.\n"
    )


def test_the_command_leaves_what_it_is_not_told(cast: Cast) -> None:
    run("set_quota", cast.alice.address, "--octets", "5GB", "--warn", "4GB")
    run("set_quota", cast.alice.address, "--soft", "4.5GB")
    run("set_quota", cast.alice.address, "--warn", "none")
    assert row(account=cast.alice.account) == (5_000_000_000, 4_500_000_000, None)
    run("set_quota", cast.alice.address, "--octets", "none")
    assert row(account=cast.alice.account) == (None, None, None)
    run("set_quota", cast.alice.address, "--octets", "default")
    assert not QuotaLimit.objects.filter(account=cast.alice.account).exists()


def test_the_command_knows_domains_and_tenants(cast: Cast) -> None:
    run("set_quota", cast.north_domain.name, "--octets", "5GB")
    run("set_quota", cast.north.name.upper(), "--messages", "7")
    run("set_quota", cast.north.name, "--each", "--messages", "8")
    assert row(domain=cast.north_domain)[0] == 5_000_000_000
    assert row(tenant=cast.north, each_account=False)[0] == 7
    assert row(tenant=cast.north, each_account=True)[0] == 8


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody@nowhere.example", "--octets", "5"],
        ["nowhere.example", "--octets", "5"],
        ["{alice}"],
        ["{alice}", "--octets", "much"],
        ["{alice}", "--soft", "5"],
        ["{alice}", "--octets", "5", "--soft", "6"],
        ["{alice}", "--each", "--octets", "5"],
        ["{alice}", "--messages", "5GB"],
    ],
)
def test_the_command_refuses_in_a_sentence(cast: Cast, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("set_quota", *(each.replace("{alice}", cast.alice.address) for each in arguments))
    assert not QuotaLimit.objects.filter(account=cast.alice.account).exists()


def test_the_command_shows_what_an_account_holds(cast: Cast) -> None:
    set_limits(cast.alice.account, OCTETS, Limits(5_000_000_000, 4_500_000_000, 4_000_000_000))
    set_limits(cast.alice.account, MESSAGES, Limits(None))
    assert run("show_quota", cast.alice.address) == (
        "0 octets of 5 GB; users add nothing from 4.5 GB on; warning from 4 GB on\n0 messages, no limit\n"
    )


def test_the_command_makes_administrators(cast: Cast) -> None:
    run("set_administrator", cast.alice.address, "tenant")
    cast.alice.user.refresh_from_db()
    assert cast.alice.user.administers == "tenant"
    run("set_administrator", cast.alice.address, "nothing")
    cast.alice.user.refresh_from_db()
    assert cast.alice.user.administers == ""


@pytest.fixture
def operator(database: None) -> Client:
    """A browser in which a superuser is signed in."""
    user = User.objects.create_superuser(f"{secrets.token_hex(8)}@operators.example", None)
    client = Client()
    client.force_login(user)
    return client


def change(model: Any, number: int) -> str:
    return reverse(f"admin:accounts_{model._meta.model_name}_change", args=[number])


def limit_rows(*rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """The form of the table of limits."""
    data: dict[str, Any] = {"quota_limits-TOTAL_FORMS": len(rows), "quota_limits-INITIAL_FORMS": initial}
    for number, each in enumerate(rows):
        data |= {f"quota_limits-{number}-{name}": value for name, value in each.items()}
    return data


def test_the_page_of_a_tenant_sets_limits(operator: Client, cast: Cast) -> None:
    page, name = change(Tenant, cast.north.pk), {"name": cast.north.name}
    given = {"resource": "octets", "each_account": "on", "hard": "5 GB", "soft": "", "warn": "4GB"}
    assert operator.post(page, {**name, **limit_rows(given)}).status_code == 302
    assert row(tenant=cast.north, each_account=True) == (5_000_000_000, None, 4_000_000_000)
    [pk] = QuotaLimit.objects.filter(tenant=cast.north).values_list("pk", flat=True)
    again = {**given, "id": pk, "tenant": cast.north.pk, "hard": "6GB"}
    assert operator.post(page, {**name, **limit_rows(again, initial=1)}).status_code == 302
    assert row(tenant=cast.north)[0] == 6_000_000_000
    [pk] = QuotaLimit.objects.filter(tenant=cast.north).values_list("pk", flat=True)
    gone = {**again, "id": pk, "DELETE": "on"}
    assert operator.post(page, {**name, **limit_rows(gone, initial=1)}).status_code == 302
    assert not QuotaLimit.objects.filter(tenant=cast.north).exists()


def test_the_page_of_an_account_sets_limits_that_hold_at_once(operator: Client, cast: Cast) -> None:
    data = {
        "grants-TOTAL_FORMS": 0,
        "grants-INITIAL_FORMS": 0,
        **limit_rows({"resource": "octets", "hard": "1kB"}),
    }
    assert operator.post(change(Account, cast.alice.account.pk), data).status_code == 302
    assert limits_of(cast.alice.account).hard == 1000


def test_limits_that_cannot_be_are_a_message_on_the_page(operator: Client, cast: Cast) -> None:
    data = {"name": cast.north.name, **limit_rows({"resource": "octets", "hard": "5", "soft": "6"})}
    answer = operator.post(change(Tenant, cast.north.pk), data)
    assert (answer.status_code, b"come before the hard limit" in answer.content) == (200, True)
    data = {"name": cast.north.name, **limit_rows({"resource": "octets", "hard": "much"})}
    assert b"a size such as" in operator.post(change(Tenant, cast.north.pk), data).content


def test_the_page_of_a_user_makes_administrators(operator: Client, cast: Cast) -> None:
    data = {
        "name": "Alice",
        "is_active": "on",
        "administers": "domain",
        "app_passwords-TOTAL_FORMS": 0,
        "app_passwords-INITIAL_FORMS": 0,
    }
    assert operator.post(change(User, cast.alice.user.pk), data).status_code == 302
    cast.alice.user.refresh_from_db()
    assert cast.alice.user.administers == "domain"


def test_pages_and_lists_say_what_is_held(operator: Client, cast: Cast) -> None:
    refresh_quotas()
    set_limits(cast.north, OCTETS, Limits(7_000_000_000))
    account = operator.get(change(Account, cast.alice.account.pk)).content.decode()
    assert all(sentence in account for sentence in account_sentences(cast.alice.account.pk))
    assert (
        "0 octets of 7 GB · 0 messages, no limit"
        in operator.get(change(Tenant, cast.north.pk)).content.decode()
    )
    for model, name in (
        (Tenant, ""),
        (Domain, cast.north_domain.name),
        (Account, cast.alice.address),
    ):
        page = reverse(f"admin:accounts_{model._meta.model_name}_changelist")
        assert "0 octets" in operator.get(page, {"q": name}).content.decode()


@pytest.mark.parametrize(
    ("resource", "used", "text"),
    [(OCTETS, 1_500_000, "1.5 MB of 2 GB"), (MESSAGES, 1_500, "1,500 of 2,000,000,000 messages")],
)
def test_usage_is_shown_with_its_limit(resource: str, used: int, text: str) -> None:
    assert shown_usage(resource, used, Limits(2_000_000_000)) == text
