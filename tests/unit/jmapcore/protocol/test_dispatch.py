"""Dispatch: calls in order, result references, the size of the answer, and what an exception becomes."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from jmapcore.protocol.dispatch import Dispatcher, Limits
from jmapcore.protocol.errors import (
    InvalidArguments,
    LimitExceeded,
    MethodError,
    ServerUnavailable,
    UnknownCapability,
)
from jmapcore.protocol.registry import Capability, Method, Registry
from jmapcore.protocol.request import Invocation, Request
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Int, Nullable, String

URI = "urn:example:test"


@dataclass
class Context:
    """As little of a context as dispatch asks for."""

    using: frozenset[str] = frozenset({URI})
    created_ids: dict[str, str] = field(default_factory=dict)
    written: list[Any] = field(default_factory=list)
    forgotten: int = 0

    def forget_states(self) -> None:
        """Called after each method that writes."""
        self.forgotten += 1


def echo(context: Context, arguments: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [("echo", arguments)]


def several(context: Context, arguments: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "several", {"n": 1}
    yield "echo", {"n": 2}
    raise InvalidArguments("after two")


def fail(context: Context, arguments: dict[str, Any]) -> list[Any]:
    raise ZeroDivisionError("the secret of alice@example.com")


def locked(context: Context, arguments: dict[str, Any]) -> list[Any]:
    raise TimeoutError("locked")


def write(context: Context, arguments: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    context.written.append(arguments)
    return [("write", {"text": "x" * arguments["length"]})]


def read(context: Context, arguments: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [("read", {"text": "x" * arguments["length"]})]


TYPED = {
    "length": Argument(Int(0)),
    "name": Argument(Nullable(String())),
    "size": Argument(Int(), 7),
}


def dispatcher(max_calls: int = 32, max_size: int = 10_000) -> Dispatcher:
    registry = Registry()
    registry.add_capability(Capability(URI))
    length = {"length": TYPED["length"]}
    for name, run, arguments, writes in (
        ("echo", echo, None, False),
        ("typed", echo, TYPED, False),
        ("several", several, {}, False),
        ("fail", fail, {}, False),
        ("locked", locked, {}, False),
        ("read", read, length, False),
        ("write", write, length, True),
    ):
        registry.add_method(Method(name, URI, run, arguments, writes=writes))

    def translate(error: Exception) -> MethodError | None:
        return ServerUnavailable("busy") if isinstance(error, TimeoutError) else None

    return Dispatcher(registry, Limits(max_calls, max_size), Context(), translate)


def run(*calls: tuple[str, dict[str, Any]], using: tuple[str, ...] = (URI,), **limits: int) -> list[Any]:
    invocations = tuple(
        Invocation(name, arguments, str(index)) for index, (name, arguments) in enumerate(calls)
    )
    return [orjson.loads(each) for each in dispatcher(**limits).run(Request(using, invocations, None))]


def reference(call: int, path: str, name: str = "echo") -> dict[str, str]:
    return {"resultOf": str(call), "name": name, "path": path}


def test_an_exception_that_nobody_translates_is_a_server_fail() -> None:
    registry = dispatcher().registry
    alone = Dispatcher(registry, Limits(1, 1_000), Context())
    [answer] = alone.run(Request((URI,), (Invocation("locked", {}, "c"),), None))
    assert orjson.loads(answer)[1]["type"] == "serverFail"


@pytest.mark.rfc("8620", "3.10")
@pytest.mark.rfc("8620", "3.3")
@pytest.mark.rfc("8620", "3.4")
def test_calls_are_answered_in_order_each_under_its_id() -> None:
    assert run(("echo", {"a": 1}), ("nothing", {}), ("echo", {"b": [None]})) == [
        ["echo", {"a": 1}, "0"],
        ["error", {"type": "unknownMethod"}, "1"],
        ["echo", {"b": [None]}, "2"],
    ]


@pytest.mark.rfc("8620", "3.2")
def test_a_call_may_have_several_responses_and_then_fail() -> None:
    assert run(("several", {})) == [
        ["several", {"n": 1}, "0"],
        ["echo", {"n": 2}, "0"],
        ["error", {"type": "invalidArguments"}, "0"],
    ]


@pytest.mark.rfc("8620", "3.6.1")
def test_an_unknown_capability_refuses_the_request() -> None:
    with pytest.raises(UnknownCapability):
        run(("echo", {}), using=(URI, "urn:example:" + "x" * 1_000_000))


@pytest.mark.rfc("8620", "3.6.1")
def test_too_many_calls_refuse_the_request() -> None:
    assert len(run(*[("echo", {})] * 3, max_calls=3)) == 3
    with pytest.raises(LimitExceeded) as caught:
        run(*[("echo", {})] * 4, max_calls=3)
    assert caught.value.members == {"limit": "maxCallsInRequest"}


@pytest.mark.rfc("8620", "3.5")
def test_omitted_arguments_have_their_defaults() -> None:
    assert run(("typed", {"length": 1.0})) == [["echo", {"length": 1, "name": None, "size": 7}, "0"]]


@pytest.mark.rfc("8620", "3.9")
@pytest.mark.rfc("8620", "3.6.2")
@pytest.mark.parametrize("arguments", [{}, {"length": None}, {"length": "1"}, {"length": 1, "more": 1}])
def test_missing_wrong_and_unknown_arguments_are_invalid(arguments: dict[str, Any]) -> None:
    assert run(("typed", arguments)) == [["error", {"type": "invalidArguments"}, "0"]]


@pytest.mark.rfc("8620", "3.7")
def test_a_reference_takes_the_first_response_of_a_call() -> None:
    answers = run(("several", {}), ("echo", {"#n": reference(0, "/n", "several"), "m": 1}))
    assert answers[-1] == ["echo", {"m": 1, "n": 1}, "1"]


@pytest.mark.rfc("8620", "3.7")
@pytest.mark.parametrize(
    "given",
    [
        reference(0, "/n"),  # the first response to it has another name
        reference(2, "/n"),
        reference(1, "/n"),  # the call itself
        reference(0, "/missing", "several"),
        reference(0, "n", "several"),
        {"resultOf": "0"},
    ],
)
def test_a_reference_that_does_not_resolve_fails_the_call(given: dict[str, str]) -> None:
    answers = run(("several", {}), ("echo", {"#n": given}), ("echo", {"ok": 1}))
    assert answers[-2:] == [["error", {"type": "invalidResultReference"}, "1"], ["echo", {"ok": 1}, "2"]]


@pytest.mark.rfc("8620", "3.7")
def test_an_argument_in_both_forms_is_invalid() -> None:
    answers = run(("echo", {"n": 1}), ("echo", {"n": 1, "#n": reference(0, "/n")}))
    assert answers[1] == ["error", {"type": "invalidArguments"}, "1"]


@pytest.mark.rfc("8620", "3.7")
def test_a_resolved_reference_is_checked_like_any_argument() -> None:
    answers = run(("echo", {"n": "x"}), ("typed", {"#length": reference(0, "/n")}))
    assert answers[1] == ["error", {"type": "invalidArguments"}, "1"]


def test_an_exception_is_a_server_fail_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        [failed, after] = run(("fail", {}), ("echo", {}))
    name, arguments, call_id = failed
    assert (name, call_id, arguments.keys()) == ("error", "0", {"type", "description"})
    assert arguments["type"] == "serverFail"
    incident = arguments["description"].removeprefix("incident ")
    assert len(incident) == 16
    assert f"incident {incident} in fail" in caplog.text
    assert after == ["echo", {}, "1"]


def test_an_exception_that_is_known_becomes_its_error() -> None:
    assert run(("locked", {})) == [["error", {"type": "serverUnavailable"}, "0"]]


def test_the_log_takes_no_lines_from_a_client(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        run(("no\nsuch method of eve@example.com", {}), ("typed", {"a\nb" + "x" * 100_000: 1}))
    assert len(caplog.records) == 2
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert all(len(record.getMessage()) < 500 for record in caplog.records)


@pytest.mark.rfc("8620", "8.5")
@pytest.mark.rfc("8620", "3.6.2")
def test_an_answer_that_is_too_large_is_refused() -> None:
    answers = run(("read", {"length": 600}), ("read", {"length": 600}), ("echo", {}), max_size=1_000)
    assert [answer[0] for answer in answers] == ["read", "error", "echo"]
    assert answers[1][1] == {"type": "requestTooLarge"}


@pytest.mark.rfc("8620", "3.6.2")
def test_what_has_written_is_answered_however_large() -> None:
    made = dispatcher(max_size=1_000)
    calls = [("read", 900), ("write", 900), ("write", 1), ("read", 1)]
    request = Request(
        (URI,), tuple(Invocation(name, {"length": length}, name) for name, length in calls), None
    )
    answers = [orjson.loads(each) for each in made.run(request)]
    assert [answer[0] for answer in answers] == ["read", "write", "error", "error"]
    assert made.context.written == [{"length": 900}]


@pytest.mark.rfc("8620", "8.5")
def test_echoes_that_double_one_another_are_refused() -> None:
    calls: list[tuple[str, dict[str, Any]]] = [("echo", {"a": "x" * 100_000})]
    for index in range(31):
        both = reference(index, "")
        calls.append(("echo", {"#a": both, "#b": both}))
    started = time.thread_time()
    answers = run(*calls, max_size=50_000_000)
    assert time.thread_time() - started < 2
    assert answers[-1][1]["type"] in {"requestTooLarge", "invalidResultReference"}


def test_many_references_that_select_nothing_take_no_time() -> None:
    many = {f"#r{number}": reference(0, "/a/*") for number in range(20_000)}
    started = time.thread_time()
    answers = run(("echo", {"a": [[]] * 200_000}), ("echo", many), max_size=50_000_000)
    assert time.thread_time() - started < 2
    assert answers[1][1] == {"type": "requestTooLarge"}


def test_references_into_small_answers_are_cheap() -> None:
    answers = run(("echo", {"a": [1, 2]}), ("echo", {"#b": reference(0, "/a/*"), "#c": reference(0, "/a/1")}))
    assert answers[1] == ["echo", {"b": [1, 2], "c": 2}, "1"]


def test_states_are_forgotten_after_a_method_that_writes_alone() -> None:
    both = dispatcher()
    calls = (Invocation("read", {"length": 1}, "0"), Invocation("write", {"length": 1}, "1"))
    both.run(Request((URI,), calls, None))
    assert both.context.forgotten == 1
