"""What a Postfix in front asks: which domains and recipients there are, and who may send as whom (socketmap_table(5)).

A request is a netstring with the name of a map and a key, an answer one with `OK data`, `NOTFOUND `, `TEMP …` or `PERM …`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg_pool import PoolTimeout

from accounts.addresses import normalise_address, normalise_domain
from accounts.client import Network
from jmapcore.store import database
from jmapcore.store.database import execute
from mail.delivery.outcome import SUSPENDED, Reply
from mail.delivery.recipients import DOMAIN, Recipient, resolve_recipients
from mail.delivery.sockets import is_trusted

logger = logging.getLogger("mail.lookups")

LONGEST_REQUEST = 2_000
"""Octets of a request: a name and an address, with room besides."""
LONGEST_ANSWER = 100_000
"""Octets of an answer that Postfix takes."""

SENDERS = """
    SELECT u.address FROM accounts_user AS u
    WHERE u.is_active AND NOT u.is_suspended AND (u.id = %s OR u.id IN (
        SELECT g.user_id FROM accounts_grant AS g WHERE g.account_id = %s AND g.may_send_as))
    ORDER BY u.id"""


class RequestError(ValueError):
    """A request that is none."""


def domains(key: str) -> str | None:
    """A domain whose mail comes here, in its normal spelling."""
    name = normalise_domain(key)
    if name is None:
        return None
    with database.connection() as connection:
        return name if execute(connection, DOMAIN, (name,)).fetchone() else None


def recipients(key: str) -> str | None:
    """An address that somebody has, in its normal spelling. That of a suspended user is one: what is said of it comes by LMTP."""
    [found] = resolve_recipients([key])
    if isinstance(found, Recipient):
        return found.address
    return normalise_address(key) if found is SUSPENDED else None


def access(key: str) -> str | None:
    """What a Postfix should say at once of a recipient that is refused for now, for `check_recipient_access`."""
    [found] = resolve_recipients([key])
    return str(found) if isinstance(found, Reply) and found is SUSPENDED else None


def senders(key: str) -> str | None:
    """The login addresses of those who may send as an address, with commas between them (`smtpd_sender_login_maps`)."""
    [found] = resolve_recipients([key])
    if not isinstance(found, Recipient):
        return None
    with database.connection() as connection:
        rows = execute(connection, SENDERS, (found.owner_id, found.account_id)).fetchall()
    return ",".join(address for (address,) in rows) or None


MAPS: dict[str, Callable[[str], str | None]] = {
    "domains": domains,
    "recipients": recipients,
    "access": access,
    "senders": senders,
}


def answer(request: bytes) -> str:
    """The answer to one request."""
    try:
        name, space, key = request.decode("utf_8").partition(" ")
    except UnicodeDecodeError:
        return "NOTFOUND "
    look_up = MAPS.get(name)
    if look_up is None or not space:
        return "PERM there is no such map"
    try:
        found = look_up(key)
    except (psycopg.Error, PoolTimeout) as error:
        logger.warning("a lookup has to wait: %s", type(error).__name__)
        return "TEMP not possible now"
    return "NOTFOUND " if found is None else f"OK {found}"


class LookupServer:
    """Answers requests, in threads that are given."""

    def __init__(self, trusted: Sequence[Network], threads: ThreadPoolExecutor, idle_seconds: float) -> None:
        self._trusted = trusted
        self._threads = threads
        self._idle_seconds = idle_seconds
        self._conversations: set[asyncio.Task[None]] = set()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for `asyncio.start_server`."""
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            address = writer.get_extra_info("peername")
            peer = str(address[0]) if isinstance(address, tuple) else ""
            if is_trusted(peer, self._trusted):
                await self._answer_all(reader, writer)
            else:
                logger.warning("a connection from %s, which is not trusted", peer)
        except (RequestError, TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            if isinstance(error, RequestError):
                logger.warning("a request that is none: %s", error)
        finally:
            self._conversations.discard(task)
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(self._idle_seconds):
                request = await _request(reader)
            said = await asyncio.get_running_loop().run_in_executor(self._threads, answer, request)
            octets = said.encode()[:LONGEST_ANSWER]
            writer.write(b"%d:%s," % (len(octets), octets))
            await writer.drain()

    def stop(self) -> None:
        """End all conversations: Postfix asks again."""
        for task in list(self._conversations):
            task.cancel()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """The next netstring. Raises `RequestError`, `asyncio.IncompleteReadError` at the end."""
    digits = b""
    while (octet := await reader.readexactly(1)) != b":":
        digits += octet
        if not octet.isdigit() or len(digits) > len(str(LONGEST_REQUEST)):
            raise RequestError("no length")
    if not digits or int(digits) > LONGEST_REQUEST:
        raise RequestError("no length, or too long")
    request = await reader.readexactly(int(digits))
    if await reader.readexactly(1) != b",":
        raise RequestError("no comma at its end")
    return request
