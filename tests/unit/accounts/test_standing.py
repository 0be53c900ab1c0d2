"""Credentials looked at again by their names."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.authentication import authenticate
from accounts.models import AccessToken, AppPassword
from accounts.provisioning import (
    revoke_access,
    set_password,
    set_tenant_suspended,
    set_user_suspended,
)
from accounts.standing import Standing, standings
from jmapcore.store.database import connection
from tests.support.cast import Cast, Person, basic, make_person


def standing_of(credential: str) -> Standing | None:
    """How one credential stands."""
    with connection() as lent:
        return standings(lent, [credential]).get(credential)


def token_of(person: Person) -> str:
    """The name of somebody's access token."""
    return f"token:{AccessToken.objects.get(user=person.user).pk}"


def test_each_kind_of_credential_stands_for_the_caller_that_it_lets_in(cast: Cast) -> None:
    cast.bob  # noqa: B018  # has a grant on Alice's account
    dave = make_person(cast.north_domain, "Dave", password="correct horse battery")
    headers = [cast.bob.bearer, cast.bob.basic, basic(dave.address, "correct horse battery")]
    callers = [authenticate(header, "192.0.2.1", connection) for header in headers]
    with connection() as lent:
        found = standings(lent, [caller.credential for caller in callers])
    assert [found[caller.credential].caller for caller in callers] == callers


def test_what_is_unknown_or_over_stands_for_nobody(cast: Cast) -> None:
    token = AccessToken.objects.get(user=cast.alice.user)
    token.expires = timezone.now() - timedelta(seconds=1)
    token.save()
    assert [standing_of(name) for name in (f"token:{token.pk}", "token:0", "password:0", "user:0")] == [
        None
    ] * 4


def test_a_deleted_app_password_stands_for_nobody(cast: Cast) -> None:
    password = AppPassword.objects.get(user=cast.alice.user)
    name = f"password:{password.pk}"
    assert standing_of(name) is not None
    password.delete()
    assert standing_of(name) is None


def test_a_suspended_user_stands_for_nobody(cast: Cast) -> None:
    set_user_suspended(cast.alice.user, True)
    assert standing_of(token_of(cast.alice)) is None


def test_a_suspended_tenant_stands_for_nobody(cast: Cast) -> None:
    set_tenant_suspended(cast.north, True)
    assert standing_of(token_of(cast.alice)) is None


def test_another_account_password_has_another_proof(cast: Cast) -> None:
    dave = make_person(cast.north_domain, "Dave", password="correct horse battery")
    before = standing_of(f"user:{dave.user.pk}")
    set_password(dave.user, "wrong donkey charger")
    after = standing_of(f"user:{dave.user.pk}")
    assert before is not None
    assert after is not None
    assert before.proof != after.proof


def test_a_withdrawn_grant_is_in_no_standing_any_more(cast: Cast) -> None:
    name = token_of(cast.bob)
    before = standing_of(name)
    revoke_access(cast.alice.account, cast.bob.user)
    after = standing_of(name)
    assert before is not None
    assert after is not None
    assert [[access.account_id for access in each.caller.accounts] for each in (before, after)] == [
        [cast.bob.account.pk, cast.alice.account.pk],
        [cast.bob.account.pk],
    ]


def test_an_admission_holds_while_nothing_changes(cast: Cast) -> None:
    standing = standing_of(token_of(cast.alice))
    assert standing is not None
    admission = standing.admission()
    sql, parameters = admission.statement
    with connection() as lent:
        assert admission.holds(lent.execute(sql, parameters, prepare=True, binary=True).fetchall())
        set_user_suspended(cast.alice.user, True)
        assert not admission.holds(lent.execute(sql, parameters, prepare=True, binary=True).fetchall())
