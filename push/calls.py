"""Running the API requests that come over a WebSocket: by the engine of `web`, in a few threads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import psycopg
import psycopg_pool

from accounts.standing import Standing, standings
from jmapcore import concurrency
from jmapcore.edge import RequestLine, RequestLog, incidents
from jmapcore.edge import logger as request_logger
from jmapcore.protocol.errors import RequestError
from jmapcore.protocol.request import request_of
from jmapcore.store.confirmation import NotConfirmedError, awaiting
from jmapcore.store.database import connection
from jmapcore.views import run_parsed

THREADS = 16
"""For requests, of which two at a time are at work; the others wait for their place (`jmapcore.concurrency`)."""
ENTRY_THREADS = 8
"""For who connects: a password may have to be hashed, which takes its time."""

logger = logging.getLogger("push.calls")
Result = TypeVar("Result")

_requests = ThreadPoolExecutor(THREADS, thread_name_prefix="push-request")
_entries = ThreadPoolExecutor(ENTRY_THREADS, thread_name_prefix="push-entry")


class CredentialOverError(Exception):
    """The credential of a connection opens nothing any more."""


async def in_entry_thread(work: Callable[[], Result]) -> Result:
    """What a function returns or raises that must not hold up the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_entries, work)


async def run_call(standing: Standing, value: object) -> list[bytes]:
    """The Response object of an API request of a connection. The caller has counted it (`concurrency.requests`).

    Raises `RequestError`, and `CredentialOverError` where the connection may ask for nothing more.
    """
    return await asyncio.get_running_loop().run_in_executor(_requests, partial(_run, standing, value))


def _run(standing: Standing, value: object) -> list[bytes]:
    """Run one request, and write its line into the log, as the edge of HTTP does."""
    started = time.perf_counter()
    log = RequestLog(methods="websocket")
    status = 200
    try:
        return _attempt(standing, value, log)
    except RequestError as error:
        status = error.status
        raise
    except CredentialOverError:
        status = 401
        raise
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        status = 503
        incidents.warning("request %s: database: %s", log.request_id, type(error).__name__)
        raise RequestError(
            "The server cannot reach its database. Try again in a moment.", status=503
        ) from None
    except Exception:  # noqa: BLE001  # the root of a request, as in the edge
        status = 500
        incidents.exception("incident %s", log.request_id)
        raise RequestError(
            f"Something went wrong here. The incident is {log.request_id}.", status=500
        ) from None
    finally:
        if request_logger.isEnabledFor(logging.INFO):
            elapsed = (time.perf_counter() - started) * 1000
            values = (log.request_id, "WS", log.accounts, log.methods, status, elapsed)
            request_logger.handle(RequestLine(values))


def _attempt(standing: Standing, value: object, log: RequestLog) -> list[bytes]:
    request = request_of(value)
    user_id = standing.caller.user_id
    with concurrency.at_work(user_id):
        awaiting.condition = standing.admission()
        try:
            try:
                return run_parsed(request, standing.caller, log)
            finally:
                if awaiting.condition is not None:
                    # Nothing was read yet. Errors too are for callers alone.
                    with connection():
                        pass
        except NotConfirmedError:
            pass
        finally:
            awaiting.condition = None
        # The rights have changed since they were looked at; nothing has been done.
        return run_parsed(request, _now(standing).caller, log)


def _now(standing: Standing) -> Standing:
    """How the credential stands at this moment. Raises `CredentialOverError`."""
    with connection() as lent:
        found = standings(lent, [standing.credential]).get(standing.credential)
    if found is None or found.proof != standing.proof:
        raise CredentialOverError
    return found
