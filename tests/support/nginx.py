"""Debian's nginx with the configuration of deploy/nginx, on a port and in a directory of a test's own."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from django.conf import settings

SOURCE = settings.BASE_DIR / "deploy" / "nginx" / "jmapsite.conf"
AROUND = """\
user root;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    include {directory}/jmapsite.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx: its origin, and the file of the authority that its certificate is from."""

    directory: Path
    port: int

    @property
    def authority(self) -> Path:
        """The certificate that a client must trust."""
        return self.directory / "authority.pem"

    @property
    def log(self) -> str:
        """The requests that it has logged."""
        return (self.directory / "access.log").read_text("utf-8")

    def protocol(self) -> str | None:
        """What it chooses of HTTP/2 and HTTP/1.1."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            return secured.selected_alpn_protocol()


@contextmanager
def running_nginx(*, port: int, web_port: int, push_port: int) -> Iterator[Nginx]:
    """Start it in front of these ports, with a certificate for `localhost`, and stop it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="nginx-"))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "authority.pem"))
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    for part in certificate.cert_chain_pems:
        part.write_to_path(str(directory / "chain.pem"), append=True)
    text = SOURCE.read_text("utf-8")
    for shipped, ours in {
        "    listen [::]:443 ssl http2;\n": "",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "127.0.0.1:8000": f"127.0.0.1:{web_port}",
        "127.0.0.1:8001": f"127.0.0.1:{push_port}",
        "mail.provider.example": "localhost",
        "/etc/ssl/jmapsite/": f"{directory}/",
        "/var/log/nginx/jmapsite.log": f"{directory}/access.log",
    }.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    (directory / "jmapsite.conf").write_text(text, "utf-8")
    (directory / "nginx.conf").write_text(AROUND.format(directory=directory), "utf-8")
    child = subprocess.Popen(
        ["/usr/sbin/nginx", "-c", str(directory / "nginx.conf"), "-g", "daemon off;"],
        stdin=subprocess.DEVNULL,
    )
    try:
        _await(child, port, directory)
        yield Nginx(directory, port)
    finally:
        child.terminate()
        child.wait()
        shutil.rmtree(directory)


def _await(child: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        assert child.poll() is None, (directory / "error.log").read_text("utf-8")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "nginx does not answer"
            time.sleep(0.05)
        else:
            return
