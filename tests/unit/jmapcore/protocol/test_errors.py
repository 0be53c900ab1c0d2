"""The three families of errors on the wire."""

from __future__ import annotations

import pytest

from jmapcore.protocol import errors
from jmapcore.protocol.errors import (
    AlreadyExists,
    InvalidProperties,
    LimitExceeded,
    MethodError,
    NotJSON,
    RequestError,
    ServerFail,
    SetError,
)


@pytest.mark.rfc("8620", "3.6.1")
def test_a_request_error_is_a_problem_document() -> None:
    assert NotJSON("Bad.").document() == {
        "type": "urn:ietf:params:jmap:error:notJSON",
        "status": 400,
        "detail": "Bad.",
    }


@pytest.mark.rfc("8620", "3.6.1")
def test_a_limit_problem_names_the_limit() -> None:
    error = LimitExceeded("maxSizeRequest", "Too large.", status=429, headers={"Retry-After": "1"})
    assert error.document() == {
        "type": "urn:ietf:params:jmap:error:limit",
        "status": 429,
        "detail": "Too large.",
        "limit": "maxSizeRequest",
    }
    assert error.headers == {"Retry-After": "1"}


@pytest.mark.rfc("7807", "3.1")
def test_a_problem_may_have_a_title_and_a_status_of_its_own() -> None:
    error = RequestError("Gone fishing.", status=503, title="Away")
    assert error.document() == {
        "type": "about:blank",
        "status": 503,
        "detail": "Gone fishing.",
        "title": "Away",
    }
    assert RequestError("x").headers == {}


@pytest.mark.rfc("8620", "3.6.2")
def test_a_method_error_shows_its_type_and_members_and_not_its_reason() -> None:
    assert MethodError("secret").arguments() == {"type": "serverFail"}
    assert ServerFail("secret", description="incident 1").arguments() == {
        "type": "serverFail",
        "description": "incident 1",
    }


@pytest.mark.rfc("8620", "5.3")
def test_a_set_error_shows_its_type_and_members_and_not_its_reason() -> None:
    assert SetError("secret").document() == {"type": "forbidden"}
    assert InvalidProperties(["b", "a", "b"]).document() == {
        "type": "invalidProperties",
        "properties": ["a", "b"],
    }
    assert AlreadyExists("m1").document() == {"type": "alreadyExists", "existingId": "m1"}


@pytest.mark.rfc("8620", "3.6.2")
def test_the_wire_type_is_the_name_of_the_rfc() -> None:
    named_otherwise = {"ForbiddenSet": "forbidden"}
    for name, each in vars(errors).items():
        if (
            isinstance(each, type)
            and issubclass(each, MethodError | SetError)
            and each not in (MethodError, SetError)
        ):
            assert each.type == named_otherwise.get(name, name[0].lower() + name[1:])
