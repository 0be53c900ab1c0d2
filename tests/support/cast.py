"""The cast of the tests: a fresh set of people for every test that asks, in tenants and domains of their own.

North: Alice; Bob, who may read and write Alice's account; Dora, who may only read it. South: Charlie, to whom
nothing of North may ever show. Nothing is cleaned up, for nobody else meets them.

Alice is there from the start; the others appear, committed, when a test first names them, for most tests need
one or two of the four.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from functools import cached_property

from accounts.access import ALL_SCOPES
from accounts.credentials import create_access_token, create_app_password
from accounts.models import Account, Domain, Tenant, User
from accounts.provisioning import add_domain, create_tenant, create_user, grant_access


@dataclass(frozen=True)
class Person:
    """One of the cast, with credentials that work. `password` is the account password, None without one."""

    address: str
    password: str | None
    app_password: str
    token: str
    user: User
    account: Account

    @property
    def bearer(self) -> str:
        """The Authorization header with the access token."""
        return f"Bearer {self.token}"

    @property
    def basic(self) -> str:
        """The Authorization header with the app password."""
        return basic(self.address, self.app_password)

    @property
    def account_id(self) -> str:
        """The account's id on the wire."""
        return f"a{self.account.pk}"


class Cast:
    """Everybody. `north_domain` is Alice's, Bob's and Dora's, `south_domain` Charlie's."""

    def __init__(self) -> None:
        self.north, self.north_domain = make_tenant("North")
        self.alice = make_person(self.north_domain, "Alice")

    @cached_property
    def south_domain(self) -> Domain:
        """The domain of South."""
        return make_tenant("South")[1]

    @property
    def south(self) -> Tenant:
        """The tenant that must see nothing of North."""
        return self.south_domain.tenant

    @cached_property
    def bob(self) -> Person:
        """Who may read and write Alice's account."""
        bob = make_person(self.north_domain, "Bob")
        grant_access(self.alice.account, bob.user)
        return bob

    @cached_property
    def dora(self) -> Person:
        """Who may only read Alice's account."""
        dora = make_person(self.north_domain, "Dora")
        grant_access(self.alice.account, dora.user, is_read_only=True)
        return dora

    @cached_property
    def charlie(self) -> Person:
        """A stranger, of another tenant."""
        return make_person(self.south_domain, "Charlie")


def basic(username: str, password: str) -> str:
    """The Authorization header of a user name and a password (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def make_person(domain: Domain, name: str, *, password: str | None = None) -> Person:
    """A new user `name`@`domain` with all scopes. Only a `password` costs a slow hash."""
    user = create_user(f"{name.lower()}@{domain.name}", name=name, password=password)
    _, app_password = create_app_password(user, "test")
    _, token = create_access_token(user, scopes=sorted(ALL_SCOPES))
    return Person(user.address, password, app_password, token, user, user.account)


def make_tenant(name: str) -> tuple[Tenant, Domain]:
    """A new tenant with a domain that no other test has."""
    mark = secrets.token_hex(8)
    tenant = create_tenant(f"{name} {mark}")
    return tenant, add_domain(tenant, f"{name.lower()}-{mark}.example")


def make_cast() -> Cast:
    """A fresh cast."""
    return Cast()
