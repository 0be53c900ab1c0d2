"""Blob ids on the wire: `b17` is blob 17 of the account, `b17-2` the part 2 of what blob 17 contains.

A part may contain something with parts again, an attached message for one: `b17-2-3` is part 3 of what `b17-2` is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LARGEST = 2**31 - 1

DEEPEST = 10
"""Parts within parts that an id may name: to find one, the content of each around it is read."""

# One spelling for each id: no leading zeros, ASCII digits alone.
_PATTERN = re.compile(rf"b([1-9][0-9]{{0,9}})((?:-(?:0|[1-9][0-9]{{0,8}})){{0,{DEEPEST}}})")


class BlobName(NamedTuple):
    """What a wire id names: a blob, where `part` is not None a part of it, and with `inner` parts within that part."""

    blob_id: int
    part: int | None = None
    inner: tuple[int, ...] = ()

    def __str__(self) -> str:
        return "-".join([f"b{self.blob_id}", *map(str, self.path)])

    @property
    def path(self) -> tuple[int, ...]:
        """The parts from the outermost inwards; empty for the blob itself."""
        return () if self.part is None else (self.part, *self.inner)


def parse_blob_id(wire: str) -> BlobName | None:
    """The name behind a wire id, or None for a string that no blob ever has for its id."""
    match = _PATTERN.fullmatch(wire)
    if match is None or int(match[1]) > LARGEST:
        return None
    if not match[2]:
        return BlobName(int(match[1]))
    part, *inner = map(int, match[2][1:].split("-"))
    return BlobName(int(match[1]), part, tuple(inner))
