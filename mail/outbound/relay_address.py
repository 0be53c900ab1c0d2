"""Where mail goes: `MAIL_RELAY_URL` taken apart. Imported by the settings, so nothing of Django is in here."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import unquote, urlsplit


class Security(Enum):
    """How a connection to the relay is protected."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay: a server that takes mail for anywhere."""

    host: str
    port: int
    security: Security = Security.NONE
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """What it is called in tables and logs: without its credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.security.value}://{host}:{self.port}"


def parse_relay(url: str) -> Relay | None:
    """The relay of a URL: `smtp://`, `smtps://` or `smtp+starttls://`, `user:password@`, host, port; None for an empty one.

    Raises `ValueError` with a sentence for what is no such URL, and for a password that anybody on the way could read.
    """
    if not url.strip():
        return None
    parts = urlsplit(url.strip())
    try:
        security = Security(parts.scheme)
    except ValueError:
        raise ValueError("it begins with smtp://, smtp+starttls:// or smtps://") from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("a host, and perhaps a port, follow the scheme, and nothing else")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(username) != bool(password):
        raise ValueError("a user name comes with a password")
    if username and security is Security.NONE and not _is_this_host(parts.hostname):
        raise ValueError("a password is sent by smtps:// or smtp+starttls:// alone, for others could read it")
    return Relay(parts.hostname, parts.port or _PORTS[security], security, username, password)


def _is_this_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
