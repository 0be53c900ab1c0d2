"""The hub: which connection is told of what, in whatever order it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from accounts.access import ALL_SCOPES, AccountAccess, Caller
from accounts.standing import Standing
from push.announcements import StateMoved
from push.hub import Hub, States


class Ear:
    """A connection that notes what it is told."""

    def __init__(self, *account_ids: int, credential: str = "token:1") -> None:
        accesses = tuple(
            AccountAccess(number, 1, "", index == 0, False, True) for index, number in enumerate(account_ids)
        )
        self.standing = Standing(Caller(1, 1, "", credential, ALL_SCOPES, accesses), "", ())
        self.heard: list[tuple[int, set[str]]] = []

    def changed(self, account_id: int, types: Iterable[str]) -> None:
        """See `push.hub.Listener`."""
        self.heard.append((account_id, set(types)))

    def end(self, code: int, reason: str) -> None:
        """See `push.hub.Listener`."""


class Loader:
    """States of accounts, and how often they were asked for."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.meanwhile: list[StateMoved] = []
        self.hub = Hub(self)

    async def __call__(self, account_ids: list[int]) -> list[States]:
        self.asked.append(account_ids)
        await asyncio.sleep(0)
        for moved in self.meanwhile:
            self.hub.moved(moved)
        return [States(number, "e", {"Email": 5}) for number in account_ids]


def watched(*ears: Ear, loader: Loader | None = None) -> Hub:
    """A hub that some connections watch; loading has happened."""
    loader = loader or Loader()

    async def watch() -> None:
        await asyncio.gather(*(loader.hub.watch(ear) for ear in ears))

    asyncio.run(watch())
    return loader.hub


def test_connections_that_come_together_are_loaded_together_and_once() -> None:
    loader = Loader()
    watched(Ear(1), Ear(1, 2), Ear(3), loader=loader)
    assert [sorted(each) for each in loader.asked] == [[1, 2, 3]]


def test_only_the_connections_of_an_account_are_told() -> None:
    one, two = Ear(1), Ear(2)
    hub = watched(one, two)
    hub.moved(StateMoved(1, {"Email": 6}))
    assert (one.heard, two.heard) == ([(1, {"Email"})], [])


def test_numbers_that_are_known_or_older_are_nothing_new() -> None:
    ear = Ear(1)
    hub = watched(ear)
    hub.moved(StateMoved(1, {"Email": 7, "Mailbox": 8}))
    hub.moved(StateMoved(1, {"Email": 6, "Mailbox": 8}))
    hub.moved(StateMoved(1, {"Email": 5}))
    assert ear.heard == [(1, {"Email", "Mailbox"})]
    assert hub.accounts[1].modseqs == {"Email": 7, "Mailbox": 8}


def test_what_is_announced_while_states_are_loaded_is_not_lost() -> None:
    loader = Loader()
    loader.meanwhile = [StateMoved(1, {"Email": 9, "Mailbox": 2})]
    hub = watched(Ear(1), loader=loader)
    assert hub.accounts[1].modseqs == {"Email": 9, "Mailbox": 2}


def test_who_cannot_be_told_the_states_is_told_of_nothing() -> None:
    async def fail(account_ids: list[int]) -> list[States]:
        raise OSError("away")

    hub = Hub(fail)
    ear = Ear(1)
    with pytest.raises(OSError, match="away"):
        asyncio.run(hub.watch(ear))
    assert hub.accounts == {}


def test_accounts_that_nobody_watches_are_forgotten() -> None:
    one, other = Ear(1), Ear(1)
    hub = watched(one, other)
    hub.unwatch(one)
    assert list(hub.accounts) == [1]
    hub.unwatch(other)
    assert hub.accounts == {}


def test_another_epoch_replaces_every_number() -> None:
    ear = Ear(1)
    hub = watched(ear)
    hub.moved(StateMoved(1, {"Mailbox": 8}))
    hub.replaced(States(1, "f", {"Email": 2}))
    assert ear.heard[-1] == (1, {"Email", "Mailbox"})
    assert (hub.accounts[1].epoch, hub.accounts[1].modseqs) == ("f", {"Email": 2})


def test_a_comparison_that_was_overtaken_takes_nothing_back() -> None:
    ear = Ear(1)
    hub = watched(ear)
    hub.moved(StateMoved(1, {"Email": 9}))
    hub.replaced(States(1, "e", {"Email": 7, "Thread": 3}))
    assert ear.heard == [(1, {"Email"}), (1, {"Thread"})]
    assert hub.accounts[1].modseqs == {"Email": 9, "Thread": 3}


def test_what_is_known_is_summed_up_for_the_comparison() -> None:
    hub = watched(Ear(1))
    hub.moved(StateMoved(1, {"Mailbox": 8}))
    assert hub.known() == ([1], ["e"], [13])


def test_connections_are_counted_by_user() -> None:
    hub = Hub(Loader())
    ears = [Ear(1), Ear(1), Ear(1, credential="token:2")]
    for ear in ears:
        hub.enter(ear)
    assert (hub.count, hub.users, sorted(hub.credentials)) == (3, {1: 3}, ["token:1", "token:2"])
    for ear in [*ears, *ears]:
        hub.leave(ear)
    assert (hub.count, hub.users, hub.credentials) == (0, {}, {})
