"""A push service for tests: a real HTTPS server on loopback that keeps what is pushed, and a client's keys that open it."""

from __future__ import annotations

import base64
import functools
import hmac
import secrets
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def base64url(octets: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def octets_of(text: str) -> bytes:
    """The octets of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class ClientKeys:
    """The keys that a client makes for a subscription, and how it opens what it gets (RFC 8291, written anew for the tests)."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = secrets.token_bytes(16)

    @property
    def wire(self) -> dict[str, str]:
        """The property `keys`."""
        return {"p256dh": base64url(self.point), "auth": base64url(self.auth)}

    def open(self, body: bytes) -> bytes:
        """The plaintext of a push message; raises where it was not encrypted for these keys in one record."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert size == 4096
        assert len(record) <= size
        shared = self.private.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        )
        secret = _hmac(self.auth, shared)
        key = _hmac(secret, b"WebPush: info\0" + self.point + sender + b"\x01")
        master = _hmac(salt, key)
        content_key = _hmac(master, b"Content-Encoding: aes128gcm\0\x01")[:16]
        nonce = _hmac(master, b"Content-Encoding: nonce\0\x01")[:12]
        padded = AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")
        assert padded[-1:] == b"\x02"
        return padded[:-1]


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


@dataclass(frozen=True, slots=True)
class Pushed:
    """One request that came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self, keys: ClientKeys | None = None) -> Any:
        """The object that was pushed."""
        return orjson.loads(self.body if keys is None else keys.open(self.body))


@dataclass
class Receiver:
    """What came in, and what is answered: for each path the statuses in turn, the last one again and again."""

    url: str
    ca_file: str
    pushed: list[Pushed] = field(default_factory=list)
    answers: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    hold: threading.Event = field(default_factory=threading.Event)
    """Requests to paths that begin with /slow are answered when it is set."""

    def subscribe(self, name: str = "", *answers: int | tuple[int, dict[str, str]]) -> str:
        """A URL of its own; `answers` are its statuses, with header fields where they matter."""
        path = f"/{name}{secrets.token_hex(6)}"
        if answers:
            self.answers[path] = [each if isinstance(each, tuple) else (each, {}) for each in answers]
        return f"{self.url}{path}"

    def to(self, url: str) -> list[Pushed]:
        """What came for a URL, oldest first."""
        return [each for each in self.pushed if f"{self.url}{each.path}" == url]

    def objects(self, url: str, keys: ClientKeys | None = None) -> list[Any]:
        """The objects that came for a URL."""
        return [each.json(keys) for each in self.to(url)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def __init__(self, receiver: Receiver, *args: Any) -> None:
        self.receiver = receiver
        super().__init__(*args)

    def do_POST(self) -> None:
        """Take a push."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        receiver = self.receiver
        receiver.pushed.append(Pushed(self.path, dict(self.headers.items()), body))
        if self.path.startswith("/slow"):
            receiver.hold.wait(30)
        answers = receiver.answers.get(self.path, [(201, {})])
        status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """A client that does not trust the certificate, or breaks off, is what some tests are about."""


@contextmanager
def push_receiver(directory: Path, *names: str) -> Iterator[Receiver]:
    """Such a server, for the time of the block, with a certificate for localhost, 127.0.0.1 and further names."""
    authority = trustme.CA()
    ca_file = directory / "push-ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", *names).configure_cert(context)
    receiver = Receiver("", str(ca_file))
    server = _Server(("127.0.0.1", 0), functools.partial(_Handler, receiver))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
