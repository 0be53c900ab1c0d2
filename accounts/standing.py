"""Whether credentials that opened a connection are still good, asked for all connections of a process at once.

A request goes through the gate (`accounts.gate`) with the secret that it carries; a connection that lives for days has let go
of its secret, and is known by the name of its credential alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg

from accounts.access import ALL_SCOPES, Caller
from accounts.admission import Admission
from accounts.gate import PERSON_ACCOUNTS, PERSON_COLUMNS, PERSON_WIDTH, Row, person_of, scopes_of

TOKENS = f"""
SELECT {PERSON_COLUMNS}, token.id, token.scope, nullif(token.resource, '[]')
FROM accounts_accesstoken token
CROSS JOIN LATERAL (
    SELECT id, tenant_id, address, is_suspended FROM accounts_user
    WHERE id = token.user_id AND is_active OFFSET 0
) person
{PERSON_ACCOUNTS}
WHERE token.id = ANY(%s::bigint[]) AND token.expires > statement_timestamp()
ORDER BY token.id, granted.id
"""  # noqa: S608 - constants alone

APP_PASSWORDS = f"""
SELECT {PERSON_COLUMNS}, secret.id, NULL, NULL
FROM accounts_apppassword secret
CROSS JOIN LATERAL (
    SELECT id, tenant_id, address, is_suspended FROM accounts_user
    WHERE id = secret.user_id AND is_active OFFSET 0
) person
{PERSON_ACCOUNTS}
WHERE secret.id = ANY(%s::bigint[])
ORDER BY secret.id, granted.id
"""  # noqa: S608 - constants alone

ACCOUNT_PASSWORDS = f"""
SELECT {PERSON_COLUMNS}, person.id, person.password, NULL
FROM accounts_user person
{PERSON_ACCOUNTS}
WHERE person.id = ANY(%s::bigint[]) AND person.is_active AND person.may_use_account_password
      AND NOT person.has_second_factor AND tenant.allow_account_password
ORDER BY person.id, granted.id
"""  # noqa: S608 - constants alone

_QUERIES = {"token": TOKENS, "password": APP_PASSWORDS, "user": ACCOUNT_PASSWORDS}
_ID = PERSON_WIDTH
"""The column of the credential's own id, behind those of `PERSON_COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a credential is good for at this moment."""

    caller: Caller
    proof: str
    """Another one for an account password that has changed; empty for credentials that never change."""
    rows: tuple[Row, ...]

    @property
    def credential(self) -> str:
        """The name of the credential."""
        return self.caller.credential

    def admission(self) -> Admission:
        """The condition under which a request of the connection runs: that the credential stands as it does now."""
        kind, _, number = self.credential.partition(":")
        return Admission(self.caller, (_QUERIES[kind], ([int(number)],)), list(self.rows))


def standings(connection: psycopg.Connection[Any], credentials: Iterable[str]) -> dict[str, Standing]:
    """How each of these credentials stands, by its name; those are missing that open nothing any more."""
    numbers: dict[str, list[int]] = {}
    for credential in credentials:
        kind, _, number = credential.partition(":")
        numbers.setdefault(kind, []).append(int(number))
    found: dict[str, Standing] = {}
    for kind, ids in numbers.items():
        rows = connection.execute(_QUERIES[kind], (ids,), prepare=True, binary=True).fetchall()
        for number, own in groupby(rows, key=lambda row: row[_ID]):
            standing = _standing(f"{kind}:{number}", tuple(own))
            if standing is not None:
                found[standing.credential] = standing
    return found


def _standing(credential: str, rows: tuple[Row, ...]) -> Standing | None:
    person = person_of(list(rows))
    if person.is_suspended or person.is_tenant_suspended or None in (person.account_id, person.tenant_id):
        return None
    is_token = credential.startswith("token:")
    scopes = scopes_of(rows[0][_ID + 1]) if is_token else ALL_SCOPES
    secret = rows[0][_ID + 1] if credential.startswith("user:") else ""
    proof = hashlib.sha256(secret.encode()).hexdigest() if secret else ""
    return Standing(person.caller(credential, scopes), proof, rows)
