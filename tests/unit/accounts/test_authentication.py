"""The Authorization header of a request, and the answer to it, on the real database and the real Redis."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from psycopg.pq import TransactionStatus

from accounts import gate, provisioning
from accounts.access import ALL_SCOPES, MAIL_SCOPE, AccountAccess, Caller
from accounts.authentication import AuthenticationError, authenticate
from accounts.credentials import create_access_token
from accounts.models import AccessToken, AppPassword, User
from accounts.passwords import Argon2id
from jmapcore.store.database import connection
from tests.support.cast import Cast, basic

BOTH = 'Bearer realm="jmapsite", Basic realm="jmapsite", charset="UTF-8"'
PASSWORD = "correct horse battery staple"
# Hashed once: the tests are about what is done with it.
PASSWORD_HASH = make_password(PASSWORD)


def new_client() -> str:
    """An IP address from which no other test has failed."""
    return f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"


def sign_in(authorization: str | None, client: str | None = None) -> Caller:
    """What a request with this header gets."""
    return authenticate(authorization, client or new_client(), connection)


def refusal(authorization: str | None, client: str | None = None) -> AuthenticationError:
    """How a request with this header is refused."""
    with pytest.raises(AuthenticationError) as caught:
        sign_in(authorization, client)
    return caught.value


def give_password(user: User) -> None:
    """Let the user have the account password PASSWORD."""
    User.objects.filter(pk=user.pk).update(password=PASSWORD_HASH)


def test_token_opens_the_personal_account_and_then_those_granted(cast: Cast) -> None:
    bob, alice = cast.bob, cast.alice
    token = AccessToken.objects.get(user=bob.user)
    assert sign_in(bob.bearer) == Caller(
        user_id=bob.user.pk,
        tenant_id=cast.north.pk,
        username=bob.address,
        credential=f"token:{token.pk}",
        scopes=ALL_SCOPES,
        accounts=(
            AccountAccess(bob.account.pk, bob.user.pk, bob.address, True, False, True),
            AccountAccess(alice.account.pk, bob.user.pk, alice.address, False, False, False),
        ),
    )


def test_read_only_grant_is_read_only(cast: Cast) -> None:
    access = sign_in(cast.dora.bearer).accounts[1]
    assert (access.account_id, access.is_read_only, access.may_send) == (cast.alice.account.pk, True, False)


def test_grant_may_include_sending(cast: Cast) -> None:
    provisioning.grant_access(cast.alice.account, cast.bob.user, may_send_as=True)
    access = sign_in(cast.bob.bearer).accounts[1]
    assert (access.is_read_only, access.may_send) == (False, True)


def test_nothing_of_another_tenant_is_open(cast: Cast) -> None:
    accounts = sign_in(cast.charlie.bearer).accounts
    assert [access.account_id for access in accounts] == [cast.charlie.account.pk]


def test_granted_accounts_come_in_the_order_of_their_ids(cast: Cast) -> None:
    provisioning.grant_access(cast.dora.account, cast.bob.user)
    provisioning.revoke_access(cast.alice.account, cast.bob.user)
    provisioning.grant_access(cast.alice.account, cast.bob.user)
    ids = [access.account_id for access in sign_in(cast.bob.bearer).accounts]
    assert ids == [cast.bob.account.pk, cast.alice.account.pk, cast.dora.account.pk]


def test_revoked_grant_is_closed_from_the_next_request_on(cast: Cast) -> None:
    provisioning.revoke_access(cast.alice.account, cast.bob.user)
    assert len(sign_in(cast.bob.bearer).accounts) == 1


def test_account_of_a_suspended_owner_is_closed_to_all(cast: Cast) -> None:
    provisioning.set_user_suspended(cast.alice.user, True)
    assert len(sign_in(cast.bob.bearer).accounts) == 1


def test_account_of_an_inactive_owner_is_closed_to_all(cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.user.pk).update(is_active=False)
    assert len(sign_in(cast.bob.bearer).accounts) == 1


def test_token_opens_its_scopes_alone(cast: Cast) -> None:
    _, secret = create_access_token(cast.alice.user)
    assert sign_in(f"Bearer {secret}").scopes == frozenset({MAIL_SCOPE})


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_scheme_is_case_insensitive(cast: Cast, scheme: str) -> None:
    assert sign_in(f"{scheme} {cast.alice.token}").user_id == cast.alice.user.pk


@pytest.mark.rfc("6750", "3")
@pytest.mark.parametrize("token", ["unknown", "", "é\udcff", "'; --"])
def test_unknown_token_is_unauthorized(cast: Cast, token: str) -> None:
    error = refusal(f"Bearer {token}")
    assert (error.status, error.headers["WWW-Authenticate"]) == (
        401,
        'Bearer realm="jmapsite", error="invalid_token", error_description="The access token is unknown, '
        'expired or revoked.", Basic realm="jmapsite", charset="UTF-8"',
    )


def test_expired_token_is_unauthorized(cast: Cast) -> None:
    AccessToken.objects.filter(user=cast.alice.user).update(expires=timezone.now() - timedelta(seconds=1))
    assert refusal(cast.alice.bearer).status == 401


def test_revoked_token_is_unauthorized_from_the_next_request_on(cast: Cast) -> None:
    sign_in(cast.alice.bearer)
    AccessToken.objects.get(user=cast.alice.user).revoke()
    assert refusal(cast.alice.bearer).status == 401


def test_token_of_an_inactive_user_is_unauthorized(cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.user.pk).update(is_active=False)
    assert refusal(cast.alice.bearer).status == 401


@pytest.mark.rfc("8707", "2")
@pytest.mark.parametrize(
    ("resource", "is_good"),
    [
        (["{ours}"], True),
        (["{ours}/jmap/"], True),
        (["https://elsewhere.example/", "{ours}/"], True),
        (["https://elsewhere.example/"], False),
        (["{ours}.elsewhere.example/"], False),
    ],
)
def test_token_for_another_resource_is_unauthorized(cast: Cast, resource: list[str], is_good: bool) -> None:
    names = [name.replace("{ours}", settings.PUBLIC_URL) for name in resource]
    AccessToken.objects.filter(user=cast.alice.user).update(resource=names)
    if is_good:
        assert sign_in(cast.alice.bearer).user_id == cast.alice.user.pk
    else:
        assert refusal(cast.alice.bearer).status == 401


@pytest.mark.parametrize("header", ["bearer", "basic"])
def test_suspended_user_is_forbidden_until_resumed(cast: Cast, header: str) -> None:
    authorization = getattr(cast.alice, header)
    sign_in(authorization)
    provisioning.set_user_suspended(cast.alice.user, True)
    error = refusal(authorization)
    provisioning.set_user_suspended(cast.alice.user, False)
    assert error.problem() == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "This user is suspended.",
    }
    assert error.headers == {}
    assert sign_in(authorization).user_id == cast.alice.user.pk


@pytest.mark.parametrize("header", ["bearer", "basic"])
def test_suspended_tenant_is_forbidden(cast: Cast, header: str) -> None:
    provisioning.set_tenant_suspended(cast.north, True)
    error = refusal(getattr(cast.alice, header))
    assert (error.status, error.detail) == (403, "This organisation is suspended.")
    assert sign_in(getattr(cast.charlie, header)).user_id == cast.charlie.user.pk


def test_operator_has_no_account(database: None) -> None:
    operator = User.objects.create_superuser(f"{secrets.token_hex(8)}@operators.example", None)
    _, secret = create_access_token(operator)
    error = refusal(f"Bearer {secret}")
    assert (error.status, error.detail) == (403, "This user has no mail account.")


def test_app_password_opens_everything(cast: Cast) -> None:
    password = AppPassword.objects.get(user=cast.alice.user)
    caller = sign_in(cast.alice.basic)
    assert (caller.user_id, caller.credential, caller.scopes) == (
        cast.alice.user.pk,
        f"password:{password.pk}",
        ALL_SCOPES,
    )


def test_app_password_costs_no_slow_hash(cast: Cast) -> None:
    before = Argon2id.computed
    sign_in(cast.alice.basic)
    assert Argon2id.computed == before


def test_app_password_opens_only_with_its_users_address(cast: Cast) -> None:
    assert refusal(basic(cast.bob.address, cast.alice.app_password)).status == 401


def test_revoked_app_password_is_unauthorized(cast: Cast) -> None:
    AppPassword.objects.filter(user=cast.alice.user).delete()
    assert refusal(cast.alice.basic).status == 401


def test_use_of_an_app_password_is_noted_once_a_day(cast: Cast) -> None:
    sign_in(cast.alice.basic)
    first = AppPassword.objects.get(user=cast.alice.user).last_used
    sign_in(cast.alice.basic)
    second = AppPassword.objects.get(user=cast.alice.user).last_used
    AppPassword.objects.filter(user=cast.alice.user).update(last_used=timezone.now() - timedelta(hours=25))
    sign_in(cast.alice.basic)
    third = AppPassword.objects.get(user=cast.alice.user).last_used
    assert first is not None
    assert first == second
    assert third is not None
    assert third > first


def test_account_password_opens_everything(cast: Cast) -> None:
    give_password(cast.alice.user)
    caller = sign_in(basic(cast.alice.address, PASSWORD))
    assert (caller.user_id, caller.credential, caller.scopes) == (
        cast.alice.user.pk,
        f"user:{cast.alice.user.pk}",
        ALL_SCOPES,
    )


@pytest.mark.rfc("7617", "2.1")
def test_password_may_have_colons_and_any_letter(cast: Cast) -> None:
    provisioning.set_password(cast.alice.user, "pass:wörd")
    assert sign_in(basic(cast.alice.address.upper(), "pass:wörd")).user_id == cast.alice.user.pk


def test_checked_password_is_not_hashed_again(cast: Cast) -> None:
    give_password(cast.alice.user)
    authorization = basic(cast.alice.address, PASSWORD)
    sign_in(authorization)
    before = Argon2id.computed
    sign_in(authorization)
    assert Argon2id.computed == before


def test_requests_at_once_are_one_attempt(cast: Cast) -> None:
    give_password(cast.alice.user)
    authorization, client = basic(cast.alice.address, PASSWORD), new_client()
    before = Argon2id.computed
    with ThreadPoolExecutor(20) as pool:
        callers = list(pool.map(lambda _: sign_in(authorization, client), range(20)))
    assert {caller.user_id for caller in callers} == {cast.alice.user.pk}
    assert Argon2id.computed == before + 1


def test_change_of_the_password_ends_what_was_remembered(cast: Cast) -> None:
    give_password(cast.alice.user)
    authorization = basic(cast.alice.address, PASSWORD)
    sign_in(authorization)
    provisioning.set_password(cast.alice.user, "another password")
    assert refusal(authorization).status == 401


def test_remembered_password_of_a_suspended_user_is_forbidden(cast: Cast) -> None:
    give_password(cast.alice.user)
    authorization = basic(cast.alice.address, PASSWORD)
    sign_in(authorization)
    provisioning.set_user_suspended(cast.alice.user, True)
    assert refusal(authorization).status == 403


def test_wrong_password_of_a_suspended_user_tells_nothing(cast: Cast) -> None:
    give_password(cast.alice.user)
    provisioning.set_user_suspended(cast.alice.user, True)
    assert refusal(basic(cast.alice.address, "wrong")).status == 401


@pytest.mark.parametrize("who", ["user", "tenant", "second factor"])
def test_account_password_can_be_forbidden(cast: Cast, who: str) -> None:
    give_password(cast.alice.user)
    authorization = basic(cast.alice.address, PASSWORD)
    sign_in(authorization)
    match who:
        case "user":
            User.objects.filter(pk=cast.alice.user.pk).update(may_use_account_password=False)
        case "tenant":
            cast.north.allow_account_password = False
            cast.north.save()
        case "second factor":
            User.objects.filter(pk=cast.alice.user.pk).update(has_second_factor=True)
    assert refusal(authorization).status == 401
    assert sign_in(cast.alice.basic).user_id == cast.alice.user.pk


def unknown_address(cast: Cast) -> str:
    """An address that nobody has."""
    return f"nobody@{cast.north_domain.name}"


def test_unknown_user_gets_the_answer_to_a_wrong_password_after_the_same_work(cast: Cast) -> None:
    give_password(cast.alice.user)
    answers = []
    for address in (cast.alice.address, unknown_address(cast), "no address at all", cast.bob.address):
        before = Argon2id.computed
        error = refusal(basic(address, "wrong"))
        answers.append((Argon2id.computed - before, error.status, error.problem(), error.headers))
    detail = "Wrong address or password."
    problem = {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": detail}
    assert answers == [(1, 401, problem, {"WWW-Authenticate": BOTH})] * 4


@pytest.mark.parametrize("is_known", [True, False])
def test_failed_attempts_run_out(cast: Cast, is_known: bool) -> None:
    client, address = new_client(), cast.alice.address if is_known else unknown_address(cast)
    statuses = [refusal(basic(address, "wrong"), client).status for _ in range(11)]
    error = refusal(basic(address, "wrong"), client)
    assert statuses == [401] * 10 + [429]
    assert (error.status, error.title) == (429, "Too Many Requests")
    assert 890 < int(error.headers["Retry-After"]) <= 900


def test_refused_attempt_costs_no_slow_hash(cast: Cast) -> None:
    client = new_client()
    for _ in range(10):
        refusal(basic(cast.alice.address, "wrong"), client)
    before = Argon2id.computed
    assert refusal(basic(cast.alice.address, "wrong"), client).status == 429
    assert Argon2id.computed == before


def test_failures_lock_nobody_out(cast: Cast) -> None:
    give_password(cast.alice.user)
    attacker, owner = new_client(), new_client()
    sign_in(basic(cast.bob.address, cast.bob.app_password), attacker)
    for _ in range(11):
        refusal(basic(cast.alice.address, "wrong"), attacker)
    signed_in = [
        sign_in(basic(cast.alice.address, PASSWORD), owner),
        sign_in(cast.alice.basic, attacker),
        sign_in(cast.alice.bearer, attacker),
        # Remembered since the first of these, so that it needs no attempt.
        sign_in(basic(cast.alice.address, PASSWORD), attacker),
    ]
    assert {caller.user_id for caller in signed_in} == {cast.alice.user.pk}


@pytest.mark.parametrize("authorization", [None, "", "  "])
def test_request_without_credentials_is_asked_for_them(database: None, authorization: str | None) -> None:
    error = refusal(authorization)
    assert (error.status, error.headers) == (401, {"WWW-Authenticate": BOTH})


@pytest.mark.parametrize(
    "authorization",
    [
        *("Digest x", "Basic", "Basic !!!", "Basic YQ", "Basic YWJj", "Basic //79", "Bearerxxxxxxxxx"),
        "Basic " + "QQ" * 4_000,
    ],
)
def test_malformed_credentials_are_unauthorized(database: None, authorization: str) -> None:
    error = refusal(authorization)
    assert (error.status, error.headers) == (401, {"WWW-Authenticate": BOTH})


def test_authentication_leaves_no_setting_and_no_transaction_behind(cast: Cast) -> None:
    with connection() as lent:
        authenticate(cast.alice.bearer, new_client(), lambda: nullcontext(lent))
        row = lent.execute("SELECT nullif(current_setting('jmap.account', true), '')").fetchone()
        assert (row, lent.info.transaction_status) == ((None,), TransactionStatus.IDLE)


def test_gate_goes_from_row_to_row_by_index(cast: Cast) -> None:
    with connection() as lent, lent.transaction():
        # Whatever the statistics say: even with nested loops priced out, there is no other way.
        lent.execute("SET LOCAL enable_nestloop = off")
        lent.execute("SET LOCAL enable_seqscan = off")
        plans = [
            lent.execute("EXPLAIN " + gate.TOKEN_GATE, ("0" * 64,)).fetchall(),
            lent.execute("EXPLAIN " + gate.ADDRESS_GATE, ("0" * 64, cast.alice.address)).fetchall(),
        ]
    assert [name for name in ("Seq Scan", "Merge", "Hash") if name in str(plans)] == []
