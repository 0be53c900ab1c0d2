"""An LMTP server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lmtp import RawClient, RunningServer, running_server


@pytest.fixture
def lmtp(database: None, tmp_path: Path) -> Iterator[RunningServer]:
    """A server with the usual limits."""
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture
def client(lmtp: RunningServer) -> Iterator[RawClient]:
    """A connection to it, greeted."""
    with RawClient(lmtp.port) as connected:
        yield connected.greet()
