"""What the types of the applications have to do with blobs: where they refer to one, and how they see parts
in it.

Filled in `AppConfig.ready`; the engine itself knows no type that holds a blob. Each referring table needs
an index on (account_id, blob column), and a deferrable foreign key to `blob (account_id, id)`: with that
the database itself refuses to let go of a blob in use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jmapcore.store.database import Connection, Statement

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


NO_PART = PartSpan(0, 0, 0, "")
"""What a `PartLocator` returns where the tables say that the blob has no such part."""

PartResolver = Callable[[bytes, int], PartSpan | None]
"""From the whole blob and a part's number: where the part lies, or None where there is no such part."""

PartLocator = Callable[[Connection, int, int, int], PartSpan | None]
"""From a connection, an account, a blob and a part's number: where the part lies, `NO_PART` where there is none, and None
where the tables do not know."""

Finder = Callable[[int, Sequence[int]], Statement]
"""From an account and blob ids: the statement whose rows are (blob id, number of an object that refers to it)."""

_references: list[BlobReference] = []
_finders: dict[str, Finder] = {}
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


def register_finder(type_name: str, finder: Finder) -> None:
    """Tell how the objects of a type are found that refer to blobs by way of other objects (RFC 9404 §4.3).

    The objects of a type with a `BlobReference` are found without this.
    """
    _finders[type_name] = finder


def finders() -> dict[str, list[Finder]]:
    """How the objects that refer to blobs are found, by the name of their type."""
    found: dict[str, list[Finder]] = {}
    for reference in _references:
        found.setdefault(reference.type_name, []).append(_finder(reference))
    for type_name, finder in _finders.items():
        found.setdefault(type_name, []).append(finder)
    return found


def _finder(reference: BlobReference) -> Finder:
    sql = (
        f"SELECT {reference.blob_column}, {reference.object_column} FROM {reference.table}"  # noqa: S608  # checked names
        f" WHERE account_id = %s AND {reference.blob_column} = ANY(%b::int[])"
    )
    return lambda account_id, blob_ids: (sql, (account_id, list(blob_ids)))


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
