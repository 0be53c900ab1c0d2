"""The gate: one prepared query that turns a credential into its user and the accounts open to them.

No ORM here: this runs before every request. Revocation, expiry and suspension take effect at once, for
nothing is cached. It touches the tables of accounts alone and sets nothing in the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg

from accounts.access import AccountAccess, Caller

# The last columns of each gate: the grants, as parallel arrays in the order of the account ids. Accounts
# whose owner or tenant is suspended or gone are closed to everybody.
_GRANTS = """
LEFT JOIN LATERAL (
    SELECT array_agg(open.id) AS ids, array_agg(open.name) AS names,
           array_agg(open.is_read_only) AS read_only, array_agg(open.may_send_as) AS send_as
    FROM (
        SELECT shared.id, shared.name, given.is_read_only, given.may_send_as
        FROM accounts_grant given
        JOIN accounts_account shared ON shared.id = given.account_id
        JOIN accounts_user owner ON owner.id = shared.owner_id
        JOIN accounts_tenant host ON host.id = shared.tenant_id
        WHERE given.user_id = person.id AND owner.is_active AND NOT owner.is_suspended AND NOT host.is_suspended
        ORDER BY shared.id
    ) open
) granted ON true
"""

_PERSON = """person.id, person.tenant_id, person.address, person.is_suspended,
       coalesce(tenant.is_suspended, false), personal.id,
       granted.ids, granted.names, granted.read_only, granted.send_as"""

_TOKEN = f"""
SELECT {_PERSON}, token.id, token.scope, nullif(token.resource, '[]')
FROM accounts_accesstoken token
JOIN accounts_user person ON person.id = token.user_id
LEFT JOIN accounts_tenant tenant ON tenant.id = person.tenant_id
LEFT JOIN accounts_account personal ON personal.owner_id = person.id
{_GRANTS}
WHERE token.token_checksum = %s AND token.expires > statement_timestamp() AND person.is_active
"""

_ADDRESS = f"""
SELECT {_PERSON}, secret.id,
       secret.last_used IS NULL OR secret.last_used < statement_timestamp() - interval '1 day',
       CASE WHEN person.may_use_account_password AND NOT person.has_second_factor
                 AND coalesce(tenant.allow_account_password, true) THEN person.password END
FROM accounts_user person
LEFT JOIN accounts_apppassword secret ON secret.user_id = person.id AND secret.secret_checksum = %s
LEFT JOIN accounts_tenant tenant ON tenant.id = person.tenant_id
LEFT JOIN accounts_account personal ON personal.owner_id = person.id
{_GRANTS}
WHERE person.address = %s AND person.is_active
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody active that the gate found, whether let in or not."""

    user_id: int
    tenant_id: int | None
    address: str
    is_suspended: bool
    is_tenant_suspended: bool
    account_id: int | None
    granted: tuple[AccountAccess, ...]

    def caller(self, credential: str, scopes: frozenset[str]) -> Caller:
        """The caller this person is with a credential. Only for those that have an account."""
        assert self.tenant_id is not None and self.account_id is not None
        personal = AccountAccess(self.account_id, self.user_id, self.address, True, False, True)
        return Caller(
            self.user_id, self.tenant_id, self.address, credential, scopes, (personal, *self.granted)
        )


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """What the gate knows of a valid access token. `resource` is None where it is good for any (RFC 8707)."""

    person: Person
    token_id: int
    scopes: frozenset[str]
    resource: list[str] | None


@dataclass(frozen=True, slots=True)
class AddressHolder:
    """What the gate knows of an address, and of the app password tried with it.

    `app_password_id` is None where it is none of the user's. `password_hash` is None where the account
    password does not open mail: forbidden to the user or by the tenant, or a second factor is on.
    """

    person: Person
    app_password_id: int | None
    is_use_unrecorded: bool
    password_hash: str | None


@lru_cache(maxsize=1024)
def _scopes(scope: str) -> frozenset[str]:
    return frozenset(scope.split())


def _person(row: Sequence[Any]) -> Person:
    user_id, tenant_id, address, is_suspended, is_tenant_suspended, account_id = row[:6]
    ids, names, read_only, send_as = row[6:10]
    granted: tuple[AccountAccess, ...] = ()
    if ids:
        granted = tuple(
            AccountAccess(shared_id, user_id, name, False, is_read_only, may_send)
            for shared_id, name, is_read_only, may_send in zip(ids, names, read_only, send_as, strict=True)
        )
    return Person(user_id, tenant_id, address, is_suspended, is_tenant_suspended, account_id, granted)


def token_holder(connection: psycopg.Connection[Any], token_checksum: str) -> TokenHolder | None:
    """Who holds the access token with this sha256 (hex); None for unknown, revoked and expired ones."""
    row = connection.execute(_TOKEN, (token_checksum,), prepare=True, binary=True).fetchone()
    if row is None:
        return None
    return TokenHolder(_person(row), row[10], _scopes(row[11]), row[12])


def address_holder(
    connection: psycopg.Connection[Any], address: str, secret_checksum: str
) -> AddressHolder | None:
    """Who has this normalised login address, and whether the secret with this sha256 is one of their app passwords."""
    row = connection.execute(_ADDRESS, (secret_checksum, address), prepare=True, binary=True).fetchone()
    if row is None:
        return None
    return AddressHolder(_person(row), row[10], row[11], row[12])


def record_use(connection: psycopg.Connection[Any], app_password_id: int) -> None:
    """Note that an app password was used, which the gate asks for once a day."""
    connection.execute(
        "UPDATE accounts_apppassword SET last_used = statement_timestamp() WHERE id = %s", (app_password_id,)
    )
