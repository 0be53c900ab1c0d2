"""Who makes a request: an Authorization header, `Bearer` (RFC 6750) or `Basic` (RFC 7617), made a caller.

The order of work for Basic: one gate query; an app password or a remembered account password opens at once;
everything else, unknown users too, is throttled first, then costs one argon2 check, then gets the same
answer.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg
from django.conf import settings
from django.contrib.auth.hashers import check_password

from accounts import gate
from accounts.access import ALL_SCOPES, Caller
from accounts.addresses import normalise_address
from accounts.admission import Admission, admissions
from accounts.credentials import checksum
from accounts.passwords import UNKNOWN
from accounts.remembered import RememberedPasswords
from accounts.throttle import attempts

REALM = "jmapsite"
MAXIMUM_CREDENTIALS_LENGTH = 1_024
"""Longer Basic credentials, in characters, are wrong without being looked at."""

Borrow = Callable[[], AbstractContextManager[psycopg.Connection[gate.Row]]]

_remembered = RememberedPasswords()


class AuthenticationError(Exception):
    """A request that is not let in, with all that a problem document says of it (RFC 7807 §3.1).

    `status` is 401 (with WWW-Authenticate), 403, or 429 (with Retry-After); `headers` go with the answer.
    """

    def __init__(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        # RFC 7807 §4.2: about:blank says that the problem is what the HTTP status says.
        self.type = "about:blank"
        self.title = title
        self.detail = detail
        self.headers = headers or {}

    def problem(self) -> dict[str, object]:
        """The members of the problem document."""
        return {"type": self.type, "title": self.title, "status": self.status, "detail": self.detail}


def _unauthorized(detail: str, *, is_token_invalid: bool = False) -> AuthenticationError:
    """401, with both challenges in one field (RFC 9110 §11.6.1), `Bearer` first."""
    bearer = f'Bearer realm="{REALM}"'
    if is_token_invalid:
        # RFC 6750 §3.1: no error code where the request carried no token at all.
        bearer += f', error="invalid_token", error_description="{detail}"'
    challenge = f'{bearer}, Basic realm="{REALM}", charset="UTF-8"'
    return AuthenticationError(401, "Unauthorized", detail, {"WWW-Authenticate": challenge})


def _admit(person: gate.Person, credential: str, scopes: frozenset[str]) -> Caller:
    """The caller, or 403 for somebody who proved who they are and is not let in all the same."""
    if person.is_suspended:
        raise AuthenticationError(403, "Forbidden", "This user is suspended.")
    if person.is_tenant_suspended:
        raise AuthenticationError(403, "Forbidden", "This organisation is suspended.")
    if person.account_id is None or person.tenant_id is None:
        raise AuthenticationError(403, "Forbidden", "This user has no mail account.")
    return person.caller(credential, scopes)


def authenticate(authorization: str | None, client_address: str, borrow: Borrow) -> Caller:
    """The caller that an Authorization header stands for.

    `client_address` is the client's IP address (`accounts.client.client_address`); `borrow` lends a database
    connection in autocommit mode, which is never held while a password is hashed. Whom a token or an app password lets in is
    remembered in `accounts.admission`, for the gate alone decides there. Raises `AuthenticationError`.
    """
    authorization = authorization or ""
    scheme, _, credentials = authorization.strip().partition(" ")
    credentials = credentials.strip()
    match scheme.lower():
        case "bearer":
            found: Caller | Admission = _bearer(credentials, borrow)
        case "basic":
            found = _basic(credentials, client_address, borrow)
        case "":
            raise _unauthorized("Sign in to use this.")
        case _:
            raise _unauthorized("Sign in with Bearer or Basic.")
    if isinstance(found, Admission):
        admissions.remember(authorization, found)
        return found.caller
    return found


def _bearer(token: str, borrow: Borrow) -> Admission:
    token_checksum = checksum(token)
    with borrow() as connection:
        holder = gate.token_holder(connection, token_checksum)
    if holder is None or not _is_meant_for_us(holder.resource):
        raise _unauthorized("The access token is unknown, expired or revoked.", is_token_invalid=True)
    caller = _admit(holder.person, f"token:{holder.token_id}", holder.scopes)
    return Admission(caller, (gate.TOKEN_GATE, (token_checksum,)), holder.rows)


def _is_meant_for_us(resource: list[str] | None) -> bool:
    """Whether a token limited to some resources is good here: one of them is at PUBLIC_URL (RFC 8707 §2)."""
    ours = settings.PUBLIC_URL.rstrip("/") + "/"
    return resource is None or any((name.rstrip("/") + "/").startswith(ours) for name in resource)


def _basic(credentials: str, client_address: str, borrow: Borrow) -> Caller | Admission:
    username, password = _decode(credentials)
    address = normalise_address(username)
    holder: gate.AddressHolder | None = None
    if address is not None:
        with borrow() as connection:
            holder = gate.address_holder(connection, address, checksum(password))
            if holder is not None and holder.app_password_id is not None and holder.is_use_unrecorded:
                gate.record_use(connection, holder.app_password_id)
    if holder is not None and holder.app_password_id is not None:
        caller = _admit(holder.person, f"password:{holder.app_password_id}", ALL_SCOPES)
        return Admission(caller, (gate.ADDRESS_GATE, (checksum(password), address)), holder.rows)
    if holder is None or holder.password_hash is None:
        with _remembered.turn(address or username, password):
            _check(address or username, password, UNKNOWN, client_address)
        raise _wrong()
    user_id, stored = holder.person.user_id, holder.password_hash
    if not _remembered.knows(user_id, password, stored):
        with _remembered.turn(holder.person.address, password):
            if not _remembered.knows(user_id, password, stored):
                if not _check(holder.person.address, password, stored, client_address):
                    raise _wrong()
                _remembered.remember(user_id, password, stored)
    return _admit(holder.person, f"user:{user_id}", ALL_SCOPES)


def _decode(credentials: str) -> tuple[str, str]:
    """User name and password of Basic credentials (RFC 7617 §2)."""
    try:
        text = base64.b64decode(credentials, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _unauthorized("The Basic credentials are not base64 of UTF-8 text.") from error
    username, colon, password = text.partition(":")
    if not colon or len(text) > MAXIMUM_CREDENTIALS_LENGTH:
        raise _wrong()
    return username, password


def _wrong() -> AuthenticationError:
    return _unauthorized("Wrong address or password.")


def _check(address: str, password: str, stored: str, client_address: str) -> bool:
    """Whether a password is the stored one; `AuthenticationError` 429 where the throttle allows no attempt.

    `stored` is `accounts.passwords.UNKNOWN` where there is nothing to compare with: the work is the same.
    """
    counters = attempts()
    wait = counters.begin(address, client_address)
    if wait:
        detail = "Too many failed attempts. Wait, then try again."
        raise AuthenticationError(429, "Too Many Requests", detail, {"Retry-After": str(wait)})
    if not check_password(password, stored):
        return False
    counters.succeeded(address, client_address)
    return True
