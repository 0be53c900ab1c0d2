"""The Request object: its signature, and nothing more."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmapcore.protocol.errors import NotRequest, RequestError
from jmapcore.protocol.request import Invocation, Request, parse_request


def parsed(value: Any) -> Request:
    return parse_request(orjson.dumps(value))


@pytest.mark.rfc("8620", "3.3")
def test_a_request_is_taken_apart() -> None:
    request = parsed(
        {
            "using": ["urn:a", "urn:b"],
            "methodCalls": [["Core/echo", {"a": 1}, "c0"], ["Core/echo", {}, ""]],
            "createdIds": {"k": "m1"},
        }
    )
    assert request == Request(
        ("urn:a", "urn:b"),
        (Invocation("Core/echo", {"a": 1}, "c0"), Invocation("Core/echo", {}, "")),
        {"k": "m1"},
    )


@pytest.mark.rfc("8620", "3.3")
def test_unknown_members_are_ignored() -> None:
    assert parsed({"using": [], "methodCalls": [], "future": 1}) == Request((), (), None)


@pytest.mark.rfc("8620", "3.6.1")
@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "x",
        [],
        {},
        {"using": []},
        {"methodCalls": []},
        {"using": None, "methodCalls": []},
        {"using": "urn:a", "methodCalls": []},
        {"using": [1], "methodCalls": []},
        {"using": [], "methodCalls": {}},
        {"using": [], "methodCalls": None},
        {"using": [], "methodCalls": [1]},
        {"using": [], "methodCalls": [[]]},
        {"using": [], "methodCalls": [["a", {}]]},
        {"using": [], "methodCalls": [["a", {}, "c", "d"]]},
        {"using": [], "methodCalls": [[1, {}, "c"]]},
        {"using": [], "methodCalls": [["a", [], "c"]]},
        {"using": [], "methodCalls": [["a", None, "c"]]},
        {"using": [], "methodCalls": [["a", {}, 1]]},
        {"using": [], "methodCalls": [["a", {}, None]]},
        {"using": [], "methodCalls": [], "createdIds": None},
        {"using": [], "methodCalls": [], "createdIds": []},
        {"using": [], "methodCalls": [], "createdIds": {"a": 1}},
        {"using": [], "methodCalls": [], "createdIds": {"a b": "m1"}},
        {"using": [], "methodCalls": [], "createdIds": {"a": ""}},
    ],
)
def test_json_of_another_shape_is_no_request(value: Any) -> None:
    with pytest.raises(NotRequest) as caught:
        parsed(value)
    assert caught.value.document()["type"] == "urn:ietf:params:jmap:error:notRequest"
    assert caught.value.document()["status"] == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "using": st.lists(st.text()) | json_values,
            "methodCalls": st.lists(st.lists(json_values, max_size=4)) | json_values,
            "createdIds": json_values,
        },
    )
    | json_values
)
def test_whatever_comes_is_a_request_or_refused(value: Any) -> None:
    try:
        body = orjson.dumps(value)
    except TypeError:  # a lone surrogate or a number that JSON cannot hold
        return
    try:
        request = parse_request(body)
    except RequestError:
        pass
    else:
        assert all(type(call.arguments) is dict for call in request.calls)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_refused_as_json_or_read(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse_request(body)
