"""Which states somebody may see: the types of each account that the credential opens."""

from __future__ import annotations

from functools import lru_cache

from accounts.access import AccountAccess, Caller
from jmapcore.context import opens
from jmapcore.registry import registry


@lru_cache(maxsize=1)
def state_types() -> tuple[str, ...]:
    """The names of all types that have a state in an account, in order. Asked for once the apps are ready."""
    return tuple(sorted(name for name, each in registry.types.items() if each.has_account and each.has_state))


@lru_cache(maxsize=1_000)
def _visible(scopes: frozenset[str], is_personal: bool, is_read_only: bool, may_send: bool) -> frozenset[str]:
    access = AccountAccess(0, 0, "", is_personal, is_read_only, may_send)
    caller = Caller(0, 0, "", "", scopes, (access,))
    capabilities = {name: registry.capabilities[registry.types[name].capability] for name in state_types()}
    return frozenset(
        name for name, each in capabilities.items() if opens(each, caller) and each.available(access)
    )


def visible_types(caller: Caller, access: AccountAccess) -> frozenset[str]:
    """The types whose states a caller sees in an account: those whose methods would answer. The same set for the same rights."""
    return _visible(caller.scopes, access.is_personal, access.is_read_only, access.may_send)
