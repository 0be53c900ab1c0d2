"""The LMTP server: its sockets, its threads, who may come in, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from accounts.client import Network
from jmapcore.blobs.storage import SMALL
from mail.delivery.content import Content
from mail.delivery.deliver import deliver
from mail.delivery.lookups import LookupServer
from mail.delivery.outcome import AWAY, STOPPING, Reply
from mail.delivery.recipients import Recipient, resolve_recipients
from mail.delivery.session import LMTPSession
from mail.delivery.sockets import is_trusted

logger = logging.getLogger("mail.lmtp")

NOT_TRUSTED = Reply(554, "5.7.1", "Not from there")
TOO_MANY_CONNECTIONS = Reply(421, "4.3.2", "Too many connections")
TURN_SECONDS = 0.001
"""What a process waits with each connection that it has, before it takes another."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may ask for. Sizes are octets, times seconds."""

    size: int
    recipients: int = 1_000
    connections: int = 100
    idle_seconds: float = 300
    content_seconds: float = 900
    """For the content of one message, however slowly it comes."""


class Speaking(Enum):
    """What is spoken at a socket."""

    LMTP = auto()
    LOOKUPS = auto()


class Server:
    """Sessions, and the threads that do what they ask for.

    The database is spoken to in `threads` threads; messages beyond `SMALL` go through another one, one after the other, so that a
    few large ones neither fill the memory nor hold up all others.
    """

    def __init__(
        self,
        host_name: str,
        limits: Limits,
        trusted: Sequence[Network],
        spool: str,
        *,
        is_strict: bool = True,
        threads: int = 4,
    ) -> None:
        self.host_name = host_name
        self.limits = limits
        self.is_stopping = False
        self._trusted = trusted
        self._spool = spool
        self._is_strict = is_strict
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="delivery")
        self._large = ThreadPoolExecutor(1, thread_name_prefix="large")
        self._lookups = LookupServer(trusted, self._threads, limits.idle_seconds)
        self._sessions: set[LMTPSession] = set()
        self._listening: dict[socket.socket, Speaking] = {}
        self._connecting: set[asyncio.Task[Any]] = set()
        self._storing: set[Future[list[Reply]]] = set()
        self._left = asyncio.Event()

    def serve(self, listening: socket.socket, speaking: Speaking = Speaking.LMTP) -> None:
        """Take connections at a socket, which other processes may take some from too."""
        loop = asyncio.get_running_loop()
        self._listening[listening] = speaking
        loop.add_reader(listening, self._wait_for_turn, listening)

    def _wait_for_turn(self, listening: socket.socket) -> None:
        """Leave a connection to a process that has fewer, which is quicker then."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        loop.call_later(TURN_SECONDS * len(self._sessions), self._take, listening)

    def _take(self, listening: socket.socket) -> None:
        if self.is_stopping:
            return
        loop = asyncio.get_running_loop()
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            pass  # another process was quicker, or it has gone
        except OSError as error:
            # Out of files, most likely.
            logger.error("a connection cannot be taken: %s", error)
            loop.call_later(1, self._take, listening)
            return
        else:
            connection.setblocking(False)
            lmtp = self._listening[listening] is Speaking.LMTP
            task = loop.create_task(
                loop.connect_accepted_socket(partial(LMTPSession, self) if lmtp else self._lookup, connection)
            )
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        loop.add_reader(listening, self._wait_for_turn, listening)

    def _lookup(self) -> asyncio.Protocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._lookups.converse)

    async def stop(self) -> None:
        """Take nothing more, and return when all that is being stored has been answered."""
        self.is_stopping = True
        for listening in self._listening:
            asyncio.get_running_loop().remove_reader(listening)
            listening.close()
        self._lookups.stop()
        for session in list(self._sessions):
            session.stop()
        while self._sessions:
            self._left.clear()
            await self._left.wait()
        # Whoever went away while a message was stored has no session any more.
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._large.shutdown)

    @property
    def storing(self) -> int:
        """Messages that have come and are being stored, or wait for it."""
        return len(self._storing)

    # What sessions ask for

    def admit(self, session: LMTPSession) -> Reply | None:
        """Let a connection in, or say why not."""
        self._sessions.add(session)
        if self.is_stopping:
            return STOPPING
        if not is_trusted(session.peer, self._trusted):
            logger.warning("a connection from %s, which is not trusted", session.peer)
            return NOT_TRUSTED
        return TOO_MANY_CONNECTIONS if len(self._sessions) > self.limits.connections else None

    def leave(self, session: LMTPSession) -> None:
        """A connection has ended."""
        self._sessions.discard(session)
        self._left.set()

    def new_content(self) -> Content:
        """Where the content of a message goes."""
        return Content(self.limits.size, self._spool, is_strict=self._is_strict)

    async def resolve(self, addresses: list[str]) -> list[Recipient | Reply]:
        """Whose accounts these are; all have to wait where the database is away."""
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, resolve_recipients, addresses
            )
        except (psycopg.Error, PoolTimeout) as error:
            logger.warning("recipients are not known now: %s", type(error).__name__)
            return [AWAY] * len(addresses)

    async def deliver(
        self, name: str, content: Content, recipients: Sequence[Recipient], return_path: str, hop: str
    ) -> list[Reply]:
        """Store a message; the reply to each recipient. Raises OSError where the spool cannot be read."""
        threads = self._threads if content.size <= SMALL else self._large
        work = threads.submit(self._deliver, name, content, recipients, return_path, hop)
        self._storing.add(work)
        work.add_done_callback(self._storing.discard)
        # Whoever goes away does not take the message along, for its recipients may have it already.
        return await asyncio.shield(asyncio.wrap_future(work))

    def _deliver(
        self, name: str, content: Content, recipients: Sequence[Recipient], return_path: str, hop: str
    ) -> list[Reply]:
        outcomes = deliver(
            content.octets(),
            recipients,
            return_path=return_path,
            hop=hop,
            is_stopping=lambda: self.is_stopping,
        )
        statuses = Counter(outcome.reply.status for outcome in outcomes)
        said = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
        logger.info("%s: %d octets, recipients: %s", name, content.size, said)
        return [outcome.reply for outcome in outcomes]
