"""Running the method calls of a request, one after the other (RFC 8620 §3.3 to §3.7)."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from jmapcore.protocol.deadline import at_most, checkpoint
from jmapcore.protocol.errors import (
    InvalidArguments,
    InvalidResultReference,
    LimitExceeded,
    MethodError,
    RequestError,
    RequestTooLarge,
    ServerFail,
    UnknownCapability,
    UnknownMethod,
)
from jmapcore.protocol.references import Steps, evaluate, referenced_arguments
from jmapcore.protocol.registry import Registry
from jmapcore.protocol.request import Invocation, Request
from jmapcore.protocol.schema import REQUIRED, Argument
from jmapcore.protocol.wire import WireError

logger = logging.getLogger("jmapcore.dispatch")


class Context(Protocol):
    """What dispatch asks of the context that it hands to the methods."""

    using: frozenset[str]
    created_ids: dict[str, str]

    def forget_states(self) -> None:
        """A call may have written."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a request that dispatch keeps."""

    max_calls_in_request: int
    max_size_answer: int
    max_seconds: float = math.inf
    """After these no further call is begun, and long reads give up."""


@dataclass(slots=True)
class _Answer:
    """One response: its encoded arguments, decoded only when a later call refers into it."""

    name: str
    call_id: str
    encoded: bytes
    arguments: Any = None

    def decoded(self) -> Any:
        if self.arguments is None:
            self.arguments = orjson.loads(self.encoded)
        return self.arguments


@dataclass(slots=True)
class Dispatcher:
    """One request on its way through the methods."""

    registry: Registry
    limits: Limits
    context: Any
    translate: Callable[[Exception], MethodError | None] = lambda error: None
    """Makes a MethodError of an exception of the layers below (a lock timeout is serverUnavailable)."""
    answers: list[_Answer] = field(default_factory=list)
    _size: int = 0
    _selected: int = 0
    """What the result references have selected so far, in octets."""
    _steps: Steps = field(default_factory=Steps)

    def run(self, request: Request) -> list[bytes]:
        """The encoded responses, in order. Raises `RequestError` where the request is refused as a whole."""
        unknown = [uri for uri in request.using if uri not in self.registry.capabilities]
        if unknown:
            raise UnknownCapability(f"This server does not support the capability {unknown[0][:200]}.")
        if len(request.calls) > self.limits.max_calls_in_request:
            raise LimitExceeded(
                "maxCallsInRequest",
                f"A request may hold {self.limits.max_calls_in_request} method calls; this one holds {len(request.calls)}.",
            )
        with at_most(self.limits.max_seconds):
            for call in request.calls:
                self._call(call)
        return [
            b"[%b,%b,%b]" % (orjson.dumps(answer.name), answer.encoded, orjson.dumps(answer.call_id))
            for answer in self.answers
        ]

    def _call(self, call: Invocation) -> None:
        method = self.registry.find_method(call.name, self.context.using)
        try:
            if method is None:
                raise UnknownMethod(call.name)
            if self._size >= self.limits.max_size_answer:
                raise RequestTooLarge("the response is full")
            checkpoint()
            arguments = self._resolve(call.arguments)
            if method.arguments is not None:
                arguments = checked_arguments(arguments, method.arguments)
            self._answer(method.run(self.context, arguments), call.call_id)
        except MethodError as error:
            self._fail(error, call)
        except RequestError:
            raise  # the request is refused as a whole
        except Exception as error:  # the one place where whatever a method raises becomes serverFail
            known = self.translate(error)
            if known is None:
                incident = secrets.token_hex(8)
                logger.exception("incident %s in %s", incident, self._loggable(call))
                known = ServerFail(description=f"incident {incident}")
            self._fail(known, call)
        if method is not None and method.writes:
            self.context.forget_states()

    def _answer(self, responses: Iterable[tuple[str, Mapping[str, Any]]], call_id: str) -> None:
        for name, arguments in responses:
            encoded = orjson.dumps(arguments, option=orjson.OPT_PASSTHROUGH_DATETIME)
            answering = self.registry.methods.get(name)
            # "the externally visible state of the server MUST NOT have changed if an error is returned" (§3.6.2): what has
            # written answers, however much; that is bounded by what the request holds and selects.
            has_written = answering is not None and answering.writes
            if self._size + len(encoded) > self.limits.max_size_answer and not has_written:
                raise RequestTooLarge(f"{name} answers more than a response may hold")
            self._size += len(encoded)
            self.answers.append(_Answer(name, call_id, encoded))

    def _fail(self, error: MethodError, call: Invocation) -> None:
        if error.reason:
            # For development alone: what the client sent may stand in it (shortened and quoted: a name may hold line ends).
            logger.debug("%s: %s: %r", self._loggable(call), error.type, error.reason[:200])
        encoded = orjson.dumps(error.arguments())
        self.answers.append(_Answer("error", call.call_id, encoded))

    def _loggable(self, call: Invocation) -> str:
        return call.name if call.name in self.registry.methods else "?"

    def _resolve(self, arguments: dict[str, Any]) -> dict[str, Any]:
        references = referenced_arguments(arguments)
        if not references:
            return arguments
        resolved = {name: value for name, value in arguments.items() if name[:1] != "#"}
        for name, (result_of, response_name, path) in references.items():
            answer = next((answer for answer in self.answers if answer.call_id == result_of), None)
            if answer is None or answer.name != response_name:
                raise InvalidResultReference(f"no response {response_name} to {result_of}")
            try:
                resolved[name] = evaluate(path, answer.decoded(), self._steps)
            except (LookupError, ValueError) as error:
                raise InvalidResultReference(f"{path}: {error}") from None
            # A few kilobytes of echoes that refer to one another would otherwise make gigabytes.
            small = len(answer.encoded) < 65_536
            self._selected += len(answer.encoded) if small else len(orjson.dumps(resolved[name]))
            if self._selected > self.limits.max_size_answer:
                raise RequestTooLarge("the result references select more than a response may hold")
        return resolved


def checked_arguments(arguments: dict[str, Any], declared: Mapping[str, Argument]) -> dict[str, Any]:
    """The arguments in their normal form, with the defaults of those left out. Raises `InvalidArguments`."""
    for name in arguments:
        if name not in declared:
            raise InvalidArguments(f"there is no argument {name[:100]}")
    checked = {}
    for name, argument in declared.items():
        if name in arguments:
            try:
                checked[name] = argument.type.check(arguments[name])
            except WireError as error:
                raise InvalidArguments(f"{name}: {error}") from None
        elif argument.default is not REQUIRED:
            checked[name] = argument.default
        elif argument.type.nullable:
            checked[name] = None
        else:
            raise InvalidArguments(f"the argument {name} is missing")
    return checked
