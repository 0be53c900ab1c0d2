"""One WebSocket connection (RFC 8887): its requests, its state changes, its limits."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.conf import settings

from accounts.standing import Standing
from jmapcore import concurrency
from jmapcore.protocol.errors import LimitExceeded, RequestError
from jmapcore.protocol.ijson import loads
from push.calls import CredentialOverError, run_call
from push.hub import Hub
from push.outlets import Outlet
from push.transports.messages import (
    Call,
    Disable,
    Enable,
    MessageError,
    read_message,
    request_error,
    request_id_of,
    response,
)
from push.transports.state_changes import Changed, StateChanges, state_change

NORMAL, GOING_AWAY, UNSUPPORTED_DATA, POLICY_VIOLATION, INTERNAL_ERROR = 1000, 1001, 1003, 1008, 1011
"""Close codes (RFC 6455 §7.4.1)."""
IDLE_SECONDS = 600
"""A connection that neither asks nor wants to be told anything is closed after so long."""
SMALL = 16_384
"""Octets of a message that is parsed in the event loop; larger ones take a thread."""

logger = logging.getLogger("push.web_socket")


class WebSocket(StateChanges):
    """A connection on which requests come and answers and state changes go."""

    __slots__ = ("_asked_at", "_running", "_timer", "is_closed")

    def __init__(self, hub: Hub, standing: Standing, outlet: Outlet) -> None:
        super().__init__(hub, standing, outlet)
        self.is_closed = False
        self._running: set[asyncio.Task[None]] = set()
        self._asked_at = asyncio.get_running_loop().time()
        self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._idle)

    async def received(self, text: str) -> None:
        """A text message has come. Requests run on while further messages come."""
        self._asked_at = asyncio.get_running_loop().time()
        body = text.encode()
        try:
            if len(body) > settings.JMAP_LIMITS["maxSizeRequest"]:
                raise MessageError(self._too_large(), None)
            value = loads(body) if len(body) <= SMALL else await asyncio.to_thread(loads, body)
            message = read_message(value)
            match message:
                case Enable():
                    await self._enable(message)
                case Disable():
                    self._disable()
                case Call():
                    self._begin(message.value)
        except MessageError as error:
            self._refuse(error.error, error.request_id)
        except RequestError as error:
            self._refuse(error, None)

    @staticmethod
    def _too_large() -> RequestError:
        limit = settings.JMAP_LIMITS["maxSizeRequest"]
        return LimitExceeded("maxSizeRequest", f"A request may have {limit} octets.")

    async def _enable(self, message: Enable) -> None:
        """Tell of changes from now on, and at once of those since the client's `pushState` (RFC 8887 §4.3.5.2)."""
        self.forget()
        self.types = message.types
        try:
            await self._hub.watch(self)
        except Exception as error:  # noqa: BLE001  # whatever kept them from being loaded, it is logged
            logger.warning("states cannot be loaded: %s", type(error).__name__)
            raise RequestError(
                "The server cannot reach its database. Try again in a moment.", status=503
            ) from None
        if self.is_closed:
            self._hub.unwatch(self)
            return
        self.is_open = True
        if message.push_state:
            self.resume(message.push_state)

    def _disable(self) -> None:
        self.is_open = False
        self.forget()
        self._hub.unwatch(self)

    def _begin(self, value: dict[str, Any]) -> None:
        """Run a request, if the client has not too many under way (RFC 8887 §4.3.2: the limits of the core capability hold)."""
        request_id = request_id_of(value)
        limit = settings.JMAP_LIMITS["maxConcurrentRequests"]
        if len(self._running) >= limit:
            error = LimitExceeded(
                "maxConcurrentRequests",
                f"This connection has {limit} requests under way already.",
                status=429,
            )
            raise MessageError(error, request_id)
        try:
            concurrency.requests.enter(self.standing.caller.user_id)
        except RequestError as error:
            raise MessageError(error, request_id) from None
        task = asyncio.get_running_loop().create_task(self._run(value, request_id))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, value: dict[str, Any], request_id: str | None) -> None:
        try:
            pieces = await run_call(self.standing, value)
        except RequestError as error:
            self._refuse(error, request_id)
        except CredentialOverError:
            self.end(POLICY_VIOLATION, "credential")
        else:
            self._write(response(pieces, request_id))
        finally:
            concurrency.requests.leave(self.standing.caller.user_id)
            self._asked_at = asyncio.get_running_loop().time()

    def _refuse(self, error: RequestError, request_id: str | None) -> None:
        self._write(request_error(error.document(), request_id))

    def _write(self, data: bytes) -> None:
        if not self.is_closed:
            self.outlet.write(data)

    def tell(self, changes: list[Changed]) -> None:
        """Send StateChange objects; the last has the `pushState`."""
        last = len(changes) - 1
        for index, changed in enumerate(changes):
            self._write(state_change(changed, self.position() if index == last else None))

    def end(self, code: int, reason: str) -> None:
        """Close the connection."""
        if not self.is_closed:
            self.close()
            self.outlet.end(code, reason)

    def close(self) -> None:
        """The connection is over, whoever ended it. Requests that are under way run to their end."""
        self.is_closed = True
        self.is_open = False
        self.forget()
        self._timer.cancel()

    def _idle(self) -> None:
        loop = asyncio.get_running_loop()
        if self.is_open or self._running:
            self._asked_at = loop.time()
        until = self._asked_at + IDLE_SECONDS
        if until <= loop.time():
            self.end(NORMAL, "idle")
        else:
            self._timer = loop.call_at(until, self._idle)
