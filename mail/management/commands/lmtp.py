"""`manage.py lmtp`: mail comes in, until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mail.delivery.server import Limits, Server, Speaking
from mail.delivery.sockets import listen_at_path, listen_at_port
from mail.delivery.workers import Workers

logger = logging.getLogger("mail.lmtp")

Sockets = list[tuple[Speaking, socket.socket]]


class Command(BaseCommand):
    """The LMTP server and the lookups for the MTA in front of it."""

    help = (
        "Takes mail from an MTA by LMTP, and tells it which domains and recipients there are, until SIGTERM."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve. Raises `CommandError` where a socket cannot be listened at."""
        try:
            sockets = _sockets()
        except (OSError, KeyError) as error:
            raise CommandError(f"The LMTP server cannot start: {error}.") from error
        # What is here now is shared by the processes for as long as nobody writes to it.
        gc.collect()
        gc.freeze()
        Workers(settings.LMTP_PROCESSES, partial(_work, sockets)).run()


def _sockets() -> Sockets:
    found: Sockets = []
    for speaking, port, path in (
        (Speaking.LMTP, settings.LMTP_PORT, settings.LMTP_SOCKET),
        (Speaking.LOOKUPS, settings.LOOKUP_PORT, settings.LOOKUP_SOCKET),
    ):
        if path:
            found.append((speaking, listen_at_path(path, settings.LMTP_SOCKET_GROUP)))
        if port:
            found.append((speaking, listen_at_port(settings.HOST, port)))
    return found


def _work(sockets: Sockets, alive: int) -> None:
    asyncio.run(serve(sockets, alive))


async def serve(sockets: Sockets, alive: int) -> None:
    """Serve until SIGTERM or SIGINT; at once no more where `alive` becomes readable: the first process is gone."""
    loop = asyncio.get_running_loop()
    loop.add_reader(alive, os._exit, 1)
    wanted = asyncio.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wish, wanted.set)
    limits = Limits(
        settings.LMTP_MAX_SIZE,
        settings.LMTP_MAX_RECIPIENTS,
        -(-settings.LMTP_MAX_CONNECTIONS // settings.LMTP_PROCESSES),
        settings.LMTP_IDLE_SECONDS,
    )
    server = Server(
        settings.MAIL_HOST_NAME,
        limits,
        settings.LMTP_TRUSTED_PEERS,
        settings.JMAP_SPOOL_DIRECTORY,
        is_strict=not settings.LMTP_ALLOW_LONE_LINE_ENDS,
        threads=settings.LMTP_THREADS,
    )
    for speaking, listening in sockets:
        server.serve(listening, speaking)
    await wanted.wait()
    await server.stop()
