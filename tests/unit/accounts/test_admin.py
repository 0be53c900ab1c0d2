"""The administration site: for superusers, through provisioning, and by index."""

from __future__ import annotations

import re
import secrets

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model, QuerySet
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin.site import BoundedPaginator
from accounts.authentication import authenticate
from accounts.models import AccessToken, Account, Alias, AppPassword, Domain, Grant, Tenant, User
from jmapcore.store.database import connection as borrow
from tests.support.cast import Cast, basic


@pytest.fixture
def operator(database: None) -> Client:
    """A browser in which a superuser is signed in."""
    user = User.objects.create_superuser(f"{secrets.token_hex(8)}@operators.example", None)
    client = Client()
    client.force_login(user)
    return client


def page(model: type[Model], name: str, *arguments: object) -> str:
    """The URL of a page of a model."""
    return reverse(f"admin:accounts_{model._meta.model_name}_{name}", args=arguments)


def inlines(count: int = 0) -> dict[str, str]:
    """The management form of an inline table without rows."""
    return {"app_passwords-TOTAL_FORMS": str(count), "app_passwords-INITIAL_FORMS": str(count)}


@pytest.mark.parametrize("model", [m for m in site._registry if m._meta.app_label == "accounts"])
@pytest.mark.parametrize("query", ["", "?q=example"])
def test_every_list_opens(operator: Client, model: type[Model], query: str) -> None:
    assert operator.get(page(model, "changelist") + query).status_code == 200


@pytest.mark.parametrize("model", [Tenant, Domain, User, Alias, Grant, AppPassword])
def test_every_form_to_add_opens(operator: Client, model: type[Model]) -> None:
    assert operator.get(page(model, "add")).status_code == 200


def test_every_page_to_change_opens(operator: Client, cast: Cast) -> None:
    user = cast.alice.user
    rows = [
        cast.north,
        cast.north_domain,
        user,
        cast.alice.account,
        Grant.objects.filter(user=cast.bob.user).get(),
    ]
    rows += [AppPassword.objects.get(user=user), AccessToken.objects.get(user=user)]
    statuses = [operator.get(page(type(row), "change", row.pk)).status_code for row in rows]
    assert statuses == [200] * 7


def test_staff_who_are_no_superusers_see_nothing(cast: Cast) -> None:
    staff = cast.alice.user
    staff.is_staff = True
    staff.save()
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client = Client()
    client.force_login(staff)
    assert client.get(page(User, "changelist")).status_code == 403
    assert b"accounts" not in client.get("/admin/").content


def test_user_is_made_through_provisioning(operator: Client, cast: Cast) -> None:
    data = {
        "address": f"Eve@{cast.north_domain.name}",
        "name": "Eve",
        "new_password": "a long enough password",
    }
    answer = operator.post(page(User, "add"), {**data, "may_use_account_password": "on"})
    user = User.objects.get(address=f"eve@{cast.north_domain.name}")
    assert (answer.status_code, user.tenant) == (302, cast.north)
    assert Account.objects.get(owner=user).name == user.address
    authorization = basic(user.address, "a long enough password")
    assert authenticate(authorization, "192.0.2.1", borrow).user_id == user.pk


@pytest.mark.parametrize(
    ("local_part", "domain", "message"),
    [
        ("alice", "", "is taken"),
        ("eve", "unheard-of.example", "belongs to no tenant"),
        ("e e", "", "is not an e-mail address"),
        ("eve+x", "", "is a detail"),
    ],
)
def test_impossible_address_is_a_message(
    operator: Client, cast: Cast, local_part: str, domain: str, message: str
) -> None:
    address = f"{local_part}@{domain or cast.north_domain.name}"
    answer = operator.post(page(User, "add"), {"address": address, "new_password": ""}, follow=True)
    assert (answer.status_code, message in answer.content.decode()) == (200, True)


def test_user_is_suspended_by_a_box(operator: Client, cast: Cast) -> None:
    data = {"name": "Alice", "is_active": "on", "is_suspended": "on", **inlines()}
    answer = operator.post(page(User, "change", cast.alice.user.pk), data)
    cast.alice.user.refresh_from_db()
    assert (answer.status_code, cast.alice.user.is_suspended) == (302, True)
    assert cast.alice.user.address == cast.alice.address


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        ({"is_active": True, "is_suspended": False}, "active"),
        ({"is_active": True, "is_suspended": True}, "suspended"),
        ({"is_active": False, "is_suspended": True}, "inactive"),
    ],
)
def test_list_of_users_tells_the_status_in_a_word(
    operator: Client, cast: Cast, flags: dict[str, bool], status: str
) -> None:
    User.objects.filter(pk=cast.alice.user.pk).update(**flags)
    answer = operator.get(page(User, "changelist"), {"q": cast.alice.user.address})
    assert f'<td class="field-status">{status}</td>' in answer.content.decode()


def test_page_of_a_user_has_no_groups_or_permissions(operator: Client, cast: Cast) -> None:
    text = operator.get(page(User, "change", cast.alice.user.pk)).content.decode()
    found = [
        name for name in ("user_permissions", 'name="groups"', "auth/group", "icon-no.svg") if name in text
    ]
    assert found == []


@pytest.mark.parametrize(
    ("model", "query", "found"),
    [
        (User, "status=active", True),
        (User, "status=suspended", False),
        (User, "status=inactive", False),
        (User, "operator=yes", False),
        (User, "operator=no", True),
        (User, "status=unheard-of&tenant=x", True),
        (Tenant, "status=active", True),
        (Tenant, "status=suspended", False),
        (Grant, "access=write", True),
        (Grant, "access=read", False),
        (Grant, "access=send", False),
    ],
)
def test_filters_go_by_words(
    operator: Client, cast: Cast, model: type[Model], query: str, found: bool
) -> None:
    rows = {User: cast.alice.address, Tenant: cast.north.name, Grant: cast.bob.address}
    answer = operator.get(f"{page(model, 'changelist')}?q=%22{rows[model]}%22&{query}")
    assert (answer.status_code, f">{rows[model]}<" in answer.content.decode()) == (200, found)


@pytest.mark.parametrize("model", [User, Domain, Account])
def test_page_of_a_tenant_leads_to_what_it_has(operator: Client, cast: Cast, model: type[Model]) -> None:
    url = f"{page(model, 'changelist')}?tenant={cast.north.pk}"
    assert f'href="{url}"' in operator.get(page(Tenant, "change", cast.north.pk)).content.decode()
    lists = operator.get(url).content.decode()
    mine, theirs = {
        User: (cast.alice.address, cast.charlie.address),
        Domain: (cast.north_domain.name, cast.south_domain.name),
        Account: (cast.alice.address, cast.charlie.address),
    }[model]
    assert (mine in lists, theirs in lists, cast.north.name in lists) == (True, False, True)


def test_languages_of_searches_are_set(operator: Client, cast: Cast) -> None:
    url = page(Account, "change", cast.alice.account.pk)
    form = operator.get(url).content.decode()
    none = dict.fromkeys(re.findall(r'name="(\w+-(?:TOTAL|INITIAL)_FORMS)"', form), "0")
    assert operator.post(url, {"search_languages": "german, french", **none}).status_code == 302
    cast.alice.account.refresh_from_db()
    assert cast.alice.account.search_languages == "german french"
    assert cast.alice.account.index_due_since is not None
    answer = operator.post(url, {"search_languages": "klingon", **none}, follow=True)
    assert "is none of" in answer.content.decode()


def test_icon_is_served_and_linked(operator: Client) -> None:
    assert operator.get("/favicon.ico").status_code == 200
    assert 'rel="icon" href="/static/jmapsite/icon.svg"' in operator.get("/admin/").content.decode()


def test_pages_bear_the_name_of_the_service(operator: Client) -> None:
    text = operator.get("/admin/").content.decode()
    assert ("Site administration | jmapsite" in text, "View site" in text) == (True, False)


def test_password_is_changed_on_its_page(operator: Client, cast: Cast) -> None:
    url = reverse("admin:auth_user_password_change", args=[cast.alice.user.pk])
    password = "a long enough password"
    data = {"password1": password, "password2": password, "usable_password": "true"}
    assert (operator.get(url).status_code, operator.post(url, data).status_code) == (200, 302)
    authorization = basic(cast.alice.address, password)
    assert authenticate(authorization, "192.0.2.1", borrow).user_id == cast.alice.user.pk


def test_user_is_deleted_with_tokens_and_account(operator: Client, cast: Cast) -> None:
    answer = operator.post(page(User, "delete", cast.alice.user.pk), {"post": "yes"})
    assert (answer.status_code, Account.objects.filter(pk=cast.alice.account.pk).exists()) == (302, False)


def test_tenant_is_made_with_its_domain(operator: Client) -> None:
    mark = secrets.token_hex(6)
    data = {"name": f"T {mark}", "domain": f"{mark}.Example", "is_suspended": "on"}
    answer = operator.post(page(Tenant, "add"), data)
    tenant = Tenant.objects.get(name=f"T {mark}")
    assert answer.status_code == 302
    assert (tenant.is_suspended, tenant.allow_account_password) == (True, False)
    assert tenant.domains.get().name == f"{mark}.example"


def test_taken_domain_is_a_message(operator: Client, cast: Cast) -> None:
    data = {"name": cast.north_domain.name.upper(), "tenant": str(cast.south.pk)}
    answer = operator.post(page(Domain, "add"), data, follow=True)
    assert (answer.status_code, "is taken" in answer.content.decode()) == (200, True)


def test_alias_is_made_with_its_target(operator: Client, cast: Cast) -> None:
    address = f"sales@{cast.north_domain.name}"
    answer = operator.post(page(Alias, "add"), {"address": address, "account": str(cast.alice.account.pk)})
    assert answer.status_code == 302
    assert Alias.objects.get(address=address).targets.get().account == cast.alice.account


def test_grant_across_tenants_is_a_message(operator: Client, cast: Cast) -> None:
    data = {"account": str(cast.alice.account.pk), "user": str(cast.charlie.user.pk)}
    answer = operator.post(page(Grant, "add"), data, follow=True)
    assert "belong to different tenants" in answer.content.decode()
    assert not Grant.objects.filter(user=cast.charlie.user).exists()


def test_app_password_is_shown_once(operator: Client, cast: Cast) -> None:
    data = {"user": str(cast.alice.user.pk), "label": "phone"}
    first = operator.post(page(AppPassword, "add"), data, follow=True).content.decode()
    found = re.search(r"The app password is ([a-z2-7]{32})", first)
    assert found is not None
    authorization = basic(cast.alice.address, found.group(1))
    assert authenticate(authorization, "192.0.2.1", borrow).user_id == cast.alice.user.pk
    assert found.group(1) not in operator.get(page(AppPassword, "changelist")).content.decode()


def test_list_is_never_counted_to_its_end(operator: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        operator.get(page(User, "changelist"))
    counts = [query["sql"] for query in queries.captured_queries if "COUNT(" in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 10000" in counts[0]


def test_pages_of_a_plain_list_are_all_of_it() -> None:
    assert BoundedPaginator([1, 2, 3], 2).num_pages == 2


@pytest.mark.parametrize(
    ("model", "indexes"),
    [
        (User, {r"accounts_user_address_\w+_like", "user_name_search"}),
        (Account, {r"accounts_account_name_\w+_like"}),
        (Domain, {r"accounts_domain_name_\w+_like"}),
        (Alias, {r"accounts_alias_address_\w+_like"}),
    ],
)
def test_search_uses_an_index(database: None, model: type[Model], indexes: set[str]) -> None:
    request = RequestFactory().get("/")
    found: QuerySet[Model]
    found, _ = site._registry[model].get_search_results(request, model._default_manager.all(), "Smith")
    with connection.cursor() as cursor:
        # A handful of rows is faster read from end to end; what counts is whether the index can answer.
        cursor.execute("BEGIN")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        plan = found.order_by().explain()
        cursor.execute("ROLLBACK")
    assert all(re.search(f"Bitmap Index Scan on {index}", plan) for index in indexes), plan
