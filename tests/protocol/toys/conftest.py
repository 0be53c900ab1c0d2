"""Who the tests of toys call as."""

from __future__ import annotations

import pytest

from tests.support.cast import Cast
from tests.support.client import JMAPClient


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    """A client with Alice's token."""
    return JMAPClient(cast.alice)
