"""The gate: one prepared query that turns a credential into its user and the accounts open to them.

No ORM here: this runs before every request. Revocation, expiry and suspension take effect at once, for
nothing is cached. It touches the tables of accounts alone and sets nothing in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg

from accounts.access import AccountAccess, Caller

Row = tuple[Any, ...]

# One row for each account granted, or one row without any: cheaper than arrays, which take an aggregate and
# a sort. A granted account is open only while its owner may sign in, and never across tenants.
#
# Each look-up is a lateral subquery behind OFFSET 0, which the planner does not flatten: it can only go from
# row to row by index. Left free, it has chosen merge joins over all users, when the statistics of a young
# database said that tokens belong to the first of them.
PERSON_COLUMNS = """person.id, person.tenant_id, person.address, person.is_suspended, tenant.is_suspended,
       personal.id, granted.id, granted.name, granted.is_read_only, granted.may_send_as,
       personal.search_languages, granted.search_languages"""
PERSON_WIDTH = 12
"""How many columns these are."""

PERSON_ACCOUNTS = """LEFT JOIN LATERAL (
    SELECT is_suspended, allow_account_password FROM accounts_tenant WHERE id = person.tenant_id OFFSET 0
) tenant ON true
LEFT JOIN LATERAL (
    SELECT id, search_languages FROM accounts_account WHERE owner_id = person.id OFFSET 0
) personal ON true
LEFT JOIN LATERAL (
    SELECT shared.id, shared.name, given.is_read_only, given.may_send_as, shared.search_languages
    FROM accounts_grant given
    CROSS JOIN LATERAL (
        SELECT id, name, owner_id, tenant_id, search_languages FROM accounts_account WHERE id = given.account_id OFFSET 0
    ) shared
    CROSS JOIN LATERAL (
        SELECT FROM accounts_user WHERE id = shared.owner_id AND is_active AND NOT is_suspended OFFSET 0
    ) owner
    WHERE given.user_id = person.id AND shared.tenant_id = person.tenant_id OFFSET 0
) granted ON true"""

TOKEN_GATE = f"""
SELECT {PERSON_COLUMNS}, token.id, token.scope, nullif(token.resource, '[]')
FROM accounts_accesstoken token
CROSS JOIN LATERAL (
    SELECT id, tenant_id, address, is_suspended FROM accounts_user
    WHERE id = token.user_id AND is_active OFFSET 0
) person
{PERSON_ACCOUNTS}
WHERE token.token_checksum = %s AND token.expires > statement_timestamp()
"""  # noqa: S608 - constants alone

ADDRESS_GATE = f"""
SELECT {PERSON_COLUMNS}, secret.id,
       secret.last_used IS NULL OR secret.last_used < statement_timestamp() - interval '1 day',
       CASE WHEN person.may_use_account_password AND NOT person.has_second_factor
                 AND tenant.allow_account_password THEN person.password END
FROM accounts_user person
LEFT JOIN LATERAL (
    SELECT id, last_used FROM accounts_apppassword
    WHERE secret_checksum = %s AND user_id = person.id OFFSET 0
) secret ON true
{PERSON_ACCOUNTS}
WHERE person.address = %s AND person.is_active
"""  # noqa: S608 - constants alone

_RECORD_USE = "UPDATE accounts_apppassword SET last_used = statement_timestamp() WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody active that the gate found, whether let in or not."""

    user_id: int
    tenant_id: int | None
    address: str
    is_suspended: bool
    is_tenant_suspended: bool
    account_id: int | None
    search_languages: str
    """Those of the personal account."""
    granted: tuple[AccountAccess, ...]

    def caller(self, credential: str, scopes: frozenset[str]) -> Caller:
        """The caller this person is with a credential. Only for those that have an account."""
        assert self.tenant_id is not None
        assert self.account_id is not None
        personal = AccountAccess(
            self.account_id, self.user_id, self.address, True, False, True, self.search_languages
        )
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
    rows: list[Row]
    """What the query gave."""


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
    rows: list[Row]
    """What the query gave."""


@lru_cache(maxsize=1024)
def scopes_of(scope: str) -> frozenset[str]:
    """The scopes of a token, from the column that holds them."""
    return frozenset(scope.split())


def person_of(rows: list[Row]) -> Person:
    """The person in rows that begin with `PERSON_COLUMNS`, at least one."""
    user_id, tenant_id, address, is_suspended, is_tenant_suspended, account_id, first_shared = rows[0][:7]
    granted: tuple[AccountAccess, ...] = ()
    if first_shared is not None:
        granted = tuple(
            sorted(
                (AccountAccess(row[6], user_id, row[7], False, row[8], row[9], row[11]) for row in rows),
                key=lambda access: access.account_id,
            )
        )
    return Person(
        user_id,
        tenant_id,
        address,
        is_suspended,
        bool(is_tenant_suspended),
        account_id,
        rows[0][10] or "",
        granted,
    )


def token_holder(connection: psycopg.Connection[Row], token_checksum: str) -> TokenHolder | None:
    """Who holds the access token with this sha256 (hex); None for unknown, revoked and expired ones."""
    rows = connection.execute(TOKEN_GATE, (token_checksum,), prepare=True, binary=True).fetchall()
    if not rows:
        return None
    token_id, scope, resource = rows[0][PERSON_WIDTH:]
    return TokenHolder(person_of(rows), token_id, scopes_of(scope), resource, rows)


def address_holder(
    connection: psycopg.Connection[Row], address: str, secret_checksum: str
) -> AddressHolder | None:
    """Who has this normalised login address, and whether the secret with this sha256 is an app password."""
    rows = connection.execute(ADDRESS_GATE, (secret_checksum, address), prepare=True, binary=True).fetchall()
    if not rows:
        return None
    app_password_id, is_use_unrecorded, password_hash = rows[0][PERSON_WIDTH:]
    return AddressHolder(person_of(rows), app_password_id, is_use_unrecorded, password_hash, rows)


def record_use(connection: psycopg.Connection[Row], app_password_id: int) -> None:
    """Note that an app password was used, which `AddressHolder` asks for once a day."""
    connection.execute(_RECORD_USE, (app_password_id,), prepare=True)
