"""How often a password may be tried: counters of failed attempts, shared by all processes through Redis.

An attempt is counted before the password is checked and taken back when it was right, so that attempts in
parallel count as well. Only checks of account passwords come here: tokens and app passwords are too long to
guess, and what this process checked lately is not checked again. Whoever uses them is never held up.

Three counters of one window each, whose start is the first attempt:

- address and client: ten, then the client waits for this address until the window ends;
- client alone: a hundred, then it waits for every address it has not signed in to before;
- address alone: beyond a hundred, from wherever, each client has one attempt per window, unless it signed in
  to this address lately. A flood of guesses from many clients thereby slows down tenfold, and the owner still
  gets in from anywhere with the first right password. Nothing ever locks an address for good.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.client import client_network

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Attempts per window, in seconds, and how long a client that signed in stays known for the address."""

    window: int = 900
    address_and_client: int = 10
    client: int = 100
    address: int = 100
    known_for: int = 30 * 86_400


class Attempts(Protocol):
    """A store of the counters."""

    def begin(self, address: str, client: str) -> int:
        """Count an attempt and return 0, or return the seconds to wait and count nothing."""

    def succeeded(self, address: str, client: str) -> None:
        """Take back what `begin` counted, forgive the client its failures at the address, and know it."""


def _keys(address: str, client: str) -> tuple[str, str, str, str]:
    """The names of the counters of both, of the client, of the address, and of the mark of a known client.

    Hashes, so that the store holds no addresses and a hostile one cannot make a long key.
    """
    network = client_network(client)

    def name(*parts: str) -> str:
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return "jmapsite:attempts:" + hashlib.sha256(text).hexdigest()[:32]

    return (
        name("both", address, network),
        name("client", network),
        name("address", address),
        name("known", address, network),
    )


_BEGIN = """
local function count(key) return tonumber(redis.call('GET', key) or '0') end
local function wait(key) return math.max(redis.call('TTL', key), 1) end
local known = redis.call('EXISTS', KEYS[4]) == 1
local both = count(KEYS[1])
if both >= tonumber(ARGV[2]) then return wait(KEYS[1]) end
if not known then
  if count(KEYS[2]) >= tonumber(ARGV[3]) then return wait(KEYS[2]) end
  if both >= 1 and count(KEYS[3]) >= tonumber(ARGV[4]) then return wait(KEYS[1]) end
end
for index = 1, 3 do
  if redis.call('INCR', KEYS[index]) == 1 then redis.call('EXPIRE', KEYS[index], ARGV[1]) end
end
return 0
"""

_SUCCEEDED = """
local both = tonumber(redis.call('GET', KEYS[1]) or '0')
redis.call('DEL', KEYS[1])
for index = 2, 3 do
  if tonumber(redis.call('GET', KEYS[index]) or '0') >= 1 then redis.call('DECR', KEYS[index]) end
end
redis.call('SET', KEYS[4], '1', 'EX', ARGV[1])
return both
"""


class RedisAttempts:
    """The counters in Redis, which expire there by themselves. Raises `redis.RedisError` without it."""

    def __init__(self, server: redis.Redis, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._begin = server.register_script(_BEGIN)
        self._succeeded = server.register_script(_SUCCEEDED)

    def begin(self, address: str, client: str) -> int:
        """See `Attempts`. One round trip, atomic."""
        limits = self._limits
        arguments = [limits.window, limits.address_and_client, limits.client, limits.address]
        return int(self._begin(keys=_keys(address, client), args=arguments))

    def succeeded(self, address: str, client: str) -> None:
        """See `Attempts`."""
        self._succeeded(keys=_keys(address, client), args=[self._limits.known_for])


class ProcessAttempts:
    """The counters in the memory of this process, for while Redis is away. Bounded: the oldest go first."""

    def __init__(
        self,
        limits: Limits = Limits(),
        maximum: int = 50_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._maximum = maximum
        self._clock = clock
        self._lock = threading.Lock()
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counters)

    def _count(self, key: str) -> int:
        count, expiry = self._counters.get(key, (0, 0.0))
        return count if expiry > self._clock() else 0

    def _wait(self, key: str) -> int:
        return max(int(self._counters[key][1] - self._clock()), 1)

    def _set(self, key: str, count: int, lifetime: float) -> None:
        expiry = self._counters[key][1] if self._count(key) else self._clock() + lifetime
        self._counters[key] = (count, expiry)
        while len(self._counters) > self._maximum:
            self._counters.popitem(last=False)

    def begin(self, address: str, client: str) -> int:
        """See `Attempts`."""
        both, by_client, by_address, known = _keys(address, client)
        limits = self._limits
        with self._lock:
            if self._count(both) >= limits.address_and_client:
                return self._wait(both)
            if not self._count(known):
                if self._count(by_client) >= limits.client:
                    return self._wait(by_client)
                if self._count(both) and self._count(by_address) >= limits.address:
                    return self._wait(both)
            for key in (both, by_client, by_address):
                self._set(key, self._count(key) + 1, limits.window)
        return 0

    def succeeded(self, address: str, client: str) -> None:
        """See `Attempts`."""
        both, by_client, by_address, known = _keys(address, client)
        with self._lock:
            self._counters.pop(both, None)
            for key in (by_client, by_address):
                if self._count(key):
                    self._set(key, self._count(key) - 1, self._limits.window)
            self._counters.pop(known, None)
            self._set(known, 1, self._limits.known_for)


class SharedAttempts:
    """The counters in Redis; while it does not answer, those of this process.

    Without Redis each process counts for itself: guessing gets as many times faster as there are processes,
    and nobody is locked out. Redis is asked again after `pause` seconds, so that a dead one delays few.
    """

    def __init__(
        self,
        shared: Attempts,
        own: Attempts,
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._own = own
        self._pause = pause
        self._clock = clock
        self._away_until = 0.0

    def begin(self, address: str, client: str) -> int:
        """See `Attempts`."""
        return int(self._call("begin", address, client))

    def succeeded(self, address: str, client: str) -> None:
        """See `Attempts`."""
        self._call("succeeded", address, client)

    def _call(self, method: str, address: str, client: str) -> Any:
        if self._clock() >= self._away_until:
            try:
                return getattr(self._shared, method)(address, client)
            except redis.RedisError as error:
                self._away_until = self._clock() + self._pause
                logger.warning("Redis does not answer; failed sign-ins are counted per process: %s", error)
        return getattr(self._own, method)(address, client)


def connect(url: str, limits: Limits = Limits()) -> SharedAttempts:
    """The counters in the Redis of a URL. Connects at the first use, and gives up after half a second."""
    server = redis.Redis.from_url(
        url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
    )
    return SharedAttempts(RedisAttempts(server, limits), ProcessAttempts(limits))


_attempts: SharedAttempts | None = None


def attempts() -> SharedAttempts:
    """The counters of this installation (settings.REDIS_URL)."""
    global _attempts
    if _attempts is None:
        _attempts = connect(settings.REDIS_URL)
    return _attempts
