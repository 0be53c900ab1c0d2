"""What a connection has to tell of, gathered and told: the StateChange object (RFC 8620 §7.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import orjson

from accounts.standing import Standing
from jmapcore.context import account_wire_id
from push.hub import Hub
from push.outlets import Outlet
from push.positions import account_part, parse_position, position
from push.visibility import state_types, visible_types

GAP_SECONDS = 0.025
"""Between two events of one connection; what changes within it is told together."""
MOST_ACCOUNTS = 100
"""Accounts in one StateChange: clients expect less than 64 KB."""

Changed = Mapping[str, Mapping[str, str]]
"""The member `changed` of a StateChange: states by type by account id."""


class StateChanges:
    """What one connection has not been told yet. Transports say how it is told (`tell`)."""

    __slots__ = (
        "__weakref__", "_hub", "_pending", "_scheduled", "_told_at", "is_open", "outlet", "standing", "types",
    )  # fmt: skip

    def __init__(self, hub: Hub, standing: Standing, outlet: Outlet) -> None:
        self._hub = hub
        self.standing = standing
        self.outlet = outlet
        self.types: frozenset[str] | None = None
        """The types that the client wants to hear of; None: all."""
        self.is_open = False
        """Whether the client is told of changes."""
        self._pending: dict[int, set[str]] | None = None
        self._scheduled: asyncio.TimerHandle | None = None
        self._told_at = 0.0
        outlet.on_drained = self._schedule

    def tell(self, changes: list[Changed]) -> None:
        """Send StateChange objects, of which the last brings the client to `position`."""
        raise NotImplementedError

    def changed(self, account_id: int, types: Iterable[str]) -> None:
        """See `push.hub.Listener`."""
        wanted = self._wanted(account_id).intersection(types)
        if wanted and self.is_open:
            if self._pending is None:
                self._pending = {}
            self._pending.setdefault(account_id, set()).update(wanted)
            self._schedule()

    def resume(self, text: str) -> None:
        """Tell what has changed since a position, or nothing where nothing has."""
        known = parse_position(text, state_types())
        for access in self.standing.caller.accounts:
            account = self._hub.accounts.get(access.account_id)
            if account is None:
                continue
            before = known.get(account.id)
            if before is None or before.epoch != account.epoch:
                self.changed(account.id, state_types())
            else:
                moved = [
                    name for name, modseq in before.modseqs.items() if account.modseqs.get(name, 0) != modseq
                ]
                self.changed(account.id, moved)

    def position(self) -> str:
        """The position of a client that was told everything."""
        types = state_types()
        parts = []
        for access in self.standing.caller.accounts:
            account = self._hub.accounts.get(access.account_id)
            if account is not None:
                visible = visible_types(self.standing.caller, access)
                part = account.parts.get(visible)
                if part is None:
                    part = account_part(account.id, account.epoch, account.modseqs, types, visible)
                    account.parts[visible] = part
                parts.append(part)
        return position(types, parts)

    def forget(self) -> None:
        """Tell nothing of what was gathered."""
        self._pending = None
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def _wanted(self, account_id: int) -> frozenset[str]:
        for access in self.standing.caller.accounts:
            if access.account_id == account_id:
                visible = visible_types(self.standing.caller, access)
                return visible if self.types is None else visible & self.types
        return frozenset()

    def _schedule(self) -> None:
        """Tell at once, or at the end of the gap; later where the client does not keep up."""
        if not self._pending or self._scheduled is not None or self.outlet.is_full:
            return
        loop = asyncio.get_running_loop()
        left = self._told_at + GAP_SECONDS - loop.time()
        if left <= 0:
            self._tell_all()
        else:
            self._scheduled = loop.call_later(left, self._tell_all)

    def _tell_all(self) -> None:
        self._scheduled = None
        pending, self._pending = self._pending, None
        if not pending or not self.is_open:
            return
        if self.outlet.is_full:
            self._pending = pending
            return
        self._told_at = asyncio.get_running_loop().time()
        changed = {}
        for account_id, types in pending.items():
            account = self._hub.accounts.get(account_id)
            if account is not None:
                changed[account_wire_id(account_id)] = {
                    name: f"{account.epoch}-{account.modseqs.get(name, 0)}" for name in sorted(types)
                }
        items = list(changed.items())
        changes: list[Changed] = [
            dict(items[first : first + MOST_ACCOUNTS]) for first in range(0, len(items), MOST_ACCOUNTS)
        ]
        if changes:
            self.tell(changes)


def state_change(changed: Changed, push_state: str | None = None) -> bytes:
    """A StateChange object, over WebSocket with its `pushState` (RFC 8887 §4.3.5.1)."""
    document: dict[str, object] = {"@type": "StateChange", "changed": changed}
    if push_state is not None:
        document["pushState"] = push_state
    return orjson.dumps(document)
