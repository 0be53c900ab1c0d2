"""A request's body on its way in: to a temporary file, and hashed, before anything asks for a connection."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from django.conf import settings

from jmapcore.blobs.storage import SMALL, Octets
from jmapcore.transfers import Pace

PIECE = 64 * 1024


class TooLargeError(ValueError):
    """The body is longer than it may be."""


class NoRoomError(RuntimeError):
    """The body cannot be kept while it comes in."""


class IncompleteError(ValueError):
    """The body ended before its announced length: the client went away."""


@contextmanager
def spooled(read: Callable[[int], bytes], expected: int | None, limit: int) -> Iterator[Octets]:
    """Read a body to its end: in memory up to SMALL octets, on disk beyond. It goes with the block.

    `read` gives up to so many octets and none at the end; `expected` is the announced length, None where
    there is none. Raises `TooLargeError` above `limit` octets, `IncompleteError` where fewer than
    `expected` came, `NoRoomError` for a full disk, `RequestError` 408 for a body that is too slow, OSError as `read` does.
    """
    if expected is not None and expected > limit:
        raise TooLargeError
    digest = hashlib.sha256()
    size = 0
    held: list[bytes] = []
    file: IO[bytes] | None = None
    pace = Pace()
    with ExitStack() as files:
        while expected is None or size < expected:
            piece = read(PIECE if expected is None else min(PIECE, expected - size))
            if not piece:
                break
            size += len(piece)
            pace.check(size)
            if size > limit:
                raise TooLargeError
            digest.update(piece)
            held.append(piece)
            if file is None and size > SMALL:
                file = files.enter_context(_file())
            if file is not None:
                with _on_disk():
                    file.writelines(held)
                held.clear()
        if expected is not None and size != expected:
            raise IncompleteError
        if file is None:
            yield Octets(digest.digest(), size, lambda: iter(held))
            return
        with _on_disk():
            file.flush()
        spool = file
        yield Octets(digest.digest(), size, lambda: _pieces(spool))


@contextmanager
def _file() -> Iterator[IO[bytes]]:
    with _on_disk():
        file = tempfile.TemporaryFile(dir=_directory())  # noqa: SIM115  # closed below
    try:
        yield file
    finally:
        # Closing writes what is left, which nobody wants any more.
        with suppress(OSError):
            file.close()


@contextmanager
def _on_disk() -> Iterator[None]:
    """What goes wrong inside is not the client's doing: the disk is full, or not there."""
    try:
        yield
    except OSError as error:
        raise NoRoomError from error


def _directory() -> str:
    """Where spools go: a directory of our own, so that a full /tmp stops nobody and no other user sees them."""
    directory: str = settings.JMAP_SPOOL_DIRECTORY
    Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece
