"""One process `push` for the tests of this directory; those that kill or bound it start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.push_process import PushProcess, push_process


@pytest.fixture(scope="session")
def push(database: None) -> Iterator[PushProcess]:
    """A running process `push`."""
    with push_process() as process:
        yield process
