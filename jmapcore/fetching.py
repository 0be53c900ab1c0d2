"""The guarded fetcher: every HTTPS request to a URL that a user gave goes through here, and none by another way.

A user's URL may lead anywhere: to the metadata of the cloud, to a database on the inside, to a host that answers one octet a
minute. So the name is resolved here, every address that it has must be a public one (or of a network that the operator
allows), and the connection is made to the very address that was checked, whatever the name says a moment later; TLS and the
Host field go by the name. There is no proxy, no redirect, no cookie, no kept connection, and one deadline for all of it, however
slowly the other side speaks.
"""

from __future__ import annotations

import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import certifi
import httpcore
from django.conf import settings

from jmapcore.public_addresses import Address, Network, may_be_reached, parsed

SECONDS = 10.0
"""How long one request may take, from looking the name up to the end of the answer."""

RESOLVE_SECONDS = 5.0
MOST_ANSWER_OCTETS = 16_384
"""Of an answer's body no more is read."""

MAX_URL_OCTETS = 2_048

_PRINTABLE = re.compile(r"[!-\[\]-_a-~]+\Z")
"""What a URL is made of (RFC 3986), and nothing that some parser reads as another part of it (`\\`, a backquote, spaces)."""
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\Z")

Resolve = Callable[[str, int], Iterable[str]]
"""The texts of a name's addresses; raises `OSError` where it has none."""


class FetchError(Exception):
    """No answer came. `is_forbidden`: none was asked for, since the URL may not be fetched at all."""

    def __init__(self, reason: str, *, is_forbidden: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_forbidden = is_forbidden


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its status, its header fields by lower-case names, and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def checked_url(url: str) -> SplitResult:
    """The parts of a URL that might be fetched. Raises `FetchError` for any other, without a look at the network.

    It is https, in ASCII, with a host that is a name or a public address, without user information and without a fragment.
    """
    if len(url) > MAX_URL_OCTETS or not _PRINTABLE.match(url):
        raise FetchError("no URL", is_forbidden=True)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise FetchError("no URL", is_forbidden=True) from None
    if parts.scheme != "https" or "@" in parts.netloc or "#" in url or port == 0:
        raise FetchError("no https URL of a host alone", is_forbidden=True)
    if parsed(host) is None and (not _HOST.match(host) or host.rpartition(".")[2].isdigit()):
        # A name that ends in a number is an address in another spelling to some resolvers (0x7f.1, 127.1).
        raise FetchError("no host", is_forbidden=True)
    return parts


def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the operating system finds them. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class Fetcher:
    """Fetches with one policy: `allowed` are networks that may be reached though they are not public, `ca_file` holds
    certificates that are trusted besides the usual ones (empty: none)."""

    def __init__(
        self, allowed: Iterable[Network] = (), ca_file: str = "", resolve: Resolve = system_resolve
    ) -> None:
        self._allowed = tuple(allowed)
        self._ca_file = ca_file
        self._resolve = resolve

    def addresses(self, host: str, port: int, seconds: float = RESOLVE_SECONDS) -> list[Address]:
        """The addresses of a host, all of which may be reached. Raises `FetchError`.

        One forbidden address among public ones forbids the name: nobody has such a name by accident.
        """
        literal = parsed(host)
        found = [literal] if literal is not None else self._look_up(host, port, seconds)
        if not all(may_be_reached(address, self._allowed) for address in found):
            raise FetchError("an address that is not public", is_forbidden=True)
        return found

    def _look_up(self, host: str, port: int, seconds: float) -> list[Address]:
        """Ask the resolver, which knows no deadline, in a thread that is left behind when the time is over."""
        answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(list(self._resolve(host, port)))
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            answer = answers.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            raise FetchError("the name could not be looked up in time") from None
        if isinstance(answer, Exception):
            raise FetchError("the name is not known")
        found = [address for address in map(parsed, answer) if address is not None]
        if not found:
            raise FetchError("the name has no address")
        return found

    def post(self, url: str, headers: Mapping[str, str], content: bytes, seconds: float = SECONDS) -> Fetched:
        """POST to a URL. Raises `FetchError` where no answer comes in time, and where none may be asked for.

        Whatever status the answer has, redirects too, is the caller's to read.
        """
        checked_url(url)
        deadline = time.monotonic() + seconds
        backend = _Pinned(self, deadline)
        fields = {"User-Agent": "jmapsite", "Accept": "*/*", "Connection": "close", **headers}
        listed = [(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()]
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=_tls(self._ca_file), max_connections=1, retries=0, network_backend=backend
                ) as pool,
                pool.stream("POST", url, headers=listed, content=content) as response,
            ):
                answered = {
                    name.decode("ascii", "replace").lower(): value.decode("iso-8859-1")
                    for name, value in response.headers
                }
                return Fetched(response.status, answered, _beginning(response))
        except FetchError:
            raise
        except (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
        ) as error:
            raise FetchError(type(error).__name__) from error


def _beginning(response: httpcore.Response) -> bytes:
    body = b""
    for piece in response.iter_stream():
        body += piece
        if len(body) >= MOST_ANSWER_OCTETS:
            break
    return body[:MOST_ANSWER_OCTETS]


class _Pinned(httpcore.NetworkBackend):
    """Connects to the address that was checked, in the same breath."""

    def __init__(self, fetcher: Fetcher, deadline: float) -> None:
        self._fetcher = fetcher
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers, two at most."""
        left = _left(self._deadline)
        problem: Exception | None = None
        for address in self._fetcher.addresses(host, port, min(left, RESOLVE_SECONDS))[:2]:
            try:
                stream = self._plain.connect_tcp(
                    str(address), port, timeout=_left(self._deadline) / 2, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
                continue
            return _Timed(stream, self._deadline)
        assert problem is not None
        raise problem

    def connect_unix_socket(self, *args: Any, **keywords: Any) -> httpcore.NetworkStream:
        """Never."""
        raise FetchError("no unix sockets", is_forbidden=True)


class _Timed(httpcore.NetworkStream):
    """A stream whose every operation ends at one deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As of the stream."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As of the stream."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """As of the stream."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """As of the stream; the certificate must be the name's."""
        return _Timed(
            self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        """As of the stream."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise FetchError("it took too long")
    return left


def fetcher() -> Fetcher:
    """The fetcher of this service's settings."""
    return Fetcher(settings.FETCH_ALLOWED_NETWORKS, settings.FETCH_CA_FILE)
