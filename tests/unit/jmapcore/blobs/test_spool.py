"""Bodies on their way in."""

from __future__ import annotations

import io
import resource
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import override_settings

from jmapcore.blobs.spool import NoRoomError, spooled
from jmapcore.blobs.upload import receive_upload
from jmapcore.protocol.errors import RequestError
from tests.support.cast import Cast
from tests.unit.jmapcore.blobs.test_upload import blobs_of
from tests.unit.jmapcore.blobs.toys import access, fresh_bytes, upload_request, uploaded

LARGE = 3_000_000


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond a megabyte and a half."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_large_bodies_go_to_a_directory_that_is_nobody_elses(tmp_path: Path) -> None:
    directory = tmp_path / "below" / "spool"
    with (
        override_settings(JMAP_SPOOL_DIRECTORY=str(directory)),
        spooled(io.BytesIO(bytes(LARGE)).read, LARGE, LARGE) as octets,
    ):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert sum(map(len, octets.pieces())) == LARGE
        assert list(directory.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(cast: Cast) -> None:
    alice = access(cast.alice)
    with full_disk(), pytest.raises(RequestError) as problem:
        receive_upload(upload_request(fresh_bytes(LARGE)), alice)
    assert (problem.value.status, problem.value.headers["Retry-After"]) == (503, "60")
    assert blobs_of(cast.alice.account.pk) == 0
    assert uploaded(alice, fresh_bytes(LARGE))


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        override_settings(JMAP_SPOOL_DIRECTORY=str(tmp_path / "file" / "spool")),
        pytest.raises(NoRoomError),
        spooled(io.BytesIO(bytes(LARGE)).read, LARGE, LARGE),
    ):
        pass
