"""Another JMAP server on this machine: who asks it, what its Session says, and the clocks of its processes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from bench.exchange import KeptConnection, Request
from bench.processor_time import PROC, family, process_nanoseconds
from bench.target import Addresses, Target

MAIL = "urn:ietf:params:jmap:mail"


class PeerError(Exception):
    """The peer cannot be measured; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Login:
    """The address of a Session resource, and who asks."""

    url: str
    user: str
    password: str

    @property
    def authorization(self) -> str:
        """The value of the Authorization field (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


@dataclass(slots=True)
class PeerProcesses:
    """The peer's first process and its descendants; those named `answering` answer requests, the others do the rest."""

    first: int
    answering: str
    _spent: dict[tuple[int, str], int] = field(default_factory=dict)

    def nanoseconds(self) -> tuple[int, int]:
        """Processor time so far of the processes that answer, and of the others.

        One that has ended counts with what it had when it was last looked at: a server may end those that idle.
        """
        for process_id in family(self.first):
            if now := process_nanoseconds(process_id):
                self._spent[process_id, process_name(process_id)] = now
        answering = sum(spent for (_, name), spent in self._spent.items() if name == self.answering)
        return answering, sum(self._spent.values()) - answering

    def web_workers(self) -> list[int]:
        """The processes that answer requests."""
        return [process_id for process_id in family(self.first) if process_name(process_id) == self.answering]


def process_name(process_id: int) -> str:
    """The name that the kernel has for a process, of 15 octets at most; empty for one that has gone."""
    try:
        return (PROC / str(process_id) / "comm").read_text("utf-8", "replace").rstrip("\n")
    except OSError:
        return ""


def find_processes(first: str, answering: str) -> PeerProcesses:
    """The one process named `first` and its descendants. Raises `PeerError`."""
    numbers = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    found = [process_id for process_id in numbers if process_name(process_id) == first]
    if len(found) != 1:
        raise PeerError(f"{len(found)} processes of this machine are named {first!r}; it takes one.")
    return PeerProcesses(found[0], answering)


def discover(login: Login) -> Target:
    """The peer as far as its Session tells: no mailboxes, no sample. Raises `PeerError` and `OSError`."""
    place = urlsplit(login.url)
    if place.scheme != "http" or place.hostname is None:
        raise PeerError(f"{login.url} is no http address.")
    port = place.port or 80
    connection = KeptConnection(place.hostname, port, login.authorization)
    try:
        response = connection.exchange(Request("GET", place.path or "/"))
    finally:
        connection.close()
    if response.status != 200:
        raise PeerError(f"{login.url} answers {response.status}; name the Session resource itself.")
    document = response.json()
    try:
        account_id, addresses = document["primaryAccounts"][MAIL], addresses_of(login.url, document)
    except (KeyError, TypeError) as error:
        raise PeerError(f"{login.url} is no Session with mail: {error!r}.") from error
    return Target(place.hostname, port, login.authorization, account_id, {}, (), "", (), addresses)


def addresses_of(session_url: str, document: dict[str, Any]) -> Addresses:
    """The paths that a Session names, which may be relative to its own address (RFC 8620 §2)."""

    def path(name: str) -> str:
        parts = urlsplit(urljoin(session_url, document[name]))
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    return Addresses(
        urlsplit(session_url).path or "/", path("apiUrl"), path("uploadUrl"), path("downloadUrl")
    )
