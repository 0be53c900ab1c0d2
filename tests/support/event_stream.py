"""A client of an event source, on a plain socket."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.support.push_process import SECONDS


@dataclass
class Event:
    """One block of a stream: what its lines say."""

    event: str = ""
    data: str = ""
    id: str = ""
    comment: str | None = None

    @property
    def value(self) -> Any:
        """The JSON in the data."""
        return json.loads(self.data)


class EventStream:
    """A GET request and the stream that answers it."""

    def __init__(self, port: int, path: str, **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self._file.readline().strip().decode():
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self._chunk = b""

    @property
    def body(self) -> bytes:
        """The body of an answer that is no stream."""
        return self._file.read(int(self.headers["content-length"]))

    def chunk(self) -> bytes:
        """The next chunk; empty at the end of the stream, or of the connection."""
        size = int(self._file.readline().strip() or b"0", 16)
        data = self._file.read(size) if size else b""
        self._file.readline()
        return data

    def next(self) -> Event | None:
        """The next event or comment, which must be one chunk; None at the end of the stream."""
        data = self.chunk().decode()
        if not data:
            return None
        assert data.endswith("\n\n"), data
        found = Event()
        for line in data[:-2].split("\n"):
            name, _, value = line.partition(":")
            setattr(found, name or "comment", value.strip())
        return found

    def event(self, name: str = "state") -> Event:
        """The next event of that name."""
        while (found := self.next()) is not None:
            if found.event == name:
                return found
        raise AssertionError("the stream has ended")

    def reopen(self) -> None:
        """Read on after a timeout, when nothing was read."""
        self._file = self.socket.makefile("rb")

    def close(self) -> None:
        """End the connection."""
        self._file.close()
        self.socket.close()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()
