"""Who is connected, and the states of the accounts that they see: what is announced goes from here to the connections.

Everything here runs in the event loop of the process `push`. An announcement costs a look-up in one table and the work for the
connections of its account; how many others there are makes no difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from accounts.standing import Standing
from jmapcore.concurrency import count_down
from push.announcements import StateMoved


@dataclass(frozen=True, slots=True)
class States:
    """The states of one account as the database has them."""

    account_id: int
    epoch: str
    modseqs: Mapping[str, int]


class Listener(Protocol):
    """A connection, as the hub sees it."""

    standing: Standing

    def changed(self, account_id: int, types: Iterable[str]) -> None:
        """These types of an account have other states than before."""

    def end(self, code: int, reason: str) -> None:
        """The connection must end; `code` is a close code of RFC 6455."""


@dataclass(slots=True, eq=False)
class Account:
    """An account that somebody connected sees."""

    id: int
    epoch: str = ""
    modseqs: dict[str, int] = field(default_factory=dict)
    listeners: set[Listener] = field(default_factory=set)
    loaded: asyncio.Future[None] | None = None
    parts: dict[frozenset[str], str] = field(default_factory=dict)
    """Its parts of positions as they are now, by the types that are visible (`push.positions`)."""

    def merge(self, modseqs: Mapping[str, int]) -> set[str]:
        """Take newer numbers, in whatever order they come; the types that have moved."""
        moved = {name for name, modseq in modseqs.items() if modseq > self.modseqs.get(name, 0)}
        for name in moved:
            self.modseqs[name] = modseqs[name]
        if moved:
            self.parts.clear()
        return moved


Load = Callable[[list[int]], Awaitable[list[States]]]


class Hub:
    """The connections of this process, by account and by credential."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.accounts: dict[int, Account] = {}
        self.credentials: dict[str, set[Listener]] = {}
        self.users: dict[int, int] = {}
        """How many connections each user has."""
        self.count = 0
        self._to_load: list[Account] = []
        self._loading: asyncio.Task[None] | None = None

    def enter(self, listener: Listener) -> None:
        """From now on the connection ends when its credential does."""
        standing = listener.standing
        others = self.credentials.setdefault(standing.credential, set())
        for other in others:
            if other.standing == standing:
                listener.standing = other.standing  # one for all connections of a credential
            break
        others.add(listener)
        self.count += 1
        user_id = standing.caller.user_id
        self.users[user_id] = self.users.get(user_id, 0) + 1

    def leave(self, listener: Listener) -> None:
        """The connection is over. Leaving twice does nothing."""
        credential = listener.standing.credential
        known = self.credentials.get(credential, set())
        if listener in known:
            known.discard(listener)
            if not known:
                del self.credentials[credential]
            self.count -= 1
            count_down(self.users, listener.standing.caller.user_id)
        self.unwatch(listener)

    async def restand(self, listener: Listener, standing: Standing) -> None:
        """The credential of a connection has got further rights. Raises what loading raised: it is told of nothing then."""
        watched = any(
            listener in self.accounts[access.account_id].listeners
            for access in listener.standing.caller.accounts
            if access.account_id in self.accounts
        )
        listener.standing = standing
        if watched:
            await self.watch(listener)

    async def watch(self, listener: Listener) -> None:
        """From now on the connection is told of changes. Returns once the states of all its accounts are known here.

        Raises what loading them raised; the connection is told of nothing then.
        """
        waiting = []
        for access in listener.standing.caller.accounts:
            account = self.accounts.get(access.account_id)
            if account is None:
                account = self.accounts[access.account_id] = Account(access.account_id)
                account.loaded = asyncio.get_running_loop().create_future()
                self._to_load.append(account)
            account.listeners.add(listener)
            if account.loaded is not None:
                waiting.append(account.loaded)
        if self._to_load and self._loading is None:
            self._loading = asyncio.create_task(self._load_accounts())
        try:
            for loaded in waiting:
                await asyncio.shield(loaded)
        except BaseException:
            self.unwatch(listener)
            raise

    def unwatch(self, listener: Listener) -> None:
        """The connection is told of nothing any more."""
        for access in listener.standing.caller.accounts:
            account = self.accounts.get(access.account_id)
            if account is not None:
                account.listeners.discard(listener)
                if not account.listeners and account.loaded is None:
                    del self.accounts[access.account_id]

    async def _load_accounts(self) -> None:
        """Load the states of all accounts that came meanwhile, those that come during that too."""
        try:
            while self._to_load:
                accounts, self._to_load = self._to_load, []
                await self._load_some(accounts)
        finally:
            self._loading = None

    async def _load_some(self, accounts: list[Account]) -> None:
        failure: Exception | None = None
        try:
            found = {each.account_id: each for each in await self._load([account.id for account in accounts])}
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait are to know
            found, failure = {}, error
        for account in accounts:
            loaded, account.loaded = account.loaded, None
            assert loaded is not None
            if failure is not None:
                self.accounts.pop(account.id, None)
                loaded.set_exception(failure)
                loaded.exception()  # it was seen, though perhaps by nobody who waits
                continue
            states = found.get(account.id)
            if states is not None:
                account.epoch = states.epoch
                account.merge(states.modseqs)
            if not account.listeners:
                self.accounts.pop(account.id, None)
            loaded.set_result(None)

    def moved(self, moved: StateMoved) -> None:
        """An announcement has come."""
        account = self.accounts.get(moved.account_id)
        if account is not None and (types := account.merge(moved.modseqs)) and account.loaded is None:
            for listener in list(account.listeners):
                listener.changed(account.id, types)

    def replaced(self, states: States) -> None:
        """The database has been asked, and does not know an account as it was known here."""
        account = self.accounts.get(states.account_id)
        if account is None or account.loaded is not None:
            return
        if account.epoch == states.epoch:
            types = account.merge(states.modseqs)
        else:
            # Restored from a backup: no number says anything of one of another epoch.
            types = {*account.modseqs, *states.modseqs}
            account.epoch, account.modseqs = states.epoch, dict(states.modseqs)
            account.parts.clear()
        if types:
            for listener in list(account.listeners):
                listener.changed(account.id, types)

    def known(self) -> tuple[list[int], list[str], list[int]]:
        """What is known of the accounts: their ids, epochs, and the sums of their numbers."""
        accounts = [account for account in self.accounts.values() if account.loaded is None]
        return (
            [account.id for account in accounts],
            [account.epoch for account in accounts],
            [sum(account.modseqs.values()) for account in accounts],
        )

    def listeners(self) -> list[Listener]:
        """Every connection."""
        return [listener for each in self.credentials.values() for listener in each]
