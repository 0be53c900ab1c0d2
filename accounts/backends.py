"""Signing in to pages (admin, portal, OAuth consent) with address and password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.addresses import normalise_address
from accounts.client import client_address
from accounts.models import User
from accounts.passwords import UNKNOWN
from accounts.throttle import attempts


class AddressBackend(ModelBackend):
    """Django's backend with addresses in any spelling, the throttle of JMAP's Basic, and suspension.

    A page asks again for the user of each request, so that suspension ends sessions at once.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The user with this address and password, if they may sign in.

        Raises `PermissionDenied` where the throttle allows no attempt, which ends the search for a backend.
        """
        username = username if username is not None else kwargs.get(User.USERNAME_FIELD)
        if username is None or password is None:
            return None
        address = normalise_address(username)
        client = _client(request)
        counters = attempts()
        if counters.begin(address or username, client):
            raise PermissionDenied("Too many failed attempts. Wait, then try again.")
        user = User.objects.select_related("tenant").filter(address=address or "").first()
        # The same work where there is nobody: how long it takes must not tell.
        is_right = check_password(password, UNKNOWN) if user is None else user.check_password(password)
        if user is None or not is_right:
            return None
        counters.succeeded(user.address, client)
        return user if self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        """Whether the user is active and neither suspended nor in a suspended tenant."""
        return isinstance(user, User) and user.is_active and not user.is_shut_out


def _client(request: HttpRequest | None) -> str:
    if request is None:
        return ""
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR")
    return client_address(request.META.get("REMOTE_ADDR", ""), forwarded_for, settings.TRUSTED_PROXIES)
