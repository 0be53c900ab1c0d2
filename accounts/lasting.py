"""What belongs to a credential for as long as it lasts, beyond the secret of the moment: of OAuth the refresh token and its
successors (RFC 8620 §7.2), an app password, the account password as it is now.

A lasting name is stored beside what belongs to the credential. It says nothing secret.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import psycopg
from oauth2_provider.models import refresh_token_expire_timedelta

from accounts.access import ALL_SCOPES, Caller
from accounts.gate import PERSON_ACCOUNTS, PERSON_COLUMNS, person_of, scopes_of

FAMILY = """
SELECT refresh.token_family, refresh.id
FROM accounts_accesstoken token
JOIN accounts_refreshtoken refresh ON refresh.access_token_id = token.id AND refresh.revoked IS NULL
WHERE token.id = %s
"""
STORED_HASH = "SELECT password FROM accounts_user WHERE id = %s"

# Each gives a row where the credential is good: the scopes of a token, else nothing of interest.
_LIVE_FAMILY = """
    SELECT token.scope FROM accounts_refreshtoken refresh
    JOIN accounts_accesstoken token ON token.id = refresh.access_token_id
    WHERE refresh.token_family = %s AND refresh.user_id = person.id AND refresh.revoked IS NULL
          AND token.expires > statement_timestamp() - %s::interval
    ORDER BY refresh.id DESC LIMIT 1"""
_LIVE_REFRESH = _LIVE_FAMILY.replace("refresh.token_family", "refresh.id")
_LIVE_ACCESS = """
    SELECT token.scope FROM accounts_accesstoken token
    WHERE token.id = %s AND token.user_id = person.id AND token.expires > statement_timestamp() LIMIT 1"""
_LIVE_APP = """
    SELECT '' AS scope FROM accounts_apppassword secret
    WHERE secret.id = %s AND secret.user_id = person.id LIMIT 1"""
_LIVE_ACCOUNT = """
    SELECT owner.password AS scope FROM accounts_user owner JOIN accounts_tenant firm ON firm.id = owner.tenant_id
    WHERE owner.id = %s AND owner.id = person.id AND owner.may_use_account_password
          AND NOT owner.has_second_factor AND firm.allow_account_password LIMIT 1"""


def _standing_query(credential: str) -> str:
    return f"""
SELECT {PERSON_COLUMNS}, credential.scope
FROM accounts_user person
CROSS JOIN LATERAL ({credential}) credential
{PERSON_ACCOUNTS}
WHERE person.id = %s AND person.is_active
"""  # noqa: S608 - constants alone


_QUERIES = {
    "family": _standing_query(_LIVE_FAMILY),
    "refresh": _standing_query(_LIVE_REFRESH),
    "token": _standing_query(_LIVE_ACCESS),
    "password": _standing_query(_LIVE_APP),
    "user": _standing_query(_LIVE_ACCOUNT),
}
_SCOPE = -1
"""The column of the credential, behind those of `PERSON_COLUMNS`."""
_WITHOUT_END = "100 years"


LASTS = """
CASE split_part({owner}, ':', 1)
WHEN 'family' THEN EXISTS (
    SELECT FROM accounts_refreshtoken refresh WHERE refresh.token_family = split_part({owner}, ':', 2)::uuid
        AND refresh.user_id = {user} AND refresh.revoked IS NULL AND refresh.access_token_id IS NOT NULL)
WHEN 'refresh' THEN EXISTS (
    SELECT FROM accounts_refreshtoken refresh WHERE refresh.id = split_part({owner}, ':', 2)::bigint
        AND refresh.user_id = {user} AND refresh.revoked IS NULL AND refresh.access_token_id IS NOT NULL)
WHEN 'token' THEN EXISTS (
    SELECT FROM accounts_accesstoken token WHERE token.id = split_part({owner}, ':', 2)::bigint
        AND token.user_id = {user} AND token.expires > statement_timestamp())
WHEN 'password' THEN EXISTS (
    SELECT FROM accounts_apppassword secret WHERE secret.id = split_part({owner}, ':', 2)::bigint
        AND secret.user_id = {user})
WHEN 'user' THEN EXISTS (
    SELECT FROM accounts_user person JOIN accounts_tenant tenant ON tenant.id = person.tenant_id
    WHERE person.id = {user} AND person.may_use_account_password AND NOT person.has_second_factor
        AND tenant.allow_account_password
        AND left(encode(sha256(convert_to(person.password, 'UTF8')), 'hex'), 16) = split_part({owner}, ':', 3))
END AND EXISTS (SELECT FROM accounts_user person WHERE person.id = {user} AND person.is_active)"""
"""A condition of SQL: the credential of the lasting name in one column, of the user in another, is still there. A refresh token
that has grown too old to be used is noticed by `lasting_standing` alone."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """The lasting name of a credential, and whether it ends by itself some day."""

    name: str
    has_end: bool


@dataclass(frozen=True, slots=True)
class LastingStanding:
    """A credential that is good. `caller` is None while its user or tenant is suspended."""

    caller: Caller | None


def lasting(connection: psycopg.Connection[Any], credential: str) -> Lasting:
    """What lasts of a caller's credential (`Caller.credential`), which has just been found good."""
    kind, _, number = credential.partition(":")
    if kind == "token":
        found = connection.execute(FAMILY, (int(number),), prepare=True, binary=True).fetchone()
        if found is not None:
            family, refresh_id = found
            name = f"family:{family}" if family is not None else f"refresh:{refresh_id}"
            return Lasting(name, refresh_token_expire_timedelta() is not None)
        return Lasting(credential, has_end=True)
    if kind == "user":
        [stored] = connection.execute(STORED_HASH, (int(number),), prepare=True, binary=True).fetchone() or [
            ""
        ]
        return Lasting(f"{credential}:{_proof(stored)}", has_end=False)
    return Lasting(credential, has_end=False)


def lasting_standing(connection: psycopg.Connection[Any], user_id: int, name: str) -> LastingStanding | None:
    """How the credential of a lasting name stands now; None where it is gone, and all that belongs to it with it."""
    kind, _, rest = name.partition(":")
    key: object
    proof = ""
    if kind == "user":
        number, _, proof = rest.partition(":")
        key = int(number)
    else:
        key = rest if kind == "family" else int(rest)
    parameters: list[object] = [key]
    if kind in {"family", "refresh"}:
        age = refresh_token_expire_timedelta()
        parameters.append(_WITHOUT_END if age is None else f"{age.total_seconds()} seconds")
    rows = connection.execute(_QUERIES[kind], (*parameters, user_id), prepare=True, binary=True).fetchall()
    if not rows or (kind == "user" and _proof(rows[0][_SCOPE]) != proof):
        return None
    person = person_of(rows)
    if person.is_suspended or person.is_tenant_suspended or None in (person.account_id, person.tenant_id):
        return LastingStanding(None)
    scopes = ALL_SCOPES if kind in {"password", "user"} else scopes_of(rows[0][_SCOPE])
    return LastingStanding(person.caller(name, scopes))


def _proof(password_hash: str) -> str:
    """Another one with each password, and of no use for finding it."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:16]
