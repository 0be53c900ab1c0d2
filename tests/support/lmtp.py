"""The LMTP server in a thread of the tests' own process, and a client that says exactly what it is told to."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from accounts.client import trusted_networks
from mail.delivery.server import Limits, Server, Speaking
from mail.delivery.sockets import listen_at_path, listen_at_port

SECONDS = 10
"""For anything to come that has to come."""
HOST_NAME = "mail.test.example"
_WITHOUT_STATUS = re.compile(rb"220 |354 |250-|250 SIZE ")


class RunningServer:
    """A server that listens at a port, at sockets, and at a port for lookups."""

    def __init__(self, directory: Path, limits: Limits, trusted: str, threads: int, **options: Any) -> None:
        self.socket = str(directory / "lmtp.sock")
        self.lookup_socket = str(directory / "lookup.sock")
        self.spool = directory / "spool"
        self.port = self.lookup_port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self.server: Server
        self._parameters = (HOST_NAME, limits, trusted_networks(trusted.split(",")), str(self.spool))
        self._options = {"threads": threads, **options}
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))

    async def _serve(self) -> None:
        self.server = Server(*self._parameters, **self._options)
        for speaking, path in ((Speaking.LMTP, self.socket), (Speaking.LOOKUPS, self.lookup_socket)):
            self.server.serve(listen_at_path(path), speaking)
            listening = listen_at_port("127.0.0.1", 0)
            self.server.serve(listening, speaking)
            if speaking is Speaking.LMTP:
                self.port = listening.getsockname()[1]
            else:
                self.lookup_port = listening.getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await self.server.stop()

    def start(self) -> None:
        """Return when it listens."""
        self._thread.start()
        assert self._ready.wait(SECONDS)

    @property
    def storing(self) -> int:
        """Messages that have come and are being stored, or wait for it."""
        return self.server.storing

    def begin_to_stop(self) -> None:
        """As SIGTERM does."""
        self._loop.call_soon_threadsafe(self._stop.set)

    def end(self) -> None:
        """Return when it has stopped."""
        self.begin_to_stop()
        self._thread.join(3 * SECONDS)
        assert not self._thread.is_alive()
        self._loop.close()


@contextmanager
def running_server(
    directory: Path,
    *,
    size: int = 50_000_000,
    recipients: int = 1_000,
    connections: int = 100,
    idle_seconds: float = 60,
    content_seconds: float = 60,
    trusted: str = "127.0.0.1",
    threads: int = 4,
    **options: Any,
) -> Iterator[RunningServer]:
    """A server with these limits, stopped at the end."""
    limits = Limits(size, recipients, connections, idle_seconds, content_seconds)
    server = RunningServer(directory, limits, trusted, threads, **options)
    server.start()
    try:
        yield server
    finally:
        server.end()


class RawClient:
    """A socket that looks at each reply: its form, and that it has an enhanced status code where there has to be one."""

    def __init__(self, port: int = 0, path: str = "") -> None:
        family = socket.AF_UNIX if path else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(SECONDS)
        self.socket.connect(path or ("127.0.0.1", port))
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Go away without a word."""
        self._file.close()
        self.socket.close()

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.socket.sendall(octets)

    def reply(self) -> str:
        """The next reply: its lines without their ends, joined by LF; empty at the end of the connection."""
        lines = []
        while True:
            line = self._file.readline()
            if not line:
                return ""
            assert line.endswith(b"\r\n"), line
            assert len(line) <= 512
            if not _WITHOUT_STATUS.match(line):
                assert re.match(rb"([245])\d\d[ -]\1\.\d{1,3}\.\d{1,3} \S", line), line
            lines.append(line[:-2].decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def say(self, command: str | bytes) -> str:
        """The reply to one command."""
        self.send((command.encode() if isinstance(command, str) else command) + b"\r\n")
        return self.reply()

    def greet(self) -> RawClient:
        """Read the greeting and say LHLO."""
        assert self.reply().startswith("220 ")
        assert self.say("LHLO client.example").startswith("250-")
        return self

    def begin(self, *recipients: str, sender: str = "zoe@example.org", parameters: str = "") -> list[str]:
        """MAIL and RCPT; the replies to the recipients."""
        assert self.say(f"MAIL FROM:<{sender}>{parameters}")[:9] == "250 2.1.0"
        return [self.say(f"RCPT TO:<{recipient}>") for recipient in recipients]

    def content(self, octets: bytes, replies: int = 1) -> list[str]:
        """DATA and octets that end with CRLF.CRLF; so many replies."""
        assert self.say("DATA").startswith("354 ")
        self.send(octets)
        return [self.reply() for _ in range(replies)]

    def at_its_end(self) -> bool:
        """Whether the server has closed the connection and says nothing more."""
        with suppress(ConnectionResetError):
            return self._file.read(1) == b""
        return True
