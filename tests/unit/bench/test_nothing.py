"""The server that does nothing, and figures scaled by it."""

from __future__ import annotations

import io

import pytest
from django.conf import settings

from bench.measuring import scaled
from bench.nothing import BUDGETED_MILLISECONDS, application, running_nothing
from bench.service import await_port, free_port


def test_the_body_is_read_and_two_octets_are_answered() -> None:
    body = io.BytesIO(b"12345")
    statuses: list[str] = []
    answer = application(
        {"wsgi.input": body, "CONTENT_LENGTH": "5"}, lambda status, headers: statuses.append(status)
    )
    assert (b"".join(answer), statuses, body.read()) == (b"{}", ["200 OK"], b"")


def test_a_request_for_nothing_costs_something(tmp_path_factory: pytest.TempPathFactory) -> None:
    log = tmp_path_factory.mktemp("nothing") / "log"
    with running_nothing(
        settings.HOST, free_port(), lambda child, port: await_port(child, port, log)
    ) as nothing:
        assert nothing.milliseconds() > 0


def test_twice_the_cost_of_nothing_halves_what_is_scaled() -> None:
    assert scaled(3.0, 2 * BUDGETED_MILLISECONDS) == pytest.approx(1.5)
