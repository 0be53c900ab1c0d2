"""One EventSource connection (RFC 8620 §7.3): its events, its pings, its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs

from accounts.standing import Standing
from jmapcore.protocol.errors import RequestError
from push.hub import Hub
from push.outlets import Outlet
from push.transports.state_changes import Changed, StateChanges, state_change

SHORTEST_PING = 5
LONGEST_PING = 900
"""Seconds between pings. No server may ask for more than 30 at least, or allow less than 300 (RFC 8620 §7.3)."""
KEPT_ALIVE_SECONDS = 50
"""After so long a silence a comment is sent, which is no event: proxies end what is silent for a minute, and a client that is no
longer there is noticed."""
COMMENT = b":\n\n"
MOST_TYPES = 1_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the URL of an event source asks for."""

    types: frozenset[str] | None
    """None: all."""
    closes_after_state: bool
    ping: int
    """Seconds, within the limits; 0: none."""


def parse_wishes(query: str) -> Wishes:
    """The variables of the URL. What is missing is "*", "no" and 0. Raises `RequestError`."""
    values = {
        name: each[-1] for name, each in parse_qs(query, keep_blank_values=True, max_num_fields=50).items()
    }
    types = values.get("types", "*")
    names = frozenset(name.strip() for name in types.split(","))
    if "" in names or len(names) > MOST_TYPES or ("*" in names and len(names) > 1):
        raise RequestError('The variable "types" must be a list of type names with commas, or *.')
    close_after = values.get("closeafter", "no")
    if close_after not in {"state", "no"}:
        raise RequestError('The variable "closeafter" must be state or no.')
    ping = values.get("ping", "0")
    if not (ping.isascii() and ping.isdigit() and len(ping) < 20):
        raise RequestError('The variable "ping" must be a number of seconds.')
    seconds = min(max(int(ping), SHORTEST_PING), LONGEST_PING) if int(ping) else 0
    return Wishes(None if names == {"*"} else names, close_after == "state", seconds)


class EventSource(StateChanges):
    """A stream of events on its way to a client."""

    __slots__ = ("_closes_after_state", "_eventful_at", "_ping", "_timer", "_written_at")

    def __init__(self, hub: Hub, standing: Standing, outlet: Outlet, wishes: Wishes) -> None:
        super().__init__(hub, standing, outlet)
        self.types = wishes.types
        self._closes_after_state = wishes.closes_after_state
        self._ping = wishes.ping
        self._timer: asyncio.TimerHandle | None = None
        self._eventful_at = self._written_at = asyncio.get_running_loop().time()

    def begin(self, last_event_id: str) -> None:
        """Send the beginning of the stream: a comment, and what was missed since the last event that the client saw.

        To who has seen none the position goes in a block without data, which is no event: with it the client can resume
        also where nothing happened before it loses the connection (HTML Standard, Server-sent events, §9.2.6).
        """
        self.is_open = True
        if last_event_id:
            self._write(COMMENT)
            self.resume(last_event_id)
        else:
            self._write(b":\nid: %b\n\n" % self.position().encode())
        if self.is_open:
            self._wait()

    def tell(self, changes: list[Changed]) -> None:
        """Send state events; the last sets the id."""
        events = [b"event: state\ndata: %b\n\n" % state_change(changed) for changed in changes]
        events[-1] = events[-1][:-1] + b"id: %b\n\n" % self.position().encode()
        for event in events:
            self._write(event)
        self._eventful_at = self._written_at
        if self._closes_after_state:
            self.end(1000, "")

    def end(self, code: int, reason: str) -> None:
        """End the stream."""
        if self.is_open:
            self.close()
            self.outlet.end(code, reason)

    def close(self) -> None:
        """The stream has ended, whoever ended it."""
        self.is_open = False
        self.forget()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self, data: bytes) -> None:
        self._written_at = asyncio.get_running_loop().time()
        self.outlet.write(data)

    def _next(self) -> float:
        """When the next ping or comment is due."""
        silent_until = self._written_at + KEPT_ALIVE_SECONDS
        return min(self._eventful_at + self._ping, silent_until) if self._ping else silent_until

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_at(self._next(), self._due)

    def _due(self) -> None:
        now = asyncio.get_running_loop().time()
        # A client that does not keep up gets no more of what says nothing.
        if not self.outlet.is_full:
            if self._ping and self._eventful_at + self._ping <= now:
                self._write(b'event: ping\ndata: {"interval":%d}\n\n' % self._ping)
                self._eventful_at = now
            elif self._written_at + KEPT_ALIVE_SECONDS <= now:
                self._write(COMMENT)
        else:
            self._written_at = self._eventful_at = now
        self._wait()
