"""Whole requests of methods with half-valid arguments: no method fails, and the account holds together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from jmapcore.registry import registry
from tests.protocol.fuzz.ground import Ground
from tests.support.examples import play
from tests.support.strategies import arguments, calls

METHODS = {name: arguments(method) for name, method in registry.methods.items() if not name.startswith("Toy")}


@pytest.mark.fuzz
@pytest.mark.rfc("8620", "3.6.2")
def test_no_request_makes_a_method_of_mail_fail(database: None) -> None:
    ground = Ground()

    def request(invocations: list[Any]) -> None:
        with ground.example():
            ground.send(*invocations)

    play(request, st.lists(calls(METHODS), min_size=1, max_size=4))
    ground.leave()
