"""The management commands: what they make, what they print where, and how they refuse."""

from __future__ import annotations

import secrets
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.access import CALENDARS_SCOPE, MAIL_SCOPE
from accounts.addresses import resolve
from accounts.authentication import authenticate
from accounts.models import AccessToken, Domain, Grant, Tenant, User
from jmapcore.store.database import connection
from tests.support.cast import Cast, basic


def run(*arguments: str) -> tuple[str, str]:
    """What a command prints to standard output and to standard error."""
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue().strip()


def refusal(*arguments: str) -> str:
    """The sentence with which a command fails."""
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return str(caught.value)


def opens(authorization: str) -> str:
    """Whom an Authorization header signs in."""
    return authenticate(authorization, f"2001:db8:{secrets.randbelow(65536):x}::1", connection).username


def test_create_tenant(database: None) -> None:
    mark = secrets.token_hex(6)
    printed = run(
        "create_tenant", f"Tenant {mark}", "--domain", f"{mark}.example", "--domain", f"{mark}.test"
    )
    names = list(Domain.objects.filter(tenant__name=f"Tenant {mark}").values_list("name", flat=True))
    assert names == [f"{mark}.example", f"{mark}.test"]
    assert printed == ("", f"Created the tenant Tenant {mark} with {mark}.example, {mark}.test.")


def test_create_tenant_is_all_or_nothing(cast: Cast) -> None:
    mark = secrets.token_hex(6)
    arguments = ("--domain", f"{mark}.example", "--domain", cast.north_domain.name)
    assert refusal("create_tenant", mark, *arguments) == f"The domain {cast.north_domain.name} is taken."
    assert not Tenant.objects.filter(name=mark).exists()


def test_create_user_prints_the_password_it_made_up(cast: Cast) -> None:
    address = f"eve@{cast.north_domain.name}"
    out, _ = run("create_user", address, "--name", "Eve")
    assert opens(basic(address, out)) == address
    assert User.objects.get(address=address).name == "Eve"


def test_create_user_prints_no_password_it_was_given(cast: Cast) -> None:
    address = f"eve@{cast.north_domain.name}"
    out, err = run("create_user", address, "--password", "pw")
    assert (out, err) == ("", f"Created the user {address}.")
    assert opens(basic(address, "pw")) == address


def test_create_user_refuses_with_a_sentence(cast: Cast) -> None:
    assert refusal("create_user", cast.alice.address) == f"The address {cast.alice.address} is taken."


@pytest.mark.parametrize(
    ("option", "rights"),
    [([], (False, False)), (["--read-only"], (True, False)), (["--send-as"], (False, True))],
)
def test_grant_access(cast: Cast, option: list[str], rights: tuple[bool, bool]) -> None:
    run("grant_access", cast.bob.address, "--to", cast.dora.address, *option)
    grant = Grant.objects.get(account=cast.bob.account)
    assert (grant.user, (grant.is_read_only, grant.may_send_as)) == (cast.dora.user, rights)


def test_revoke_access(cast: Cast) -> None:
    run("revoke_access", cast.alice.address, "--from", cast.bob.address)
    assert list(Grant.objects.filter(user=cast.bob.user)) == []


def test_create_app_password_prints_the_secret_alone(cast: Cast) -> None:
    out, _ = run("create_app_password", cast.alice.address, "--label", "phone")
    assert opens(basic(cast.alice.address, out)) == cast.alice.address


def test_create_access_token_prints_the_secret_alone(cast: Cast) -> None:
    out, _ = run("create_access_token", cast.alice.address)
    assert opens(f"Bearer {out}") == cast.alice.address
    assert AccessToken.objects.filter(user=cast.alice.user).latest("id").scope == MAIL_SCOPE


def test_create_access_token_knows_short_scopes(cast: Cast) -> None:
    run("create_access_token", cast.alice.address, "--scope", "mail", "--scope", CALENDARS_SCOPE)
    token = AccessToken.objects.filter(user=cast.alice.user).latest("id")
    assert token.scope == f"{MAIL_SCOPE} {CALENDARS_SCOPE}"


@pytest.mark.parametrize("days", ["0", "-1", "99999999999"])
def test_create_access_token_refuses_odd_lifetimes(cast: Cast, days: str) -> None:
    assert refusal("create_access_token", cast.alice.address, f"--days={days}").startswith("--days is")


def test_create_access_token_refuses_unknown_scopes(cast: Cast) -> None:
    sentence = refusal("create_access_token", cast.alice.address, "--scope", "everything")
    assert sentence.startswith("Unknown scope 'everything'. Known: ")


def test_suspend_and_resume(cast: Cast) -> None:
    states = []
    for command in ("suspend", "resume"):
        run(command, "--user", cast.alice.address)
        run(command, "--tenant", cast.south.name.upper())
        cast.alice.user.refresh_from_db()
        cast.south.refresh_from_db()
        states.append((cast.alice.user.is_suspended, cast.south.is_suspended))
    assert states == [(True, True), (False, False)]


def test_domain_alias_and_catch_all(cast: Cast) -> None:
    domain = f"{secrets.token_hex(6)}.example"
    run("add_domain", cast.north.name, domain)
    run("add_alias", f"sales@{domain}", "--to", cast.alice.address)
    run("set_catch_all", domain, "--to", cast.bob.address)
    first = (resolve(f"sales@{domain}"), resolve(f"x@{domain}"))
    run("remove_alias", f"sales@{domain}")
    run("set_catch_all", domain, "--nobody")
    assert first == (cast.alice.account, cast.bob.account)
    assert (resolve(f"sales@{domain}"), resolve(f"x@{domain}")) == (None, None)


def test_set_password(cast: Cast) -> None:
    out, _ = run("set_password", cast.alice.address)
    assert opens(basic(cast.alice.address, out)) == cast.alice.address


def test_createsuperuser_makes_an_operator(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    name = secrets.token_hex(6)
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough password")
    run("createsuperuser", "--noinput", "--address", f"{name}@Operators.example")
    operator = User.objects.get(address=f"{name}@operators.example")
    assert (operator.is_superuser, operator.is_staff, operator.tenant) == (True, True, None)
    assert operator.check_password("a long enough password")


def test_delete_user_wants_to_be_sure(cast: Cast) -> None:
    sentence = refusal("delete_user", cast.alice.address)
    kept = User.objects.filter(pk=cast.alice.user.pk).exists()
    run("delete_user", cast.alice.address, "--yes")
    assert "--yes" in sentence
    assert (kept, User.objects.filter(pk=cast.alice.user.pk).exists()) == (True, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("grant_access", "{nobody}", "--to", "{alice}"),
        ("create_app_password", "{nobody}", "--label", "x"),
        ("create_access_token", "{nobody}"),
        ("suspend", "--user", "{nobody}"),
        ("set_password", "{nobody}"),
    ],
)
def test_unknown_user_is_a_sentence(cast: Cast, arguments: tuple[str, ...]) -> None:
    names = {"{nobody}": f"nobody@{cast.north_domain.name}", "{alice}": cast.alice.address}
    sentence = refusal(*(names.get(argument, argument) for argument in arguments))
    assert sentence == f"There is no user {names['{nobody}']}."


def test_set_search_languages(cast: Cast) -> None:
    account = cast.alice.account
    _, said = run("set_search_languages", cast.alice.address, "German", "english", "german")
    account.refresh_from_db()
    assert (account.search_languages, account.index_due_since is not None) == ("german english", True)
    assert said == f"Searches of {account.name} know german english now."
    _, said = run("set_search_languages", cast.alice.address)
    account.refresh_from_db()
    assert account.search_languages == ""
    assert said == f"Searches of {account.name} know the languages of the server now."


def test_set_search_languages_that_nobody_knows(cast: Cast) -> None:
    assert refusal("set_search_languages", cast.alice.address, "klingon").startswith("'klingon' is none of ")
    many = "arabic armenian basque catalan danish dutch english estonian finnish"
    assert (
        refusal("set_search_languages", cast.alice.address, *many.split())
        == "An account can have 8 languages."
    )
    cast.alice.account.refresh_from_db()
    assert cast.alice.account.search_languages == ""
