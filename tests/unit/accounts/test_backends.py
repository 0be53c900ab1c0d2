"""Signing in to pages."""

from __future__ import annotations

import secrets

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import Client, RequestFactory

from accounts import provisioning
from accounts.backends import AddressBackend
from accounts.models import User
from accounts.passwords import Argon2id
from tests.support.cast import Cast

PASSWORD = "correct horse battery staple"


@pytest.fixture
def request_of_somebody() -> HttpRequest:
    """A request from a client that no other test has."""
    client = f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"
    return RequestFactory().get("/", REMOTE_ADDR=client)


def test_address_in_any_case_signs_in(cast: Cast, request_of_somebody: HttpRequest) -> None:
    provisioning.set_password(cast.alice.user, PASSWORD)
    user = authenticate(request_of_somebody, username=cast.alice.address.upper(), password=PASSWORD)
    assert user == cast.alice.user


def test_suspended_do_not_sign_in(cast: Cast, request_of_somebody: HttpRequest) -> None:
    provisioning.set_password(cast.alice.user, PASSWORD)
    provisioning.set_tenant_suspended(cast.north, True)
    assert authenticate(request_of_somebody, username=cast.alice.address, password=PASSWORD) is None


@pytest.mark.parametrize("name", ["alice", "nobody", "bob"])
def test_wrong_password_and_unknown_user_cost_the_same(
    cast: Cast, request_of_somebody: HttpRequest, name: str
) -> None:
    provisioning.set_password(cast.alice.user, PASSWORD)
    before = Argon2id.computed
    address = f"{name}@{cast.north_domain.name}"
    user = AddressBackend().authenticate(request_of_somebody, username=address, password="wrong")
    assert (user, Argon2id.computed - before) == (None, 1)


def test_failures_run_out(cast: Cast, request_of_somebody: HttpRequest) -> None:
    backend = AddressBackend()
    for _ in range(10):
        backend.authenticate(request_of_somebody, username=cast.alice.address, password="wrong")
    with pytest.raises(PermissionDenied):
        backend.authenticate(request_of_somebody, username=cast.alice.address, password="wrong")


def test_suspension_ends_a_session(database: None) -> None:
    operator = User.objects.create_superuser(f"{secrets.token_hex(8)}@operators.example", None)
    client = Client()
    client.force_login(operator)
    before = client.get("/admin/").status_code
    provisioning.set_user_suspended(operator, True)
    assert (before, client.get("/admin/").status_code) == (200, 302)
