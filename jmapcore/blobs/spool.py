"""A request's body on its way in: to a temporary file, and hashed, before anything asks for a connection."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from django.conf import settings

from jmapcore.blobs.storage import SMALL, Octets

PIECE = 64 * 1024


class TooLargeError(ValueError):
    """The body is longer than it may be."""


class IncompleteError(ValueError):
    """The body ended before its announced length: the client went away."""


@contextmanager
def spooled(read: Callable[[int], bytes], expected: int | None, limit: int) -> Iterator[Octets]:
    """Read a body to its end: in memory up to SMALL octets, on disk beyond. It goes with the block.

    `read` gives up to so many octets and none at the end; `expected` is the announced length, None where
    there is none. Raises `TooLargeError` above `limit` octets, `IncompleteError` where fewer than
    `expected` came, OSError as `read` does.
    """
    if expected is not None and expected > limit:
        raise TooLargeError
    directory = getattr(settings, "FILE_UPLOAD_TEMP_DIR", None)
    digest = hashlib.sha256()
    size = 0
    with tempfile.SpooledTemporaryFile(max_size=SMALL, dir=directory) as file:
        while expected is None or size < expected:
            piece = read(PIECE if expected is None else min(PIECE, expected - size))
            if not piece:
                break
            size += len(piece)
            if size > limit:
                raise TooLargeError
            digest.update(piece)
            file.write(piece)
        if expected is not None and size != expected:
            raise IncompleteError
        yield Octets(digest.digest(), size, lambda: _pieces(file))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece
