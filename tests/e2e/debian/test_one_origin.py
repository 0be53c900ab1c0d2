"""Web and push behind nginx on one https origin, and a page in a browser that is told of changes."""

from __future__ import annotations

import http.client
import http.server
import json
import queue
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from push.capability import TICKETS
from tests.protocol.post import message
from tests.support.directories import new_var_dir
from tests.support.http_client import Client
from tests.support.nginx import Nginx, running_nginx
from tests.support.ports import free_ports
from tests.support.service import manage, running_service

pytestmark = pytest.mark.debian

ANN = "ann@origin.example"
PAGE = Path(__file__).with_name("page.html")
SECONDS = 30


@dataclass
class Site:
    """A service behind nginx, with a user."""

    nginx: Nginx
    origin: str
    token: str
    client: Client

    def exchange(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """A request by https through nginx; status and body."""
        context = ssl.create_default_context(cafile=str(self.nginx.authority))
        connection = http.client.HTTPSConnection(
            "localhost", self.nginx.port, context=context, timeout=SECONDS
        )
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self.token}"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """For the tests of this module one after the other."""
    port, web_port, push_port = free_ports(3)
    origin = f"https://localhost:{port}"
    with (
        new_var_dir() as path,
        running_nginx(port=port, web_port=web_port, push_port=push_port) as nginx,
        running_service(
            path,
            PORT=str(web_port),
            PUSH_PORT=str(push_port),
            PUBLIC_URL=origin,
            PUSH_PUBLIC_URL=origin,
            TRUSTED_PROXIES="127.0.0.1",
        ) as service,
    ):
        for arguments in (("create_tenant", "Origin", "--domain", "origin.example"), ("create_user", ANN)):
            assert manage(path, *arguments).returncode == 0
        token = manage(path, "create_access_token", ANN).stdout.split()[-1]
        client = Client(service.port, token)
        client.open()
        yield Site(nginx, origin, token, client)
        service.stop()


class Told:
    """What the page tells, as it comes."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._seen: list[dict[str, Any]] = []

    def put(self, what: dict[str, Any]) -> None:
        """Something the page has told."""
        self._waiting.put(what)

    def await_one(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first that is wanted, of those that came before and of those that come."""
        while not (found := [each for each in self._seen if wanted(each)]):
            self._seen.append(self._waiting.get(timeout=SECONDS))
        return found[0]


@contextmanager
def page_server(told: Told) -> Iterator[int]:
    """A server of another origin that has the page, and takes what it tells; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Serve the page."""
            self._answer(PAGE.read_bytes(), "text/html")

        def do_POST(self) -> None:
            """Take what the page tells."""
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b"{}", "application/json")

        def _answer(self, body: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def browser(url: str, profile: Path) -> Iterator[None]:
    """Debian's Chromium with a page open."""
    child = subprocess.Popen(
        [
            "/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            # The authority of the test is no one that it knows.
            "--ignore-certificate-errors", f"--user-data-dir={profile}", "--remote-debugging-port=0", url,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        child.terminate()
        child.wait()
        shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture(scope="module")
def told(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """What a page in a browser tells, which is connected by both transports."""
    told = Told()
    with page_server(told) as port:
        given = urlencode({"token": site.token, "origin": site.origin, "capability": TICKETS})
        with browser(f"http://127.0.0.1:{port}/?{given}", tmp_path_factory.mktemp("profile")):
            told.await_one(lambda what: what == {"eventSource": "open"})
            told.await_one(lambda what: what.get("webSocket", {}).get("@type") == "Response")
            yield told


def test_everything_has_one_origin_and_http_2(site: Site) -> None:
    status, body = site.exchange("GET", "/.well-known/jmap")
    session = json.loads(body)
    names = ("apiUrl", "uploadUrl", "downloadUrl", "eventSourceUrl")
    assert status == 200
    assert [session[name][: len(site.origin)] for name in names] == [site.origin] * 4
    socket = session["capabilities"]["urn:ietf:params:jmap:websocket"]
    assert socket["url"].startswith(site.origin.replace("https", "wss") + "/")
    assert site.nginx.protocol() == "h2"


def test_a_large_upload_and_its_download_pass(site: Site) -> None:
    content = bytes(range(256)) * 80_000
    status, body = site.exchange("POST", f"/jmap/upload/{site.client.account}/", content)
    assert status == 200
    blob = json.loads(body)["blobId"]
    status, body = site.exchange("GET", f"/jmap/download/{site.client.account}/{blob}/x?type=x/y")
    assert (status, body == content) == (200, True)


def test_a_page_makes_requests_over_its_web_socket(told: Told) -> None:
    answer = told.await_one(lambda what: what.get("webSocket", {}).get("requestId") == "r")["webSocket"]
    assert answer["methodResponses"] == [["Core/echo", {"hello": True}, "0"]]


def test_a_page_is_told_of_a_change_over_both_transports(site: Site, told: Told) -> None:
    status, body = site.exchange("POST", f"/jmap/upload/{site.client.account}/", message(1))
    assert status == 200
    [boxes] = site.client.call(("Mailbox/query", {"filter": {"role": "inbox"}}))
    given = {"blobId": json.loads(body)["blobId"], "mailboxIds": {boxes["ids"][0]: True}}
    [imported] = site.client.call(("Email/import", {"emails": {"e": given}}))
    for transport in ("eventSource", "webSocket"):

        def tells(what: dict[str, Any], transport: str = transport) -> bool:
            change = what.get(transport)
            changed = change.get("changed", {}) if isinstance(change, dict) else {}
            return bool(changed.get(site.client.account, {}).get("Email") == imported["newState"])

        change = told.await_one(tells)[transport]
        assert change["@type"] == "StateChange"


def test_no_ticket_is_in_a_log_of_the_proxy(site: Site, told: Told) -> None:
    told.await_one(lambda what: what == {"eventSource": "open"})
    assert "POST /jmap/ticket/eventsource" in site.nginx.log
    assert "ticket=" not in site.nginx.log
