"""What a method call knows of its request: the caller, the accounts, the connection, the creation ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from accounts.access import AccountAccess, Caller
from jmapcore.blobs.references import references
from jmapcore.protocol.errors import (
    AccountNotFound,
    AccountNotSupportedByMethod,
    AccountReadOnly,
    Forbidden,
    FromAccountNotFound,
    FromAccountNotSupportedByMethod,
    InvalidArguments,
)
from jmapcore.protocol.registry import Capability, Registry
from jmapcore.protocol.schema import ObjectType
from jmapcore.protocol.wire import object_id, object_number
from jmapcore.store.database import Connection
from jmapcore.store.reading import Marks, Reading

ACCOUNT_LETTER = "a"


def account_wire_id(account_id: int) -> str:
    """The id of an account on the wire."""
    return object_id(ACCOUNT_LETTER, account_id)


def account_number(text: str) -> int | None:
    """The number of an account's id; None for what is no account id."""
    return object_number(ACCOUNT_LETTER, text)


def opens(capability: Capability, caller: Caller) -> bool:
    """Whether the caller's credential opens a capability."""
    return capability.scope is None or capability.scope in caller.scopes


def opens_blobs(registry: Registry, caller: Caller) -> bool:
    """Whether the caller's credential opens a type that holds blobs: they are its content, whichever way they are read."""
    names = {reference.type_name for reference in references()}
    holders = [registry.types[name] for name in names & registry.types.keys()]
    return not holders or any(opens(registry.capabilities[each.capability], caller) for each in holders)


class RequestContext:
    """One API request on its way: handed to every method."""

    def __init__(
        self,
        caller: Caller,
        borrow: Callable[[], AbstractContextManager[Connection]],
        registry: Registry,
        using: frozenset[str],
        created_ids: dict[str, str],
    ) -> None:
        self.caller = caller
        self._borrow = borrow
        self._lending: AbstractContextManager[Connection] | None = None
        self._lent: Connection | None = None
        self.registry = registry
        self.using = using
        self.created_ids = created_ids
        self.account_ids: set[int] = set()
        """The accounts that calls named, for the log."""
        self._marks: Marks = {}

    @property
    def connection(self) -> Connection:
        """The connection of the request, borrowed by the first call that needs one."""
        if self._lent is None:
            lending = self._borrow()
            self._lent = lending.__enter__()
            self._lending = lending  # only now: one that lends nothing has nothing to give back
        return self._lent

    def close(self) -> None:
        """Give the connection back."""
        if self._lending is not None:
            self._lending.__exit__(None, None, None)
            self._lending = self._lent = None

    def account(self, account_id: str, capability: str, *, write: bool = False) -> AccountAccess:
        """What the caller may do with an account that a call names.

        Raises `AccountNotFound` for an account that the caller may not see, `AccountNotSupportedByMethod` for one without the
        capability, `AccountReadOnly` where `write` is asked of one that may only be read.
        """
        number = account_number(account_id)
        access = next((each for each in self.caller.accounts if each.account_id == number), None)
        if access is None:
            raise AccountNotFound
        declared = self.registry.capabilities[capability]
        if not declared.available(access) or not opens(declared, self.caller):
            raise AccountNotSupportedByMethod
        if write and access.is_read_only:
            raise AccountReadOnly
        self.account_ids.add(access.account_id)
        return access

    def access(
        self, declared: ObjectType, values: Mapping[str, Any], *, write: bool = False
    ) -> AccountAccess:
        """The account of a call on a type; for a type of no account, the caller's own.

        Raises as `account` does, and `Forbidden` where the credential does not open a type of no account.
        """
        if not declared.has_account:
            if not opens(self.registry.capabilities[declared.capability], self.caller):
                raise Forbidden
            return self.caller.accounts[0]
        return self.account(values["accountId"], declared.capability, write=write)

    def account_pair(self, values: Mapping[str, Any], capability: str) -> tuple[AccountAccess, AccountAccess]:
        """The accounts that a /copy reads from and writes to, which differ (RFC 8620 §5.4, §6.3)."""
        if values["fromAccountId"] == values["accountId"]:
            raise InvalidArguments("fromAccountId and accountId must differ")
        try:
            source = self.account(values["fromAccountId"], capability)
        except AccountNotFound:
            raise FromAccountNotFound from None
        except AccountNotSupportedByMethod:
            raise FromAccountNotSupportedByMethod from None
        return source, self.account(values["accountId"], capability, write=True)

    def reading(self, access: AccountAccess) -> Reading:
        """Open the reading of an account for one method call."""
        return Reading(self.connection, access, self._marks, self.caller, self.using)

    def forget_states(self) -> None:
        """A call may have written: the states that were read before are no longer those of the next call."""
        self._marks.clear()

    def resolve_id(self, text: str) -> str:
        """An id, or the id that a `#creationId` stands for where it is known (RFC 8620 §5.3)."""
        return self.created_ids.get(text[1:], text) if text[:1] == "#" else text
