"""The task that sums up what domains and tenants hold: enforced, released, shown, repaired, and separate for each tenant."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from accounts.models import Account, DomainUsage, TenantUsage
from accounts.provisioning import add_domain, delete_user
from accounts.quotas import MESSAGES, OCTETS, Limits, set_administers, set_limits, unset_limits
from jmapcore import quotas
from jmapcore.store.database import Row, connection, django_connection, read, run
from jmapcore.store.usage import OverQuotaError
from jmapcore.store.write import account_write
from jmapcore.tasks import refresh_quotas
from tests.support.cast import Cast, Person, make_person


def use(account: Account, octets: int, objects: int = 1, *, arrives: bool = False) -> None:
    with connection() as lent, account_write(account.pk, lent) as write:
        write.usage.is_arrival = arrives
        write.use(octets, objects)


def refused(account: Account, *, arrives: bool = False) -> bool:
    """Whether the account may not grow by the least there is."""
    try:
        use(account, 1, 0, arrives=arrives)
    except OverQuotaError:
        return True
    use(account, -1, 0)
    return False


def stored(account: Account, sql: str) -> list[Row]:
    with connection() as lent:
        return read(lent, account.pk, (sql, (account.pk,)))[0]


def shown(account: Account) -> set[Row]:
    return set(
        stored(
            account,
            "SELECT scope, name, resource, used, hard, soft, warn FROM shared_quota WHERE account_id = %s",
        )
    )


def recorded(account: Account) -> list[Row]:
    return stored(
        account,
        "SELECT object, operation FROM change_log WHERE account_id = %s AND type = 'Quota' ORDER BY modseq",
    )


def test_domains_and_tenants_are_summed_up(cast: Cast) -> None:
    second = make_person(add_domain(cast.north, f"second-{cast.north_domain.name}"), "Eve")
    for person, octets in ((cast.alice, 100), (cast.bob, 20), (second, 3), (cast.charlie, 5000)):
        use(person.account, octets)
    refresh_quotas()
    tenant = TenantUsage.objects.get(tenant=cast.north)
    domain = DomainUsage.objects.get(domain=cast.north_domain)
    assert (tenant.octets, tenant.objects_held) == (123, 3)
    assert (domain.octets, domain.objects_held) == (120, 2)
    assert TenantUsage.objects.get(tenant=cast.south).octets == 5000


def test_sums_follow_what_goes_and_who_is_deleted(cast: Cast) -> None:
    use(cast.alice.account, 100)
    use(cast.bob.account, 20)
    refresh_quotas()
    use(cast.alice.account, -40, 0)
    delete_user(cast.bob.user)
    refresh_quotas()
    tenant = TenantUsage.objects.get(tenant=cast.north)
    assert (tenant.octets, tenant.objects_held) == (60, 1)


def test_a_sum_that_is_wrong_is_set_right(cast: Cast) -> None:
    use(cast.alice.account, 100)
    refresh_quotas()
    TenantUsage.objects.filter(tenant=cast.north).update(octets=5)
    DomainUsage.objects.filter(domain=cast.north_domain).delete()
    refresh_quotas()
    assert TenantUsage.objects.get(tenant=cast.north).octets == 100
    assert DomainUsage.objects.get(domain=cast.north_domain).octets == 100


@pytest.mark.parametrize("scope", ["domain", "tenant", "server"])
def test_past_the_limit_of_a_sum_nobody_adds_until_there_is_room(cast: Cast, scope: str) -> None:
    whose = {"domain": cast.north_domain, "tenant": cast.north, "server": None}[scope]
    use(cast.alice.account, 100)
    use(cast.bob.account, 1)
    use(cast.charlie.account, 1)
    total = 0 if whose else sum(TenantUsage.objects.values_list("octets", flat=True)) + 100
    set_limits(whose, OCTETS, Limits(max(100, total) if whose is None else 100))
    try:
        refresh_quotas()
        refresh_quotas()  # the first made the sums that the limit of everything is compared with
        others = refused(cast.charlie.account)
        assert (refused(cast.alice.account), refused(cast.bob.account, arrives=True)) == (True, True)
        assert others is (whose is None)
        use(cast.alice.account, -100, -1)
        refresh_quotas()
        if whose is not None:
            assert (refused(cast.alice.account), refused(cast.bob.account, arrives=True)) == (False, False)
    finally:
        unset_limits(whose, OCTETS)
        refresh_quotas()
    assert not refused(cast.charlie.account)


def test_past_the_soft_limit_of_a_sum_mail_still_arrives(cast: Cast) -> None:
    set_limits(cast.north, MESSAGES, Limits(10, 2))
    use(cast.alice.account, 1, 1)
    use(cast.bob.account, 1, 1)
    refresh_quotas()
    assert (refused(cast.bob.account), refused(cast.bob.account, arrives=True)) == (True, False)


def test_who_is_held_may_still_give_back(cast: Cast) -> None:
    set_limits(cast.north, OCTETS, Limits(10))
    use(cast.alice.account, 20)
    refresh_quotas()
    use(cast.alice.account, -5, 0)


def test_a_lost_or_wrong_hold_is_set_right(cast: Cast) -> None:
    set_limits(cast.north, OCTETS, Limits(10))
    use(cast.alice.account, 20)
    refresh_quotas()
    with connection() as lent:
        lent.execute("DELETE FROM account_held WHERE account_id = %s", (cast.alice.account.pk,))
        lent.execute(
            "INSERT INTO account_held (account_id, level) VALUES (%s, 2)", (cast.charlie.account.pk,)
        )
    refresh_quotas()
    assert (refused(cast.alice.account), refused(cast.charlie.account)) == (True, False)


def test_limits_that_were_lost_come_back(cast: Cast) -> None:
    account = cast.alice.account
    with connection() as lent, account_write(account.pk, lent) as write:
        write.execute("UPDATE account_state SET octets_limit = NULL WHERE account_id = %s", (account.pk,))
    refresh_quotas()
    limit = stored(account, "SELECT octets_limit FROM account_state WHERE account_id = %s")
    assert (limit, recorded(account)[-1]) == ([(10_000_000_000,)], (1, "c"))


def test_limits_are_recorded_as_they_come_change_and_go(cast: Cast) -> None:
    account, before = cast.alice.account, len(recorded(cast.alice.account))
    set_limits(account, OCTETS, Limits(500))
    set_limits(account, OCTETS, Limits(None))
    set_limits(account, OCTETS, Limits(None))
    set_limits(account, OCTETS, Limits(500))
    assert recorded(account)[before:] == [(1, "u"), (1, "d"), (1, "c")]


def administrator(person: Person, administers: str) -> Account:
    set_administers(person.user, administers)
    return person.account


def test_administrators_are_shown_what_they_administer(cast: Cast) -> None:
    other = add_domain(cast.north, f"other-{cast.north_domain.name}")
    for whose, hard in ((cast.north, 1000), (cast.north_domain, 500), (other, 300), (cast.south, 7)):
        set_limits(whose, OCTETS, Limits(hard, None, 5))
    use(cast.alice.account, 100)
    alice, bob = administrator(cast.alice, "tenant"), administrator(cast.bob, "domain")
    charlie = administrator(cast.charlie, "tenant")
    refresh_quotas()
    tenant = ("tenant", cast.north.name, "octets", 100, 1000, None, 5)
    domain = ("domain", cast.north_domain.name, "octets", 100, 500, None, 5)
    assert shown(alice) == {tenant, domain, ("domain", other.name, "octets", 0, 300, None, 5)}
    assert shown(bob) == {domain}
    assert shown(charlie) == {("tenant", cast.south.name, "octets", 0, 7, None, 5)}


def test_who_administers_nothing_more_is_shown_nothing_at_once(cast: Cast) -> None:
    set_limits(cast.north, OCTETS, Limits(1000))
    account = administrator(cast.alice, "tenant")
    before = shown(account)
    administrator(cast.alice, "")
    assert (len(before), shown(account)) == (1, set())
    assert [operation for _, operation in recorded(account)] == ["c", "d"]


def test_what_is_shown_changes_in_the_usage_alone_or_more(cast: Cast) -> None:
    set_limits(cast.north, OCTETS, Limits(1000))
    set_limits(cast.alice.account, OCTETS, Limits(None))
    set_limits(cast.alice.account, MESSAGES, Limits(None))
    account = administrator(cast.alice, "tenant")
    refresh_quotas()
    before = len(recorded(account))
    use(cast.bob.account, 10)
    refresh_quotas()
    refresh_quotas()
    set_limits(cast.north, OCTETS, Limits(2000))
    refresh_quotas()
    assert [operation for _, operation in recorded(account)[before:]] == ["v", "u"]


def test_a_quota_of_everything_is_for_administrators_of_everything(cast: Cast) -> None:
    set_limits(None, MESSAGES, Limits(10**9))
    try:
        administrator(cast.alice, "server")
        administrator(cast.bob, "tenant")
        assert {row[:3] for row in shown(cast.alice.account)} == {("server", "", "count")}
        assert shown(cast.bob.account) == set()
    finally:
        unset_limits(None, MESSAGES)


def test_two_at_once_do_not_get_in_each_other_s_way(cast: Cast) -> None:
    set_limits(cast.north, OCTETS, Limits(10))
    use(cast.alice.account, 20)
    results: list[dict[str, Any]] = []
    begin = threading.Barrier(4)

    def run() -> None:
        begin.wait(10)
        results.append(refresh_quotas())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(results), any(each["summed"] for each in results)) == (4, True)
    assert refused(cast.alice.account)


def test_the_sums_hold_up_no_write(cast: Cast) -> None:
    """While one account is being written, its lock held, everything is summed up and held."""
    set_limits(cast.north, OCTETS, Limits(10))
    use(cast.bob.account, 20)
    with connection() as lent, account_write(cast.alice.account.pk, lent) as write:
        write.use(1, 1)
        assert refresh_quotas()["summed"] is True
    assert refused(cast.alice.account)


def test_an_account_that_is_busy_holds_up_no_other(cast: Cast) -> None:
    assert cast.bob
    set_limits(cast.north, OCTETS, Limits(10), each_account=True)
    limit = "SELECT octets_limit FROM account_state WHERE account_id = %s"
    with connection() as lent, account_write(cast.alice.account.pk, lent), connection() as refreshing:
        refreshing.execute("SET lock_timeout = '50ms'")
        try:
            quotas.refresh(refreshing)
        finally:
            refreshing.execute("RESET lock_timeout")
        held, other = stored(cast.alice.account, limit), stored(cast.bob.account, limit)
        assert (held, other) == ([(10_000_000_000,)], [(10,)])
    refresh_quotas()
    assert stored(cast.alice.account, limit) == [(10,)]


def test_the_restricted_role_learns_sums_and_not_accounts(cast: Cast) -> None:
    use(cast.charlie.account, 5)
    with connection() as lent:
        [rows] = read(lent, cast.alice.account.pk, ("SELECT account_id FROM account_state", ()))
    assert rows == [(cast.alice.account.pk,)]


def test_an_account_that_is_deleted_leaves_nothing(cast: Cast) -> None:
    set_limits(cast.north, OCTETS, Limits(1))
    use(cast.bob.account, 20)
    account = administrator(cast.bob, "tenant")
    refresh_quotas()
    delete_user(cast.bob.user)
    with connection() as lent:
        held = lent.execute("SELECT 1 FROM account_held WHERE account_id = %s", (account.pk,)).fetchall()
    assert (held, shown(account)) == ([], set())


def test_the_sums_of_the_function_are_those_of_the_accounts(cast: Cast) -> None:
    set_limits(cast.north, MESSAGES, Limits(9))
    use(cast.alice.account, 5, 4)
    refresh_quotas()
    [rows] = [
        run(django_connection(), ("SELECT * FROM quota_sums(%s::bigint[], 50)", ([None] * 6,)))[0].fetchall()
    ]
    [mine] = [row for row in rows if row[2] == cast.north.pk]
    assert mine == ("tenant", None, cast.north.pk, cast.north.name, "count", 4, 9, None, 4)
