"""Alice, and a relay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.relay import Sink, sink


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


@pytest.fixture
def bob(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.bob)


@pytest.fixture
def relay(settings: Any) -> Iterator[Sink]:
    """The relay that the service is set up with."""
    with sink() as found:
        settings.MAIL_RELAY = found.relay
        yield found
