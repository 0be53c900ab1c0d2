"""The HTTP edge of JMAP: routes, CORS, authentication, problem documents, security headers, one log line a request.

What belongs to JMAP is answered here, straight from the WSGI environment: it needs no session cookie, CSRF check, template or
request object, and a request that does nothing costs a third of one through Django's handler (docs/adr/0004). Everything else
goes on to Django.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
import psycopg_pool
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.access import Caller
from accounts.admission import Admission, admissions
from accounts.authentication import AuthenticationError, authenticate
from accounts.client import client_address, trusted_networks
from jmapcore import views
from jmapcore.answer import Answer
from jmapcore.blobs.upload import is_small
from jmapcore.protocol.errors import RequestError
from jmapcore.store.confirmation import NotConfirmedError, awaiting
from jmapcore.store.database import connection

logger = logging.getLogger("jmapcore.request")
incidents = logging.getLogger("jmapcore.edge")

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
View = Callable[[Environ, Caller, "RequestLog", tuple[str, ...]], Answer]


_process = secrets.token_hex(3)
_numbers = itertools.count(1)


def new_request_id() -> str:
    """Twelve hexadecimal digits: six that this process drew, and its count of requests."""
    return f"{_process}{next(_numbers) & 0xFFFFFF:06x}"


@dataclass(slots=True)
class RequestLog:
    """What the log line of a request says; never an address, a subject, a token or a query string."""

    request_id: str = field(default_factory=new_request_id)
    accounts: str = "-"
    methods: str = "-"


_LINE = logging.LogRecord(logger.name, logging.INFO, "", 0, "%s %s %s %s %d %.1fms", (), None)


class RequestLine(logging.LogRecord):
    """The log record of a request.

    Made after one that is kept: names of files, threads and processes, which cost more than the rest of the line, are not in it.
    """

    def __init__(self, values: tuple[object, ...]) -> None:
        now = time.time()
        self.__dict__.update(_LINE.__dict__)
        self.args = values
        self.created = now
        self.msecs = now % 1 * 1000


@dataclass(frozen=True, slots=True)
class Route:
    """A path, and a view for each HTTP method."""

    pattern: re.Pattern[str]
    views: dict[str, View]
    name: str


_SEGMENT = "([^/]+)"
ROUTES = [
    Route(
        re.compile(r"/jmap/api/?\Z"), {"POST": views.api, "GET": views.session, "HEAD": views.session}, "api"
    ),
    Route(
        re.compile(r"(?:/\.well-known/jmap|/jmap/session)/?\Z"),
        {"GET": views.session, "HEAD": views.session},
        "session",
    ),
    Route(re.compile(rf"/jmap/upload/{_SEGMENT}/?\Z"), {"POST": views.upload}, "upload"),
    Route(
        re.compile(rf"/jmap/download/{_SEGMENT}/{_SEGMENT}/(.*)\Z", re.DOTALL),
        {"GET": views.download, "HEAD": views.download},
        "download",
    ),
]
"""Apps add theirs in `AppConfig.ready`."""

_EXPOSED = "Content-Disposition, Content-Range, ETag, Retry-After, WWW-Authenticate"
_PREFLIGHT = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"),
    # A wildcard does not cover Authorization (Fetch standard), so it is named.
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Accept, If-None-Match, If-Range, Range, Last-Event-ID",
    ),
    ("Access-Control-Max-Age", "86400"),
]


def common_headers() -> list[tuple[str, str]]:
    """The header fields of every answer."""
    headers = [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", _EXPOSED),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
    ]
    if settings.PUBLIC_URL.startswith("https:"):
        headers.append(("Strict-Transport-Security", "max-age=31536000"))
    return headers


def problem(document: dict[str, object], status: int, headers: dict[str, str]) -> Answer:
    """A problem document (RFC 7807)."""
    kept = {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **headers}
    return Answer(status, list(kept.items()), [orjson.dumps(document)])


class Edge:
    """Answers the paths of JMAP from a WSGI environment."""

    def __init__(self) -> None:
        self.proxies = trusted_networks(settings.TRUSTED_PROXIES)
        self.common = common_headers()
        self.json_headers = [*views.JSON_HEADERS, *self.common]

    def answer(self, environ: Environ) -> Answer | None:
        """The answer to a request; None for a path that is none of JMAP's."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(("/jmap/", "/.well-known/jmap")):
            return None
        # WSGI hands the octets of the path over as ISO 8859-1 (PEP 3333).
        path = path.encode("iso-8859-1", "replace").decode("utf-8", "replace")
        for route in ROUTES:
            match = route.pattern.match(path)
            if match is not None:
                return self._answer(environ, route, match.groups())
        return None

    def _answer(self, environ: Environ, route: Route, groups: tuple[str, ...]) -> Answer:
        if environ["REQUEST_METHOD"] == "OPTIONS":
            return Answer(204, _PREFLIGHT, [])
        started = time.perf_counter()
        log = RequestLog(methods=route.name)
        try:
            answer = self._run(environ, route, groups, log)
        except AuthenticationError as error:
            answer = problem(error.problem(), error.status, error.headers)
        except RequestError as error:
            answer = problem(error.document(), error.status, error.headers)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            incidents.warning("request %s: database: %s", log.request_id, type(error).__name__)
            away = RequestError("The server cannot reach its database. Try again in a moment.", status=503)
            answer = problem(away.document(), 503, {"Retry-After": "5"})
        except Exception:  # noqa: BLE001  # the root of a request: whatever it is, it leaves as a problem document
            incidents.exception("incident %s", log.request_id)
            failed = RequestError(f"Something went wrong here. The incident is {log.request_id}.", status=500)
            answer = problem(failed.document(), 500, {})
        if answer.headers is views.JSON_HEADERS:
            answer.headers = self.json_headers
        else:
            given = {name for name, _ in answer.headers}
            answer.headers = [*answer.headers, *(header for header in self.common if header[0] not in given)]
        if logger.isEnabledFor(logging.INFO):
            elapsed = (time.perf_counter() - started) * 1000
            values = (
                log.request_id,
                environ["REQUEST_METHOD"],
                log.accounts,
                log.methods,
                answer.status,
                elapsed,
            )
            logger.handle(RequestLine(values))
        return answer

    def _run(self, environ: Environ, route: Route, groups: tuple[str, ...], log: RequestLog) -> Answer:
        view = route.views.get(environ["REQUEST_METHOD"])
        if view is None:
            allowed = ", ".join(sorted([*route.views, "OPTIONS"]))
            raise RequestError("This URL does not take that method.", status=405, headers={"Allow": allowed})
        authorization = environ.get("HTTP_AUTHORIZATION")
        # Who was let in a moment ago may hand over what fits into memory, as in any request, and no more.
        may_recall = view is not views.upload or is_small(environ.get("CONTENT_LENGTH"))
        if may_recall and (known := admissions.recall(authorization)) is not None:
            try:
                return self._run_confirmed(known, view, environ, log, groups)
            except NotConfirmedError:
                admissions.forget(authorization)
        # Before the first byte of a body is read, and with the connection given back before that.
        caller = authenticate(authorization, self._client(environ), connection)
        return view(environ, caller, log, groups)

    @staticmethod
    def _run_confirmed(
        known: Admission, view: View, environ: Environ, log: RequestLog, groups: tuple[str, ...]
    ) -> Answer:
        """Run a request as who it was from last time; the gate is asked in the round trip of its first statements.

        Raises `NotConfirmedError` where the gate answers otherwise: nothing has been done then.
        """
        awaiting.condition = known
        try:
            try:
                return view(environ, known.caller, log, groups)
            finally:
                if awaiting.condition is not None:
                    # Nothing was read yet. Errors too are for callers alone.
                    with connection():
                        pass
        finally:
            awaiting.condition = None

    def _client(self, environ: Environ) -> str:
        remote: str = environ.get("REMOTE_ADDR", "")
        forwarded = environ.get("HTTP_X_FORWARDED_FOR")
        return client_address(remote, forwarded, self.proxies) if forwarded else remote


class EdgeApplication:
    """The WSGI application of the process `web`: the edge, and Django behind it."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application
        self.edge = Edge()
        self._statuses = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        answer = self.edge.answer(environ)
        if answer is None:
            return self.application(environ, start_response)
        headers = answer.headers
        body = answer.body
        if isinstance(body, list):
            headers = [*headers, ("Content-Length", str(sum(map(len, body))))]
            if environ["REQUEST_METHOD"] == "HEAD":
                body = []
        start_response(self._statuses[answer.status], headers)
        return body


class EdgeMiddleware:
    """The edge where Django's own handler serves (the test client, runserver): the same answers as Django responses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.edge = Edge()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request of JMAP, or hand it on."""
        # Django has decoded the path already; an environment holds its octets as ISO 8859-1 (PEP 3333).
        path = request.META["PATH_INFO"].encode().decode("iso-8859-1")
        answer = self.edge.answer({**request.META, "PATH_INFO": path})
        if answer is None:
            return self.get_response(request)
        if not isinstance(answer.body, list):
            response: HttpResponseBase = answer.body
        else:
            response = HttpResponse(b"".join(answer.body), status=answer.status)
            del response.headers["Content-Type"]
            response.headers["Content-Length"] = str(sum(map(len, answer.body)))
        for name, value in answer.headers:
            response.headers[name] = value
        return response
