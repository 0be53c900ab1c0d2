"""The push service that the tests of PushSubscription subscribe at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jmapcore.public_addresses import networks
from jmapcore.store.database import connection, run
from tests.support.push_receiver import Receiver, push_receiver


@pytest.fixture(scope="session")
def running_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """One server for all tests of a process."""
    directory: Path = tmp_path_factory.mktemp("push")
    with push_receiver(directory) as receiver:
        yield receiver


@pytest.fixture
def receiver(database: None, running_receiver: Receiver, settings: Any) -> Receiver:
    """The server, at an address that the settings allow though it is no public one.

    The queue is that of the whole service: what earlier tests left in it would be pushed to as well.
    """
    with connection() as lent:
        run(lent, ("DELETE FROM push_subscription", ()))
    running_receiver.hold.clear()
    settings.FETCH_ALLOWED_NETWORKS = networks(["127.0.0.0/8", "::1"])
    settings.FETCH_CA_FILE = running_receiver.ca_file
    return running_receiver
