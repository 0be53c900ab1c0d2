"""Blob ids on the wire: `b17` is blob 17 of the account, `b17-2` the part 2 of what blob 17 contains."""

from __future__ import annotations

import re
from typing import NamedTuple

LARGEST = 2**31 - 1

# One spelling for each id: no leading zeros, ASCII digits alone.
_PATTERN = re.compile(r"b([1-9][0-9]{0,9})(?:-(0|[1-9][0-9]{0,8}))?")


class BlobName(NamedTuple):
    """What a wire id names: a blob, and where it is not None a part of it."""

    blob_id: int
    part: int | None = None

    def __str__(self) -> str:
        return f"b{self.blob_id}" if self.part is None else f"b{self.blob_id}-{self.part}"


def parse_blob_id(wire: str) -> BlobName | None:
    """The name behind a wire id, or None for a string that no blob ever has for its id."""
    match = _PATTERN.fullmatch(wire)
    if match is None or int(match[1]) > LARGEST:
        return None
    return BlobName(int(match[1]), None if match[2] is None else int(match[2]))
