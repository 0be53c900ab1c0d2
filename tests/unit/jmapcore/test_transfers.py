"""How many slow transfers may be under way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from jmapcore.protocol.errors import RequestError
from jmapcore.transfers import PATIENCE_SECONDS, SLOWEST, Counted, Pace, Transfers, transfers
from tests.support.cast import Cast
from tests.unit.jmapcore.blobs.toys import access, body, download, fresh_bytes, uploaded


@pytest.fixture
def few() -> Iterator[None]:
    with override_settings(JMAP_TRANSFERS=3, JMAP_TRANSFERS_OF_USER=2):
        yield


@pytest.mark.usefixtures("few")
def test_a_user_has_some_and_all_together_have_more() -> None:
    counted = Transfers()
    first = counted.begin(1)
    counted.begin(1)
    with pytest.raises(RequestError) as problem:
        counted.begin(1)
    assert (problem.value.status, problem.value.headers) == (429, {"Retry-After": "1"})
    counted.begin(2)
    with pytest.raises(RequestError) as problem:
        counted.begin(3)
    assert (problem.value.status, problem.value.headers) == (503, {"Retry-After": "5"})
    first.close()
    first.close()
    counted.begin(1)
    with pytest.raises(RequestError):
        counted.begin(1)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("end", ["read", "failed", "closed", "forgotten"])
def test_a_download_is_over_however_it_ends(end: str) -> None:
    counted = Transfers()

    def pieces() -> Iterator[bytes]:
        yield b"x"
        if end == "failed":
            raise OSError

    for _ in range(5):
        download = Counted(pieces(), counted.begin(1))
        if end == "failed":
            with pytest.raises(OSError, match=r"\A\Z"):
                list(download)
        elif end == "read":
            assert list(download) == [b"x"]
        elif end == "closed":
            download.close()
        del download


@pytest.mark.usefixtures("few")
def test_large_downloads_are_counted_and_small_ones_are_not(cast: Cast) -> None:
    alice = access(cast.alice)
    large, small, data = uploaded(alice, fresh_bytes(600_000)), uploaded(alice, b"small"), fresh_bytes(10)
    held = [download(alice, large) for _ in range(2)]
    with pytest.raises(RequestError) as problem:
        download(alice, large)
    assert problem.value.status == 429
    with pytest.raises(RequestError):
        uploaded(alice, data)
    assert body(download(alice, small)) == b"small"
    assert len(body(held[0])) == 600_000
    held[1].close()
    assert uploaded(alice, data)
    assert transfers._total == 0


def test_a_body_may_be_slow_and_not_slower() -> None:
    pace = Pace(iter([0.0, PATIENCE_SECONDS, PATIENCE_SECONDS + 9, PATIENCE_SECONDS + 11]).__next__)
    pace.check(0)
    pace.check(10 * SLOWEST)
    with pytest.raises(RequestError) as problem:
        pace.check(10 * SLOWEST)
    assert problem.value.status == 408
