"""What the types of the applications have to do with blobs: where they refer to one, and how they see parts
in it.

Filled in `AppConfig.ready`; the engine itself knows no type that holds a blob. Each referring table needs
an index on (account_id, blob column), and a deferrable foreign key to `blob (account_id, id)`: with that
the database itself refuses to let go of a blob in use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jmapcore.store.database import Connection

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class BlobReference:
    """A column by which the objects of a type refer to a blob of their account."""

    type_name: str
    table: str
    blob_column: str
    object_column: str


@dataclass(frozen=True, slots=True)
class PartSpan:
    """Where a part lies in a blob, so that it can be read without holding the blob in memory.

    `start` and `end` are octets of the blob (end excluded); `size` is the number of octets after `decode`,
    which turns the raw octets of the span, in pieces, into those of the part (None: they are the same).
    """

    start: int
    end: int
    size: int
    type: str
    decode: Callable[[Iterator[bytes]], Iterator[bytes]] | None = None

    def octets(self, raw: bytes) -> bytes:
        """The octets of the part, where the whole blob is in memory."""
        span = raw[self.start : self.end]
        return span if self.decode is None else b"".join(self.decode(iter([span])))


PartResolver = Callable[[bytes, int], PartSpan | None]
"""From the whole blob and a part's number: where the part lies, or None where there is no such part."""

PartLocator = Callable[[Connection, int, int, int], PartSpan | None]
"""From a connection, an account, a blob and a part's number: where the part lies, as far as the tables say
it."""

_references: list[BlobReference] = []
_resolver: PartResolver | None = None
_locator: PartLocator | None = None


def register_reference(reference: BlobReference) -> None:
    """Tell that a table refers to blobs. Registering the same reference again changes nothing.

    Raises ValueError for a table or column name that is no plain SQL identifier.
    """
    for name in (reference.table, reference.blob_column, reference.object_column):
        if not _IDENTIFIER.fullmatch(name):
            raise ValueError(f"{name!r} is no plain SQL identifier")
    if reference not in _references:
        _references.append(reference)


def references() -> tuple[BlobReference, ...]:
    """All registered references."""
    return tuple(_references)


def register_parts(resolver: PartResolver, locator: PartLocator | None = None) -> None:
    """Tell how parts are found. `locator` is asked first, `resolver` where it knows nothing."""
    global _resolver, _locator
    _resolver, _locator = resolver, locator


def part_resolver() -> PartResolver | None:
    """The registered resolver, if any."""
    return _resolver


def part_locator() -> PartLocator | None:
    """The registered locator, if any."""
    return _locator


def is_referenced(account: str, blob: str) -> str:
    """An SQL condition: an object of a registered type refers to the blob.

    `account` and `blob` are SQL expressions without parameters. The account is compared in every subquery.
    """
    if not _references:
        return "false"
    found = (
        f"EXISTS (SELECT 1 FROM {one.table} AS r"  # noqa: S608  # checked names
        f" WHERE r.account_id = {account} AND r.{one.blob_column} = {blob})"
        for one in _references
    )
    return f"({' OR '.join(found)})"
