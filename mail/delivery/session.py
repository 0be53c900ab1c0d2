"""One conversation of LMTP (RFC 2033), on the protocol class of aiosmtpd.

The class keeps the connection, its streams and its timer. The commands are our own: each reply carries an enhanced status code
(RFC 2034) on which the MTA in front acts, only CRLF ends a line, and a message is spooled and never held line by line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NoReturn

from aiosmtpd.lmtp import LMTP

from mail.delivery.commands import (
    BAD_ARGUMENT,
    LONGEST_LINE,
    Command,
    CommandError,
    Sender,
    parse_command,
    parse_host,
    parse_recipient,
    parse_sender,
)
from mail.delivery.content import NO_ROOM, TOO_LARGE, Content
from mail.delivery.outcome import AWAY, STOPPING, Reply
from mail.delivery.recipients import Recipient
from mail.delivery.trace import new_transaction_id

if TYPE_CHECKING:
    from mail.delivery.server import Server

logger = logging.getLogger("mail.lmtp")

READ = 64 * 1024
MOST_ERRORS = 20
"""Commands that are refused before the connection ends."""
LONGEST_REPLY_PAUSE = 3_600
"""Seconds that the delivery of one message may take: PostgreSQL's own limits are far below."""

OK = Reply(250, "2.0.0", "OK")
SENDER_OK = Reply(250, "2.1.0", "OK")
RECIPIENT_OK = Reply(250, "2.1.5", "OK")
BYE = Reply(221, "2.0.0", "Bye")
HELP = Reply(214, "2.0.0", "RFC 2033")
NOT_VERIFIED = Reply(252, "2.5.0", "Send something and you will see")
UNKNOWN_COMMAND = Reply(500, "5.5.1", "No such command")
NOT_HERE = Reply(502, "5.5.1", "Not implemented")
OUT_OF_ORDER = Reply(503, "5.5.1", "Not now: LHLO, MAIL, RCPT, DATA is the order")
NO_RECIPIENTS = Reply(503, "5.5.1", "No recipient was accepted")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients in one transaction")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors")
TOO_SLOW = Reply(421, "4.4.2", "Too slow")

# What a browser says that was talked into speaking to this port.
_HTTP = frozenset({"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PATCH", "HOST:"})


class State(Enum):
    """What a session is about, as far as an end of the service is concerned."""

    COMMANDS = auto()
    CONTENT = auto()
    DELIVERY = auto()


class _ClosedError(Exception):
    """The conversation is over."""


class LMTPSession(LMTP):
    """One connection."""

    def __init__(self, server: Server) -> None:
        super().__init__(
            object(),
            hostname=server.host_name,
            enable_SMTPUTF8=True,
            data_size_limit=None,
            timeout=server.limits.idle_seconds,
            loop=asyncio.get_running_loop(),
        )
        self._server = server
        self._state = State.COMMANDS
        self._input = bytearray()
        self._replies: list[bytes] = []
        self._errors = 0
        self._host: str | None = None
        self._sender: Sender | None = None
        self._recipients: list[Recipient] = []
        self._resolved: dict[str, Recipient | Reply] = {}

    # The connection

    async def _handle_client(self) -> None:
        """Converse until either side has had enough."""
        refusal = self._server.admit(self)
        try:
            if refusal is not None:
                await self._end(refusal)
            # The greeting has no enhanced status code (RFC 2034 §4).
            self._replies.append(f"220 {self._server.host_name} LMTP\r\n".encode())
            while True:
                command = await self._command()
                if command is not None:
                    await self._execute(command)
        except (_ClosedError, ConnectionError):
            pass
        except Exception:
            logger.exception("a session failed")
        finally:
            self._server.leave(self)
            if self.transport is not None:
                self.transport.close()

    def eof_received(self) -> bool:
        """The client sends no more; what it sent is answered yet."""
        assert isinstance(self._reader, asyncio.StreamReader)
        self._reader.feed_eof()
        return True

    def _timeout_cb(self) -> None:
        if self.transport is not None:
            self._writer.write(f"{TOO_SLOW}\r\n".encode())
            self.transport.close()

    @property
    def peer(self) -> str:
        """The IP address of the other side; empty for a unix socket."""
        address = self.session.peer if self.session is not None else None
        return str(address[0]) if isinstance(address, tuple) else ""

    def stop(self) -> None:
        """The service ends: a message that is being stored is answered yet, and no other."""
        if self._state is State.DELIVERY or self.transport is None:
            return
        if self._state is State.COMMANDS:
            self._writer.write(f"{STOPPING}\r\n".encode())
        self.transport.close()

    # Input and output

    async def _more(self) -> None:
        """Wait for input, having sent all replies (RFC 2920 §3.2: those to a group of commands go together)."""
        self._reset_timeout()
        await self._flush()
        octets = await self._reader.read(READ)
        if not octets:
            raise _ClosedError
        self._input += octets

    async def _line(self) -> bytes:
        """The next line with its LF. A longer one than any command is read to its end, and what is left of it returned."""
        is_long = False
        start = 0
        while (end := self._input.find(b"\n", start)) < 0:
            if len(self._input) > LONGEST_LINE:
                is_long = True
                del self._input[:-1]
            start = len(self._input)
            await self._more()
        line = bytes(self._input[: end + 1])
        del self._input[: end + 1]
        return b"\n" if is_long else line

    def _say(self, *replies: Reply) -> None:
        self._replies += [f"{reply}\r\n".encode() for reply in replies]

    async def _flush(self) -> None:
        if self._replies:
            self._writer.write(b"".join(self._replies))
            self._replies.clear()
            await self._writer.drain()

    async def _end(self, *replies: Reply) -> NoReturn:
        self._say(*replies)
        await self._flush()
        raise _ClosedError

    async def _refuse(self, reply: Reply) -> None:
        self._errors += 1
        if self._errors > MOST_ERRORS:
            await self._end(reply, TOO_MANY_ERRORS)
        self._say(reply)

    # Commands

    async def _command(self) -> Command | None:
        """The next command; None where the line was none, which has been answered."""
        line = await self._line()
        try:
            return parse_command(line)
        except CommandError as error:
            await self._refuse(error.reply)
            return None

    async def _execute(self, command: Command) -> None:
        if self._server.is_stopping:
            await self._end(STOPPING)
        try:
            match command.verb:
                case "LHLO":
                    self._greet(parse_host(command.argument))
                case "MAIL":
                    self._begin(command.argument)
                case "RCPT":
                    await self._add_recipient(command.argument)
                case "DATA":
                    await self._take_message(command.argument)
                case "RSET":
                    self._without_argument(command)
                    self._forget()
                    self._say(OK)
                case "NOOP":
                    self._say(OK)
                case "QUIT":
                    self._without_argument(command)
                    await self._end(BYE)
                case "VRFY":
                    self._say(NOT_VERIFIED)
                case "HELP":
                    self._say(HELP)
                case "EXPN" | "BDAT" | "AUTH" | "STARTTLS" | "TURN" | "ETRN":
                    raise CommandError(NOT_HERE)
                case verb if verb in _HTTP:
                    await self._end(UNKNOWN_COMMAND)
                case _:
                    # HELO and EHLO among them: "MUST NOT" be taken (RFC 2033 §4.1).
                    raise CommandError(UNKNOWN_COMMAND)
        except CommandError as error:
            await self._refuse(error.reply)

    @staticmethod
    def _without_argument(command: Command) -> None:
        if command.argument:
            raise CommandError(BAD_ARGUMENT)

    def _forget(self) -> None:
        """End the transaction."""
        self._sender = None
        self._recipients = []
        self._resolved = {}

    def _greet(self, host: str) -> None:
        self._host = host
        self._forget()
        names = [
            self._server.host_name,
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "8BITMIME",
            "SMTPUTF8",
            f"SIZE {self._server.limits.size}",
        ]
        # Lines of names have no enhanced status code (RFC 2034 §4).
        self._replies += [
            f"250{'-' if place < len(names) else ' '}{name}\r\n".encode()
            for place, name in enumerate(names, 1)
        ]

    def _begin(self, argument: str) -> None:
        if self._host is None or self._sender is not None:
            raise CommandError(OUT_OF_ORDER)
        sender = parse_sender(argument)
        if sender.size is not None and sender.size > self._server.limits.size:
            raise CommandError(TOO_LARGE)
        self._sender = sender
        self._say(SENDER_OK)

    async def _add_recipient(self, argument: str) -> None:
        if self._sender is None:
            raise CommandError(OUT_OF_ORDER)
        address = parse_recipient(argument, is_utf8=self._sender.is_utf8)
        if len(self._recipients) >= self._server.limits.recipients:
            # No error of the client's, which "MUST" go on with those that were taken (RFC 5321 §4.5.3.1.10).
            self._say(TOO_MANY_RECIPIENTS)
            return
        if address not in self._resolved:
            await self._resolve(address)
        found = self._resolved.pop(address)
        if isinstance(found, Reply):
            self._say(found)
            return
        self._recipients.append(found)
        self._say(RECIPIENT_OK)

    async def _resolve(self, address: str) -> None:
        """Look up an address, together with those in commands that have come already."""
        assert self._sender is not None
        room = self._server.limits.recipients - len(self._recipients)
        wanted = dict.fromkeys([address, *_addresses_ahead(self._input, is_utf8=self._sender.is_utf8)][:room])
        found = await self._server.resolve(list(wanted))
        self._resolved = dict(zip(wanted, found, strict=True))

    # The message

    async def _take_message(self, argument: str) -> None:
        if argument:
            raise CommandError(BAD_ARGUMENT)
        if self._sender is None:
            raise CommandError(OUT_OF_ORDER)
        if not self._recipients:
            raise CommandError(NO_RECIPIENTS)
        # Neither greeting nor this one is followed by anything that a status code could be of.
        self._replies.append(b"354 End with CRLF.CRLF\r\n")
        content = self._server.new_content()
        try:
            await self._collect(content)
        except BaseException:
            content.discard()
            raise
        # From here on it is the thread's: should the client go away, that thread goes on all the same.
        self._say(*await self._deliver(content))
        self._forget()
        self._state = State.COMMANDS
        if self._server.is_stopping:
            await self._end(STOPPING)

    async def _collect(self, content: Content) -> None:
        """Read the message to its end."""
        self._state = State.CONTENT
        limits = self._server.limits
        deadline = self.loop.time() + limits.content_seconds
        while True:
            if self._input:
                octets = bytes(self._input)
                self._input.clear()
                rest = content.feed(octets)
                if rest is not None:
                    self._input += rest
                    return
            if content.excess > limits.size:
                await self._end(Reply(421, TOO_LARGE.status, TOO_LARGE.text))
            if self.loop.time() > deadline:
                await self._end(TOO_SLOW)
            await self._more()

    async def _deliver(self, content: Content) -> Sequence[Reply]:
        """One reply for each recipient that was accepted, in order (RFC 2033 §4.2)."""
        assert self._sender is not None
        if content.problem is not None:
            return [content.problem] * len(self._recipients)
        self._state = State.DELIVERY
        self._reset_timeout(LONGEST_REPLY_PAUSE)
        name = new_transaction_id()
        hop = f"from {self._host} ({self._peer_text()})\r\n\tby {self._server.host_name} (jmapsite) "
        hop += f"with {'UTF8' if self._sender.is_utf8 else ''}LMTP id {name}"
        try:
            return await self._server.deliver(name, content, self._recipients, self._sender.path, hop)
        except OSError:
            logger.exception("%s: the spool cannot be read", name)
            return [NO_ROOM] * len(self._recipients)
        except Exception:
            # Whatever it is, the MTA still has the message and tries again.
            logger.exception("%s: a delivery failed", name)
            return [AWAY] * len(self._recipients)

    def _peer_text(self) -> str:
        peer = self.peer
        return f"[{'IPv6:' if ':' in peer else ''}{peer}]" if peer else "unix socket"


def _addresses_ahead(commands: bytearray, *, is_utf8: bool) -> list[str]:
    """The addresses of the RCPT commands that wait, up to the first other command."""
    found = []
    for line in bytes(commands).split(b"\n")[:-1]:
        try:
            command: Any = parse_command(line + b"\n")
            if command.verb != "RCPT":
                break
            found.append(parse_recipient(command.argument, is_utf8=is_utf8))
        except CommandError:
            continue
    return found
