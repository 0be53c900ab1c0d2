"""The guarded fetcher: where it goes, and how little whoever answers can do."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from jmapcore.fetching import MOST_ANSWER_OCTETS, Fetcher, FetchError, checked_url
from jmapcore.public_addresses import networks
from tests.support.push_receiver import Receiver, push_receiver

LOOPBACK = networks(["127.0.0.0/8"])
NAME = "push.example"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A server that has the certificate of a name."""
    with push_receiver(tmp_path_factory.mktemp("fetching"), NAME) as running:
        yield running


def named(receiver: Receiver, path: str = "/x", name: str = NAME) -> str:
    """A URL of the server by a name that only the resolver of the test knows."""
    port = receiver.url.rpartition(":")[2]
    return f"https://{name}:{port}{path}"


def resolves_to(*addresses: str) -> Callable[[str, int], list[str]]:
    """A resolver that knows one name."""

    def resolve(host: str, port: int) -> list[str]:
        if host != NAME:
            raise socket.gaierror(host)
        return list(addresses)

    return resolve


def test_a_post_goes_to_the_host_of_the_url(receiver: Receiver) -> None:
    fetcher = Fetcher(LOOPBACK, receiver.ca_file, resolves_to("127.0.0.1"))
    url = named(receiver, "/named?a=b")
    answer = fetcher.post(url, {"TTL": "7"}, b"content")
    assert answer.status == 201
    [pushed] = [each for each in receiver.pushed if each.path == "/named?a=b"]
    assert (pushed.body, pushed.headers["TTL"]) == (b"content", "7")
    assert pushed.headers["Host"] == url.split("/")[2]
    assert "Cookie" not in pushed.headers


@pytest.mark.rfc("8620", "8.6")
@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["8.8.8.8", "127.0.0.1"],
        ["fe80::1%eth0"],
    ],
)
def test_a_name_with_an_address_inside_is_not_connected_to(receiver: Receiver, addresses: list[str]) -> None:
    before = len(receiver.pushed)
    fetcher = Fetcher((), receiver.ca_file, resolves_to(*addresses))
    with pytest.raises(FetchError) as caught:
        fetcher.post(named(receiver), {}, b"")
    assert caught.value.is_forbidden
    assert len(receiver.pushed) == before


@pytest.mark.rfc("8620", "8.6")
def test_a_name_that_changes_its_address_is_connected_to_where_it_was_checked(receiver: Receiver) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        # The first answer is allowed; a second look would lead to where no server is, and further ones inside.
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    fetcher = Fetcher(LOOPBACK, receiver.ca_file, rebinding)
    assert fetcher.post(named(receiver, "/rebound"), {}, b"").status == 201
    assert asked == [NAME]
    # Each push looks anew.
    with pytest.raises(FetchError) as caught:
        fetcher.post(named(receiver, "/rebound"), {}, b"")
    assert caught.value.is_forbidden
    assert [each.path for each in receiver.pushed].count("/rebound") == 1


@pytest.mark.rfc("8620", "8.6")
def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    fetcher = Fetcher(LOOPBACK, receiver.ca_file, resolves_to("127.0.0.1"))
    assert fetcher.post(named(receiver), {}, b"").status == 201


@pytest.mark.rfc("8620", "8.6")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers(receiver: Receiver, status: int) -> None:
    receiver.answers[f"/from{status}"] = [(status, {"Location": f"/to{status}"})]
    fetcher = Fetcher(LOOPBACK, receiver.ca_file, resolves_to("127.0.0.1"))
    answer = fetcher.post(named(receiver, f"/from{status}"), {}, b"")
    assert (answer.status, answer.headers["location"]) == (status, f"/to{status}")
    assert [each for each in receiver.pushed if each.path == f"/to{status}"] == []


def test_the_certificate_must_be_the_names(receiver: Receiver) -> None:
    def anything(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    fetcher = Fetcher(LOOPBACK, receiver.ca_file, anything)
    with pytest.raises(FetchError) as caught:
        fetcher.post(named(receiver, name="other.example"), {}, b"")
    assert not caught.value.is_forbidden
    # And from somebody whom the system, or the setting, trusts.
    with pytest.raises(FetchError):
        Fetcher(LOOPBACK, "", resolves_to("127.0.0.1")).post(named(receiver), {}, b"")


def test_a_name_that_is_not_known_may_be_so_tomorrow(receiver: Receiver) -> None:
    fetcher = Fetcher(LOOPBACK, receiver.ca_file, resolves_to("127.0.0.1"))
    with pytest.raises(FetchError) as caught:
        fetcher.post("https://nowhere.example/", {}, b"")
    assert not caught.value.is_forbidden


def test_a_resolver_that_does_not_answer_is_not_waited_for() -> None:
    answered = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        answered.wait(30)
        return []

    started = time.monotonic()
    with pytest.raises(FetchError, match="in time"):
        Fetcher((), "", slow).post("https://push.example/", {}, b"", seconds=0.3)
    assert time.monotonic() - started < 5
    answered.set()


def test_an_address_that_does_not_answer_gives_way_to_the_next(receiver: Receiver) -> None:
    # Nobody listens on this port of the second loopback address.
    fetcher = Fetcher(LOOPBACK, receiver.ca_file, resolves_to("127.0.0.2", "127.0.0.1"))
    assert fetcher.post(named(receiver), {}, b"").status == 201


@contextmanager
def speaking(directory: Path, speak: Callable[[ssl.SSLSocket], None]) -> Iterator[tuple[str, str]]:
    """A server that says what `speak` says: its URL and its certificate authority."""
    authority = trustme.CA()
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            accepted, _ = listening.accept()
            with context.wrap_socket(accepted, server_side=True) as spoken:
                spoken.recv(65_536)
                speak(spoken)
        except OSError:
            pass  # the client has had enough

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/", str(ca_file)
    finally:
        listening.close()
        thread.join(10)


def drip(spoken: ssl.SSLSocket, what: Callable[[int], bytes], rounds: int = 2_000) -> None:
    for number in range(rounds):
        spoken.sendall(what(number))
        threading.Event().wait(0.02)


@pytest.mark.parametrize(
    "what",
    [
        lambda number: b"HTTP/1.1 200 OK\r\n"[number % 17 : number % 17 + 1] if number < 17 else b"X",
        lambda number: b"HTTP/1.1 200 OK\r\n" if number == 0 else b"X-%d: y\r\n" % number,
        lambda number: b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" if number == 0 else b"z",
        lambda number: b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_who_speaks_slowly_is_cut_off(tmp_path: Path, what: Callable[[int], bytes]) -> None:
    started = time.monotonic()
    with speaking(tmp_path, lambda spoken: drip(spoken, what)) as (url, ca_file):
        with pytest.raises(FetchError):
            Fetcher(LOOPBACK, ca_file).post(url, {}, b"", seconds=1.0)
        assert time.monotonic() - started < 5


def silent(spoken: ssl.SSLSocket) -> None:
    threading.Event().wait(2)


def test_who_says_nothing_is_cut_off(tmp_path: Path) -> None:
    with (
        speaking(tmp_path, silent) as (url, ca_file),
        pytest.raises(FetchError),
    ):
        Fetcher(LOOPBACK, ca_file).post(url, {}, b"", seconds=0.5)


def test_of_a_long_answer_only_the_beginning_is_read(tmp_path: Path) -> None:
    def endless(spoken: ssl.SSLSocket) -> None:
        spoken.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            spoken.sendall(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")

    with speaking(tmp_path, endless) as (url, ca_file):
        answer = Fetcher(LOOPBACK, ca_file).post(url, {}, b"")
    assert len(answer.body) == MOST_ANSWER_OCTETS


@pytest.mark.parametrize(
    "said",
    [b"SSH-2.0-x\r\n", b"HTTP/1.1 2000 X\r\n\r\n", b"\0\0\0", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000],
)
def test_what_is_no_http_is_no_answer(tmp_path: Path, said: bytes) -> None:
    with (
        speaking(tmp_path, lambda spoken: spoken.sendall(said)) as (url, ca_file),
        pytest.raises(FetchError) as caught,
    ):
        Fetcher(LOOPBACK, ca_file).post(url, {}, b"", seconds=3)
    assert not caught.value.is_forbidden


@pytest.mark.parametrize(
    "url",
    [
        "https://push.example",
        "https://push.example:8443/a/b?c=d&e=%20f",
        "https://8.8.8.8/",
        "https://[2606:4700::1]/x",
    ],
)
def test_urls_that_might_be_fetched(url: str) -> None:
    assert checked_url(url).scheme == "https"


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize(
    "url",
    [
        "http://push.example/",
        "ftp://push.example/",
        "//push.example/",
        "https://a@push.example/",
        "https://@push.example/",
        "https://push.example/#x",
        "https://push.example:99999/",
        "https://push.example\r\nX: y/",
        "https://push.example/\n",
        "https://push.example/\x00",
        "https://push.example\\.inside/",
        "https://-push.example/",
        "https://push..example/",
        "https://push.example./",
        "https://127.0.0.1.1/",
        "https://0x7f.1/",
        "https://[::1%25eth0]/",
    ],
)
def test_urls_that_may_not_be_fetched(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        Fetcher((), "", resolves_to("127.0.0.1")).post(url, {}, b"")
    assert caught.value.is_forbidden
