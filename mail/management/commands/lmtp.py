"""`manage.py lmtp`: mail comes in, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mail.delivery.server import Limits, Server, Speaking

logger = logging.getLogger("mail.lmtp")


class Command(BaseCommand):
    """The LMTP server and the lookups for the MTA in front of it."""

    help = (
        "Takes mail from an MTA by LMTP, and tells it which domains and recipients there are, until SIGTERM."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve. Raises `CommandError` where a socket cannot be listened at."""
        try:
            asyncio.run(serve())
        except (OSError, KeyError) as error:
            raise CommandError(f"The LMTP server cannot start: {error}.") from error


async def serve() -> None:
    """Listen at the sockets of the settings until SIGTERM or SIGINT. Raises OSError, KeyError for an unknown group."""
    server = Server(
        settings.MAIL_HOST_NAME,
        Limits(
            settings.LMTP_MAX_SIZE,
            settings.LMTP_MAX_RECIPIENTS,
            settings.LMTP_MAX_CONNECTIONS,
            settings.LMTP_IDLE_SECONDS,
        ),
        settings.LMTP_TRUSTED_PEERS,
        settings.JMAP_SPOOL_DIRECTORY,
        is_strict=not settings.LMTP_ALLOW_LONE_LINE_ENDS,
        threads=settings.LMTP_THREADS,
    )
    wanted = asyncio.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wish, wanted.set)
    for speaking, port, path in (
        (Speaking.LMTP, settings.LMTP_PORT, settings.LMTP_SOCKET),
        (Speaking.LOOKUPS, settings.LOOKUP_PORT, settings.LOOKUP_SOCKET),
    ):
        if path:
            await server.listen_at(path, settings.LMTP_SOCKET_GROUP, speaking)
        if port:
            await server.listen(settings.HOST, port, speaking)
    await wanted.wait()
    await server.stop()
