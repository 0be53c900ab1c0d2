"""Every limit that the core capability announces is kept (RFC 8620 §2, §3.6.1)."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from jmapcore import concurrency
from tests.protocol.http.wsgi import answered, environ
from tests.support.cast import Cast, Person
from tests.support.client import CORE, JMAPClient

pytestmark = pytest.mark.rfc("8620", "3.6.1")

LIMIT = "urn:ietf:params:jmap:error:limit"


def echo(size: int = 0) -> bytes:
    """A request of `size` octets, or as small as it can be."""
    body = orjson.dumps({"using": [CORE], "methodCalls": [["Core/echo", {}, "c"]]})
    return body + b" " * max(0, size - len(body))


def posted(person: Person, body: Any, **more: Any) -> tuple[int, dict[str, str], Any]:
    return answered(environ("POST", "/jmap/api", person.bearer, body, **more))


@pytest.mark.rfc("8620", "8.5")
@pytest.mark.parametrize("announced", [True, False], ids=["with Content-Length", "chunked"])
def test_the_size_of_a_request(cast: Cast, announced: bool) -> None:
    more: dict[str, Any] = {} if announced else {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert posted(cast.alice, echo(10_000_000), **more)[0] == 200
    status, _, problem = posted(cast.alice, echo(10_000_001), **more)
    assert (status, problem["type"], problem["limit"]) == (400, LIMIT, "maxSizeRequest")


def test_a_body_that_is_announced_far_too_large_is_not_read(cast: Cast) -> None:
    class Untouchable:
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("the body was read")

    status, _, problem = posted(cast.alice, Untouchable(), CONTENT_LENGTH="9" * 40)
    assert (status, problem["limit"]) == (400, "maxSizeRequest")


def test_a_body_that_never_ends_is_read_no_further_than_three_times_the_limit(cast: Cast) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.given += size
            return b" " * size

    endless = Endless()
    status, _, problem = posted(cast.alice, endless, CONTENT_LENGTH=None)
    assert (status, problem["limit"], endless.given) == (400, "maxSizeRequest", 30_000_001)


def test_a_body_that_ends_early_is_no_json(cast: Cast) -> None:
    status, _, problem = posted(cast.alice, echo(), CONTENT_LENGTH="1000")
    assert (status, problem["type"]) == (400, "urn:ietf:params:jmap:error:notJSON")


@pytest.mark.parametrize("announced", ["²", "-5", "1e3", "x", ""])
def test_a_content_length_that_is_no_number_breaks_nothing(cast: Cast, announced: str) -> None:
    assert posted(cast.alice, echo(), CONTENT_LENGTH=announced)[0] in {200, 400}


@pytest.mark.rfc("8620", "8.5")
def test_the_calls_in_a_request(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    assert len(client.request(*[["Core/echo", {}, "c"]] * 32)["methodResponses"]) == 32
    create = ["ToyCake/set", {"accountId": client.account_id, "create": {"a": {"name": "A"}}}, "c"]
    response = client.post({"using": [CORE, "urn:example:toys"], "methodCalls": [create] * 33})
    problem = orjson.loads(response.content)
    assert (response.status_code, problem["type"], problem["limit"]) == (400, LIMIT, "maxCallsInRequest")
    assert client.call("ToyCake/get")["list"] == []


class Stalled(io.RawIOBase):
    """A body of which nothing comes until it is let go."""

    def __init__(self, arrived: threading.Semaphore, go_on: threading.Event) -> None:
        super().__init__()
        self.arrived = arrived
        self.go_on = go_on
        self.body = io.BytesIO(echo())

    def read(self, size: int = -1) -> bytes:
        """Octets, once it is let go."""
        self.arrived.release()
        assert self.go_on.wait(20)
        return self.body.read(size)


@pytest.mark.rfc("8620", "8.5")
def test_the_requests_of_one_user_at_once(cast: Cast) -> None:
    arrived, go_on = threading.Semaphore(0), threading.Event()
    statuses: list[int] = []

    def run() -> None:
        body = Stalled(arrived, go_on)
        statuses.append(posted(cast.alice, body, CONTENT_LENGTH=str(len(echo())))[0])

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            assert arrived.acquire(timeout=20)
        status, headers, problem = posted(cast.alice, echo())
        assert (status, problem["type"], problem["limit"]) == (429, LIMIT, "maxConcurrentRequests")
        assert headers["Retry-After"] == "1"
        # Slow bodies take no place at work, and no other user's.
        assert posted(cast.bob, echo())[0] == 200
    finally:
        go_on.set()
        for thread in threads:
            thread.join(20)
    assert statuses == [200] * 8
    assert posted(cast.alice, echo())[0] == 200


@pytest.mark.rfc("8620", "8.5")
def test_where_all_places_at_work_are_taken_a_request_waits_and_then_is_refused(
    cast: Cast, settings: Any
) -> None:
    settings.JMAP_WAIT_SECONDS = 0.01
    with concurrency.at_work(1), concurrency.at_work(1):
        status, headers, problem = posted(cast.alice, echo())
        assert (status, problem["status"], headers["Retry-After"]) == (503, 503, "5")
    assert posted(cast.alice, echo())[0] == 200


def test_a_request_that_is_refused_is_counted_no_longer(cast: Cast) -> None:
    for _ in range(9):
        assert posted(cast.alice, b"{")[0] == 400
    assert posted(cast.alice, echo())[0] == 200


def upload(person: Person, body: Any, **more: Any) -> tuple[int, dict[str, str], Any]:
    return_value = environ("POST", f"/jmap/upload/{person.account_id}/", person.bearer, body, **more)
    from jmapcore.edge import Edge

    answer = Edge().answer(return_value)
    assert answer is not None
    content = b"".join(answer.body)
    return answer.status, dict(answer.headers), orjson.loads(content)


@pytest.mark.rfc("8620", "6.1")
@pytest.mark.parametrize(
    ("more", "body"),
    [
        ({"CONTENT_LENGTH": "50000001"}, b""),
        ({"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}, bytes(2_001)),
    ],
)
def test_the_size_of_an_upload(cast: Cast, settings: Any, more: dict[str, Any], body: bytes) -> None:
    if body:
        settings.JMAP_LIMITS = {**settings.JMAP_LIMITS, "maxSizeUpload": 2_000}
    status, headers, problem = upload(cast.alice, body, **more)
    assert (status, problem["type"], problem["limit"]) == (413, LIMIT, "maxSizeUpload")
    assert headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.rfc("8620", "8.5")
def test_the_uploads_of_one_user_at_once(cast: Cast) -> None:
    arrived, go_on = threading.Semaphore(0), threading.Event()
    statuses: list[int] = []

    def run() -> None:
        body = Stalled(arrived, go_on)
        statuses.append(upload(cast.alice, body, CONTENT_LENGTH=str(len(echo())))[0])

    threads = [threading.Thread(target=closing(run)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            assert arrived.acquire(timeout=20)
        status, headers, problem = upload(cast.alice, b"x")
        assert (status, problem["limit"], headers["Retry-After"]) == (429, "maxConcurrentUpload", "1")
        assert upload(cast.bob, b"x")[0] == 200
    finally:
        go_on.set()
        for thread in threads:
            thread.join(20)
    assert statuses == [200] * 4


def closing(run: Callable[[], None]) -> Callable[[], None]:
    """Run, and close what the ORM has opened in this thread."""
    from django.db import connections

    def wrapped() -> None:
        try:
            run()
        finally:
            connections.close_all()

    return wrapped


def test_an_upload_to_a_read_only_account_is_forbidden(cast: Cast) -> None:
    made = environ("POST", f"/jmap/upload/{cast.alice.account_id}/", cast.dora.bearer, b"x")
    assert answered(made)[0] == 403
