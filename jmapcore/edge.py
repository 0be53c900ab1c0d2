"""The HTTP edge of JMAP: routes, CORS, authentication, problem documents, security headers, one log line a request.

A middleware and the outermost one: what belongs to JMAP is answered here, and pays for no session cookie, CSRF check or template;
everything else goes on to Django's own middleware.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson
import psycopg
import psycopg_pool
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.access import Caller
from accounts.authentication import AuthenticationError, authenticate
from accounts.client import client_address, trusted_networks
from jmapcore import views
from jmapcore.protocol.errors import RequestError
from jmapcore.store.database import connection

logger = logging.getLogger("jmapcore.request")
incidents = logging.getLogger("jmapcore.edge")

View = Callable[[HttpRequest, Caller, "RequestLog", tuple[str, ...]], HttpResponseBase]

PROBLEM = "application/problem+json"


@dataclass(slots=True)
class RequestLog:
    """What the log line of a request says; never an address, a subject, a token or a query string."""

    request_id: str = field(default_factory=lambda: secrets.token_hex(6))
    accounts: str = "-"
    methods: str = "-"


@dataclass(frozen=True, slots=True)
class Route:
    """A path, and a view for each HTTP method."""

    pattern: re.Pattern[str]
    views: dict[str, View]
    name: str


_SEGMENT = "([^/]+)"
ROUTES = (
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
)

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Disposition, Content-Range, ETag, Retry-After, WWW-Authenticate",
}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    # A wildcard does not cover Authorization (Fetch standard), so it is named.
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, If-None-Match, If-Range, Range, Last-Event-ID",
    "Access-Control-Max-Age": "86400",
}
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class JMAPEdge:
    """Middleware that answers the paths of JMAP itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.proxies = trusted_networks(getattr(settings, "TRUSTED_PROXIES", ()))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request of JMAP, or hand it on."""
        path = request.path_info
        if not path.startswith(("/jmap/", "/.well-known/jmap")):
            return self.get_response(request)
        for route in ROUTES:
            match = route.pattern.match(path)
            if match is not None:
                return self._answer(request, route, match.groups())
        return self.get_response(request)

    def _answer(self, request: HttpRequest, route: Route, groups: tuple[str, ...]) -> HttpResponseBase:
        started = time.perf_counter()
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers=_PREFLIGHT)
        log = RequestLog(methods=route.name)
        try:
            response = self._run(request, route, groups, log)
        except AuthenticationError as error:
            response = problem(error.problem(), error.status, error.headers)
        except RequestError as error:
            response = problem(error.document(), error.status, error.headers)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            incidents.warning("request %s: database: %s", log.request_id, type(error).__name__)
            unavailable = RequestError(
                "The server cannot reach its database. Try again in a moment.", status=503
            )
            response = problem(unavailable.document(), 503, {"Retry-After": "5"})
        except Exception:  # noqa: BLE001  # the root of a request: whatever it is, it leaves as a problem document
            incidents.exception("incident %s", log.request_id)
            failed = RequestError(f"Something went wrong here. The incident is {log.request_id}.", status=500)
            response = problem(failed.document(), 500, {})
        for headers in (_CORS, _SECURITY):
            for name, value in headers.items():
                response.headers.setdefault(name, value)
        if settings.PUBLIC_URL.startswith("https:"):
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        logger.info(
            "%s %s %s %s %d %.1fms",
            log.request_id,
            request.method,
            log.accounts,
            log.methods,
            response.status_code,
            (time.perf_counter() - started) * 1000,
        )
        return response

    def _run(
        self, request: HttpRequest, route: Route, groups: tuple[str, ...], log: RequestLog
    ) -> HttpResponseBase:
        view = route.views.get(request.method or "")
        if view is None:
            allowed = ", ".join(sorted([*route.views, "OPTIONS"]))
            raise RequestError("This URL does not take that method.", status=405, headers={"Allow": allowed})
        # Before the first byte of a body is read, and with the connection given back before that.
        caller = authenticate(request.META.get("HTTP_AUTHORIZATION"), self._client(request), connection)
        return view(request, caller, log, groups)

    def _client(self, request: HttpRequest) -> str:
        remote = request.META.get("REMOTE_ADDR", "")
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
        return client_address(remote, forwarded, self.proxies) if forwarded else remote


def problem(document: dict[str, object], status: int, headers: dict[str, str]) -> HttpResponse:
    """A problem document (RFC 7807)."""
    return HttpResponse(
        orjson.dumps(document),
        status=status,
        content_type=PROBLEM,
        headers={"Cache-Control": "no-store", **headers},
    )
