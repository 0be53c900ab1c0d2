"""`manage.py send_submissions`: deliver what is due, in a process of its own beside the worker's, or in place of them."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from mail.outbound.courier import Courier


class Command(BaseCommand):
    """A courier in the foreground."""

    help = "Delivers submissions that are due until it is stopped (Ctrl-C). The worker does the same: any number may run."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many at once."""
        parser.add_argument(
            "--senders", type=int, default=settings.MAIL_SENDERS, help="messages that are sent at once"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until a signal comes."""
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        courier = Courier(max(1, options["senders"]))
        courier.start()
        stopping.wait()
        courier.stop()
