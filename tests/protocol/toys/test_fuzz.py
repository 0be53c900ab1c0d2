"""Requests that nobody would make, to every registered method: nothing fails, nothing is half written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jmapcore.edge import Edge
from jmapcore.registry import registry
from tests.protocol.http.wsgi import answered, environ
from tests.protocol.toys.bakery import bake
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.examples import bounded

TEXTS = [
    "", "k1", "k2", "k3", "#a", "#b", "m1", "e1", "singleton", "name", "toppings/x", "parentId", "id", "AND", "OR", "NOT",
    "2020-01-01T00:00:00Z", "\0", "é", "x" * 300, "/", "~", "i;ascii-casemap", "round", "*", "weight",
]  # fmt: skip
KEYS = [
    *TEXTS, "operator", "conditions", "property", "isAscending", "collation", "resultOf", "path", "filter", "isVegan",
    "tag", "bakedAt", "layers", "toppings", "shape", "isFavourite", "cakeId", "colour", "degrees", "minWeight", "of",
]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 5, 2**53 - 1, 2**53, -(2**53), 2**31, 0.5, 1e300, 1.0])
    | st.sampled_from(TEXTS)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
CAKES = st.dictionaries(
    st.sampled_from(
        ["name", "parentId", "tag", "weight", "toppings", "toppings/x", "layers", "isFavourite", "shape"]
    ),
    VALUES | st.sampled_from(["A", "B", "k1", "k2", "#a", "#b", "round"]),
    max_size=4,
)
SETS = st.fixed_dictionaries(
    {},
    optional={
        "create": st.dictionaries(st.sampled_from("abc"), CAKES, max_size=3),
        "update": st.dictionaries(st.sampled_from(["k1", "k2", "k3", "#a", "#b"]), CAKES, max_size=3),
        "destroy": st.lists(st.sampled_from(["k1", "k2", "k3", "k4", "k5", "#a", "#b"]), max_size=3),
    },
)
REFERENCES = st.fixed_dictionaries(
    {
        "resultOf": st.sampled_from("012"),
        "name": st.sampled_from(sorted(registry.methods)),
        "path": st.sampled_from(
            [
                "",
                "/list/*/id",
                "/ids",
                "/created",
                "/updated",
                "/*",
                "/list/0",
                "/state",
                "/x~",
                "/created/a/id",
            ]
        ),
    }
)


@st.composite
def calls(draw: st.DrawFn) -> list[Any]:
    """One invocation of a registered method."""
    method = registry.methods[draw(st.sampled_from(sorted(registry.methods)))]
    arguments: dict[str, Any] = {}
    if method.name == "ToyCake/set" and draw(st.booleans()):
        arguments |= draw(SETS)
    names = sorted(method.arguments or ["a"])
    for name in draw(st.lists(st.sampled_from(names), max_size=4, unique=True)):
        if draw(st.integers(0, 5)) == 0:
            arguments[f"#{name}"] = draw(REFERENCES | VALUES)
        elif name not in arguments:
            arguments[name] = draw(VALUES)
    if "accountId" in names and draw(st.integers(0, 9)):
        arguments["accountId"] = "ACCOUNT"
    return [method.name, arguments, draw(st.sampled_from("0123"))]


@pytest.mark.fuzz
@pytest.mark.rfc("8620", "3.6")
def test_no_request_makes_a_method_fail(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    bake(alice, "One", "Two", "Three")

    @settings(suppress_health_check=list(HealthCheck))
    @given(
        st.lists(calls(), min_size=1, max_size=5),
        st.none() | st.dictionaries(st.sampled_from("ab"), st.just("k1")),
    )
    def request(invocations: list[Any], created_ids: dict[str, str] | None) -> None:
        document: dict[str, Any] = {"using": list(registry.capabilities), "methodCalls": invocations}
        if created_ids is not None:
            document["createdIds"] = created_ids
        body = orjson.dumps(document).replace(b'"ACCOUNT"', orjson.dumps(alice.account_id))
        with bounded():
            status, _, answer = answered(environ("POST", "/jmap/api", cast.alice.bearer, body))
        assert status in {200, 400}
        for name, arguments, _ in answer.get("methodResponses", []):
            assert name != "error" or arguments["type"] not in {"serverFail", "serverUnavailable"}

    request()


@pytest.mark.fuzz
@pytest.mark.parametrize("path", ["/jmap/api", "/.well-known/jmap"])
def test_no_body_and_no_header_makes_the_edge_fail(cast: Cast, path: str) -> None:
    edge = Edge()

    @settings(suppress_health_check=list(HealthCheck))
    @given(
        st.binary(max_size=100) | VALUES.map(orjson.dumps),
        st.sampled_from(["GET", "POST", "HEAD", "PUT", "x"]),
        st.text(st.characters(max_codepoint=255), max_size=30) | st.just("application/json"),
        st.text(st.characters(max_codepoint=255), max_size=30) | st.just(cast.alice.bearer),
    )
    def request(body: bytes, method: str, media_type: str, authorization: str) -> None:
        answer = edge.answer(environ(method, path, authorization, body, CONTENT_TYPE=media_type))
        assert answer is not None
        assert answer.status in {200, 400, 401, 405, 429}

    request()
