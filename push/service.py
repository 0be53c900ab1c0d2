"""What runs in the process `push` beside its connections: it listens to Redis, compares with PostgreSQL, looks at credentials."""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import psycopg
import psycopg_pool
import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.access import Caller
from accounts.standing import Standing, standings
from jmapcore.protocol.errors import RequestError
from jmapcore.store.database import connection, run
from push.announcements import COMPARE, RIGHTS, channel, decode
from push.calls import in_entry_thread
from push.hub import Hub, Listener, States

LOOK_SECONDS = 3
"""Between two looks at all credentials: those that are over have connections for this much longer."""
AT_ONCE = 2_000
"""Accounts or credentials in one query."""
REST_SECONDS = 0.2
"""Between two that were asked for, however many ask."""
SPARE_FILES = 100
SILENCE_SECONDS = 15
"""After so long without an announcement Redis is asked whether it is there."""
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
_PAUSES = (0.1, 2.0)

CHANGED_STATES = """
    SELECT account_id, epoch, type, modseq
    FROM changed_states(%s::bigint[], %s::text[], %s::bigint[])"""

logger = logging.getLogger("push.service")
Item = TypeVar("Item")
_DATABASE_ERRORS = (psycopg.Error, psycopg_pool.PoolTimeout)


def _batches(items: Iterable[Item]) -> Iterable[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch


def _fetch(accounts: list[int], epochs: list[str], totals: list[int]) -> list[States]:
    """The states of those accounts that are not known as they are."""
    with connection() as lent:
        [result] = run(lent, (CHANGED_STATES, (accounts, epochs, totals)))
    found: dict[int, tuple[str, dict[str, int]]] = {}
    for account_id, epoch, type_name, modseq in result:
        _, modseqs = found.setdefault(account_id, (epoch, {}))
        if type_name is not None:
            modseqs[type_name] = modseq
    return [States(account_id, epoch, modseqs) for account_id, (epoch, modseqs) in found.items()]


def _look(credentials: list[str]) -> dict[str, Standing]:
    with connection() as lent:
        return standings(lent, credentials)


class Service:
    """The connections of this process, and what keeps them right."""

    def __init__(self) -> None:
        self.hub = Hub(self._load)
        self._away = _Away()
        self._compare_now = asyncio.Event()
        self._look_now = asyncio.Event()
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._room = min(settings.PUSH_CONNECTIONS, max(soft - SPARE_FILES, 1))
        self._tasks = [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._compare()),
            asyncio.create_task(self._watch_credentials()),
        ]

    def check_room(self) -> None:
        """Raise `RequestError` where this process has as many connections as it can hold."""
        if self.hub.count >= self._room:
            raise RequestError(
                "This server has too many connections.", status=503, headers={"Retry-After": "30"}
            )

    def check_user(self, user_id: int) -> None:
        """Raise `RequestError` where a user has as many connections to this process as one may."""
        if self.hub.users.get(user_id, 0) >= settings.PUSH_CONNECTIONS_OF_USER:
            raise RequestError(
                "This user has too many connections.", status=429, headers={"Retry-After": "30"}
            )

    async def _load(self, accounts: list[int]) -> list[States]:
        found: list[States] = []
        for batch in _batches(accounts):
            # Totals that nothing has: everything is asked for.
            found += await in_entry_thread(partial(_fetch, batch, [""] * len(batch), [-1] * len(batch)))
        return found

    async def _listen(self) -> None:
        """Hear what is announced, for as long as the process lives."""
        pause = _PAUSES[0]
        while True:
            client = redis.asyncio.Redis.from_url(
                settings.REDIS_URL, protocol=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
            )
            try:
                async with client.pubsub() as subscription:
                    await subscription.subscribe(channel())
                    async for message in _messages(subscription):
                        if message["type"] == "subscribe":
                            self._away.clear("redis")
                            self._compare_now.set()  # what was announced before this moment was not heard
                            pause = _PAUSES[0]
                        elif message["type"] == "message":
                            self._heard(message["data"])
            except (redis.RedisError, OSError) as error:
                self._away.note(
                    "redis", "Redis does not answer; states are compared with the database", error
                )
            except Exception:
                logger.exception("listening to Redis")
            finally:
                await client.aclose()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _PAUSES[1])

    def _heard(self, payload: bytes) -> None:
        if payload == COMPARE:
            self._compare_now.set()
        elif payload == RIGHTS:
            self._look_now.set()
        elif (moved := decode(payload)) is not None:
            self.hub.moved(moved)

    async def _compare(self) -> None:
        """Compare the states of all connected accounts with the database, now and again, and whenever something may be lost."""
        while True:
            await _either(self._compare_now, settings.PUSH_COMPARE_SECONDS)
            try:
                for accounts, epochs, totals in _known_batches(*self.hub.known()):
                    for states in await in_entry_thread(partial(_fetch, accounts, epochs, totals)):
                        self.hub.replaced(states)
                self._away.clear("states")
            except _DATABASE_ERRORS as error:
                self._away.note("states", "states cannot be compared", error)
            except Exception:
                logger.exception("comparing states")
            await asyncio.sleep(REST_SECONDS)

    async def _watch_credentials(self) -> None:
        """Look at the credentials of all connections, now and again, and whenever somebody's rights have changed."""
        while True:
            await _either(self._look_now, LOOK_SECONDS)
            try:
                held = [(name, tuple(each)) for name, each in self.hub.credentials.items()]
                for batch in _batches(held):
                    found = await in_entry_thread(partial(_look, [name for name, _ in batch]))
                    for name, listeners in batch:
                        await self._judge(listeners, found.get(name))
                self._away.clear("credentials")
            except _DATABASE_ERRORS as error:
                self._away.note("credentials", "credentials cannot be looked at", error)
            except Exception:
                logger.exception("looking at credentials")
            await asyncio.sleep(REST_SECONDS)

    async def _judge(self, listeners: Iterable[Listener], now: Standing | None) -> None:
        """End the connections of a credential that is over, or has lost something that they were opened with."""
        for listener in listeners:
            before = listener.standing
            if now is None or now.proof != before.proof or _has_lost(before.caller, now.caller):
                listener.end(POLICY_VIOLATION, "credential")
            elif now.rows != before.rows:
                try:
                    await self.hub.restand(listener, now)
                except _DATABASE_ERRORS:
                    listener.end(TRY_AGAIN_LATER, "database")


def _has_lost(before: Caller, now: Caller) -> bool:
    """Whether a caller sees less than before."""
    accounts = {access.account_id for access in now.accounts}
    return not before.scopes <= now.scopes or any(
        access.account_id not in accounts for access in before.accounts
    )


def _known_batches(
    accounts: list[int], epochs: list[str], totals: list[int]
) -> Iterable[tuple[list[int], list[str], list[int]]]:
    for first in range(0, len(accounts), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        yield accounts[part], epochs[part], totals[part]


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, or for so long; then the event is open again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


async def _messages(subscription: redis.asyncio.client.PubSub) -> AsyncIterator[dict[str, Any]]:
    """What comes over a subscription. Raises `redis.ConnectionError` also where the server has gone without a word."""
    is_asked = False
    while True:
        message = await subscription.get_message(timeout=SILENCE_SECONDS)
        if message is not None:
            is_asked = False
            yield message
        elif is_asked:
            raise redis.ConnectionError("no answer to a ping")
        else:
            await subscription.ping()
            is_asked = True


class _Away:
    """What does not answer at present: said once, and once more when it is back."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def note(self, name: str, sentence: str, error: Exception) -> None:
        """It does not answer."""
        if name not in self._names:
            self._names.add(name)
            logger.warning("%s: %s", sentence, type(error).__name__)

    def clear(self, name: str) -> None:
        """It answers."""
        if name in self._names:
            self._names.discard(name)
            logger.info("%s: back", name)


_service: Service | None = None


def service() -> Service:
    """The service of this process, which begins with the first connection. Called in the event loop."""
    global _service
    if _service is None:
        _service = Service()
    return _service
