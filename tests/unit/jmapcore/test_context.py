"""The context of a request: the connection that it borrows."""

from __future__ import annotations

import pytest

from accounts.access import Caller
from jmapcore.context import RequestContext
from jmapcore.registry import registry
from jmapcore.store.database import Connection

CALLER = Caller(1, 1, "ann@north.example", "user:1", frozenset(), ())


class _AwayError(Exception):
    """The database is away."""


class _NothingToLend:
    """Lends nothing, and counts what it is given back."""

    def __init__(self) -> None:
        self.given_back = 0

    def __enter__(self) -> Connection:
        raise _AwayError

    def __exit__(self, *problem: object) -> None:
        self.given_back += 1


def test_a_request_that_was_lent_no_connection_gives_none_back() -> None:
    lending = _NothingToLend()
    context = RequestContext(CALLER, lambda: lending, registry, frozenset(), {})
    with pytest.raises(_AwayError):
        _ = context.connection
    context.close()
    assert lending.given_back == 0
