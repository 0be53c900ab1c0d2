"""Core/echo (RFC 8620 §4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.client import CORE, JMAPClient

pytestmark = pytest.mark.rfc("8620", "4")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"hello": True, "high": 5},
        {"a": [None, {"b": 1.5, "": "\u0000"}], "ids": "\U0001f600", "accountId": 7},
        {"n": -(2**53) + 1, "m": 2**53 - 1, "e": 1e-7},
    ],
)
def test_the_arguments_come_back_as_they_are(cast: Cast, arguments: dict[str, Any]) -> None:
    client = JMAPClient(cast.alice)
    answer = client.request(["Core/echo", arguments, "é\n"], using=[CORE])
    assert answer == {
        "methodResponses": [["Core/echo", arguments, "é\n"]],
        "sessionState": client.session()["state"],
    }


def test_without_its_capability_it_is_unknown(cast: Cast) -> None:
    answer = JMAPClient(cast.alice).request(["Core/echo", {}, "c"], using=[])
    assert answer["methodResponses"] == [["error", {"type": "unknownMethod"}, "c"]]
