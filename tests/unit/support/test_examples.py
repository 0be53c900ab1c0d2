"""What examples are measured by."""

from __future__ import annotations

import gc

from tests.support import examples


def test_the_time_of_collections_is_known() -> None:
    before = examples._collections.seconds
    gc.collect()
    assert examples._collections.seconds > before
