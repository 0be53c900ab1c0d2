"""The Session resource (RFC 8620 §2)."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings

from accounts.access import AccountAccess, Caller
from jmapcore.context import account_wire_id, opens
from jmapcore.protocol.registry import Registry

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """The Session object of a caller as bytes, and its state string."""

    body: bytes
    state: str


_sessions: OrderedDict[tuple[Any, ...], Session] = OrderedDict()
_lock = threading.Lock()


def session_of(caller: Caller, registry: Registry) -> Session:
    """The session of a caller; made anew only when the accounts, the grants or the scopes change."""
    key = (
        caller.username,
        caller.scopes,
        caller.accounts,
        id(registry),
        settings.PUBLIC_URL,
        settings.PUSH_PUBLIC_URL,
        *[revision() for revision in registry.revisions],
    )
    with _lock:
        known = _sessions.get(key)
        if known is not None:
            _sessions.move_to_end(key)
            return known
    made = _make(caller, registry)
    with _lock:
        _sessions[key] = made
        if len(_sessions) > _KEPT:
            _sessions.popitem(last=False)
    return made


def _make(caller: Caller, registry: Registry) -> Session:
    capabilities = {
        uri: each for uri, each in registry.capabilities.items() if each.advertised and opens(each, caller)
    }
    session: dict[str, Any] = {
        "capabilities": {uri: each.session_value() for uri, each in capabilities.items()},
        "accounts": {
            account_wire_id(access.account_id): _account(access, caller, registry)
            for access in caller.accounts
        },
        "primaryAccounts": _primary_accounts(caller, registry),
        "username": caller.username,
        "apiUrl": f"{settings.PUBLIC_URL}/jmap/api",
        "downloadUrl": f"{settings.PUBLIC_URL}/jmap/download/{{accountId}}/{{blobId}}/{{name}}?type={{type}}",
        "uploadUrl": f"{settings.PUBLIC_URL}/jmap/upload/{{accountId}}/",
        "eventSourceUrl": f"{settings.PUSH_PUBLIC_URL}/jmap/eventsource"
        "?types={types}&closeafter={closeafter}&ping={ping}",
    }
    # A digest of all that is in it: it changes exactly when the session does.
    state = hashlib.sha256(orjson.dumps(session, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return Session(orjson.dumps({**session, "state": state}), state)


def _account(access: AccountAccess, caller: Caller, registry: Registry) -> dict[str, Any]:
    """An Account object; it shows the capabilities that the caller has in it."""
    return {
        "name": access.name,
        "isPersonal": access.is_personal,
        "isReadOnly": access.is_read_only,
        "accountCapabilities": {
            uri: each.account_value(access)
            for uri, each in registry.capabilities.items()
            if each.account_value is not None and opens(each, caller) and each.available(access)
        },
    }


def _primary_accounts(caller: Caller, registry: Registry) -> dict[str, str]:
    personal = next((access for access in caller.accounts if access.is_personal), None)
    if personal is None:
        return {}
    return {
        uri: account_wire_id(personal.account_id)
        for uri, each in registry.capabilities.items()
        if each.account_value is not None and opens(each, caller) and each.available(personal)
    }
