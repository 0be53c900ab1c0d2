"""Somebody else's mail server: a real SMTP server on a port of this machine that keeps what it takes."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

REFUSED, DELAYED = "refused", "delayed"
"""How the local parts begin of those to whom mail is refused for good, and of those who take it only at the second time."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was taken: its envelope and its octets."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return email.message_from_bytes(self.content, policy=email.policy.default)


@dataclass
class Elsewhere:
    """The handler of the server, as aiosmtpd calls it, and what it has taken."""

    taken: list[Taken] = field(default_factory=list)
    received: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each message (by its Message-ID, in brackets) came for each recipient."""
    asked: Counter[str] = field(default_factory=Counter)

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Refuse, put off or take one recipient."""
        self.asked[address] += 1
        if address.startswith(REFUSED):
            return "550 5.1.1 Nobody of this name"
        if address.startswith(DELAYED) and self.asked[address] == 1:
            return "451 4.2.0 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # as above
        """Take a message."""
        taken = Taken(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content)
        self.taken.append(taken)
        identifier = str(email.message_from_bytes(envelope.content)["Message-ID"]).strip()
        for recipient in taken.recipients:
            self.received[identifier, recipient] += 1
        return "250 2.0.0 Taken"


@contextmanager
def elsewhere(port: int) -> Iterator[Elsewhere]:
    """Such a server, for the time of the block."""
    handler = Elsewhere()
    controller = Controller(handler, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()
