"""A relay for tests: a real SMTP server in this process, which answers as it is told and keeps what it takes."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from mail.outbound.relay_address import Relay, Security

_PARAMETER = re.compile(r" (RET|ENVID|NOTIFY|ORCPT)=(\S+)", re.IGNORECASE)

DROP = "drop"
"""What is no reply: the connection ends."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was taken."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    mail_options: tuple[str, ...]
    dsn: dict[str, str]
    """Parameters of RFC 3461: those of MAIL by their names, those of a recipient as `NOTIFY address`."""

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return email.message_from_bytes(self.content, policy=email.policy.default)


@dataclass
class Sink:
    """What the relay took, and what it answers: replies by recipient, or to MAIL, DATA or the end of DATA.

    A reply is used as often as it is asked for; a list of replies is used up, one for each question, and then the answer is OK.
    """

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    replies: dict[str, str | list[str]] = field(default_factory=dict)
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    most_recipients: int = 10_000
    knows_dsn: bool = True
    knows_smtputf8: bool = True
    holding: threading.Event | None = None
    """Not set: the end of DATA is not answered until it is."""
    waiting: threading.Event = field(default_factory=threading.Event)
    """Set as the end of DATA is waiting for `holding`."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def relay(self) -> Relay:
        """The address of this relay."""
        return Relay("127.0.0.1", self.port)

    def reply(self, question: str) -> str | None:
        """What to answer to a question; None for the usual."""
        found = self.replies.get(question)
        if isinstance(found, list):
            return found.pop(0) if found else None
        return found

    def wait_for(self, count: int, seconds: float = 20.0) -> list[Taken]:
        """What was taken, as soon as it is so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.taken) >= count, seconds), len(self.taken)
            return list(self.taken)

    def to(self, recipient: str) -> list[Taken]:
        """What was taken for one recipient."""
        return [each for each in self.taken if recipient in each.recipients]

    # As aiosmtpd calls them

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Say what there is."""
        session.host_name = hostname
        if self.knows_dsn:
            responses.insert(1, "250-DSN")
        responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # as above
        """Take a message, or not."""
        if self.holding is not None:
            self.waiting.set()
            while not self.holding.is_set():
                await asyncio.sleep(0.01)
        reply = self.reply("end")
        if reply is not None and reply != "250 and drop":
            return reply
        taken = Taken(
            envelope.mail_from,
            tuple(envelope.rcpt_tos),
            envelope.content,
            tuple(envelope.mail_options),
            dict(server.dsn),
        )
        with self.changed:
            self.taken.append(taken)
            self.changed.notify_all()
        if reply is not None:
            server.hang_up()
        return "250 2.0.0 Taken"


class _Server(SMTP):
    """aiosmtpd with the parameters of RFC 3461, and with a will of its own."""

    def __init__(self, sink: Sink, *arguments: Any, **options: Any) -> None:
        super().__init__(sink, *arguments, **options)
        self.sink = sink
        self.dsn: dict[str, str] = {}
        sink.connections += 1

    def hang_up(self) -> None:
        """End the connection at once."""
        transport: Any = self.transport
        transport.abort()

    async def push(self, status: Any) -> None:
        if status == DROP or (isinstance(status, bytes) and status.strip() == DROP.encode()):
            self.hang_up()
            return
        await super().push(status)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802  # aiosmtpd's name
        self.sink.commands.append(f"MAIL {arg}")
        self.dsn = (
            {name.upper(): value for name, value in _PARAMETER.findall(arg)} if self.sink.knows_dsn else {}
        )
        reply = self.sink.reply("MAIL")
        if reply is not None:
            await self.push(reply)
            return
        await super().smtp_MAIL(_PARAMETER.sub("", arg) if self.sink.knows_dsn else arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802  # as above
        self.sink.commands.append(f"RCPT {arg}")
        address = arg.partition("<")[2].partition(">")[0]
        if self.sink.knows_dsn:
            self.dsn |= {f"{name.upper()} {address}": value for name, value in _PARAMETER.findall(arg)}
            arg = _PARAMETER.sub("", arg)
        reply = self.sink.reply(address)
        if (
            reply is None
            and self.envelope is not None
            and len(self.envelope.rcpt_tos) >= self.sink.most_recipients
        ):
            reply = "452 4.5.3 Too many recipients"
        if reply is not None:
            await self.push(reply)
            return
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # as above
        self.sink.commands.append("DATA")
        reply = self.sink.reply("DATA")
        if reply is not None:
            await self.push(reply)
            return
        await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> _Server:
        return _Server(self.handler, **self.SMTP_kwargs)


@contextmanager
def sink(
    *,
    security: Security = Security.NONE,
    tls: ssl.SSLContext | None = None,
    password: tuple[str, str] | None = None,
    port: int = 0,
    **options: Any,
) -> Iterator[Sink]:
    """A relay on a port of its own, for the time of the block."""
    handler = Sink(**options)
    more: dict[str, Any] = {"enable_SMTPUTF8": handler.knows_smtputf8}
    if security is Security.STARTTLS:
        more |= {"tls_context": tls, "require_starttls": True}
    elif security is Security.TLS:
        more["ssl_context"] = tls
    if password is not None:
        more |= {
            "auth_required": True,
            "auth_require_tls": security is Security.STARTTLS,
            "authenticator": _authenticator(*password),
        }
    controller = _Controller(handler, hostname="127.0.0.1", port=port or _free_port(), **more)
    controller.start()
    handler.port = controller.port
    try:
        yield handler
    finally:
        if handler.holding is not None:
            handler.holding.set()
        controller.stop()


def _authenticator(name: str, password: str) -> Callable[..., AuthResult]:
    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=given == LoginPassword(name.encode(), password.encode()), handled=False)

    return authenticate


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], Any], seconds: float = 20.0, *, every: float = 0.01) -> Any:
    """What a condition gives, as soon as that is true; fails the test where it does not become so in time."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(every)
    return found
