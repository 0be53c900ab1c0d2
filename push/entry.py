"""Who opens a connection: by an Authorization header as everywhere, or by a ticket in the URL."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from accounts.authentication import AuthenticationError, authenticate
from accounts.client import client_address, trusted_networks
from accounts.standing import Standing, standings
from jmapcore.store.database import connection
from push.tickets import Transport, redeem

Headers = Iterable[tuple[bytes, bytes]]


def header(headers: Headers, name: bytes) -> str | None:
    """A header field of an ASGI scope; the first of several."""
    return next((value.decode("latin-1") for key, value in headers if key == name), None)


def address_of(client: tuple[str, int] | None, headers: Headers) -> str:
    """The IP address that a connection comes from."""
    remote = client[0] if client else ""
    forwarded = [value.decode("latin-1") for key, value in headers if key == b"x-forwarded-for"]
    if not forwarded:
        return remote
    return client_address(remote, ",".join(forwarded), trusted_networks(settings.TRUSTED_PROXIES))


def enter(transport: Transport, authorization: str | None, ticket: str | None, address: str) -> Standing:
    """How the credential stands that opens a connection. Raises `AuthenticationError`, and what the database raises."""
    if authorization is None and ticket is not None:
        return _by_ticket(transport, ticket)
    caller = authenticate(authorization, address, connection)
    standing = _standing(caller.credential)
    if caller.credential.startswith("user:"):
        # The password may have changed since it was looked at, and the proof would be that of the new one.
        authenticate(authorization, address, connection)
    return standing


def _by_ticket(transport: Transport, ticket: str) -> Standing:
    with connection() as lent:
        redeemed = redeem(lent, transport, ticket)
    if redeemed is None:
        raise _over("The ticket is unknown, used or expired.")
    standing = _standing(redeemed.credential)
    if standing.proof != redeemed.proof:
        raise _over("The credential behind the ticket is over.")
    return standing


def _standing(credential: str) -> Standing:
    with connection() as lent:
        found = standings(lent, [credential]).get(credential)
    if found is None:
        raise _over("The credential is over.")
    return found


def _over(detail: str) -> AuthenticationError:
    return AuthenticationError(401, "Unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="jmapsite"'})
