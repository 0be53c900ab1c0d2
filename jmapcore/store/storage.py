"""What the standard methods ask of a type's storage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jmapcore.protocol.errors import SetError
from jmapcore.protocol.schema import Unique
from jmapcore.store.plan import Record, SetPlan
from jmapcore.store.prepared import Statement
from jmapcore.store.query import Query, Window, WindowRequest, take_window
from jmapcore.store.reading import Reading
from jmapcore.store.write import AccountWrite, account_write

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext


@dataclass(slots=True)
class Fetched:
    """Records of one /get: number → the record, a dict or an `orjson.Fragment`, each with its `id`."""

    records: dict[int, Any]
    response: dict[str, Any] = field(default_factory=dict)
    """Further members of the response."""


class Storage:
    """How the records of a type are fetched, queried and written. Subclasses say how; the defaults refuse."""

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """The records of these ids, or all (`limit` at most); those that do not exist are left out."""
        raise NotImplementedError(f"{type(self).__name__} cannot fetch")

    def prelude(
        self, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> Sequence[Statement]:
        """What `load` reads: it is run in the round trip that takes the lock, and `write.prelude` has the rows."""
        return ()

    def load(
        self, write: AccountWrite, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> dict[int, Record]:
        """The named properties of these records as they are under the lock, as on the wire.

        The write was opened with the statements that `prelude` gave for the same ids and names.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot load")

    def existing(self, write: AccountWrite, ids: Collection[int]) -> set[int]:
        """Which of these ids exist."""
        raise NotImplementedError(f"{type(self).__name__} cannot tell what exists")

    def unique_values(
        self, plan: SetPlan, unique: Unique, records: Sequence[Record]
    ) -> dict[tuple[Any, ...], int]:
        """Which stored records have the values of these in the unique properties: values → number."""
        raise NotImplementedError(f"{type(self).__name__} has no unique properties")

    def apply(self, plan: SetPlan) -> None:
        """Write what a plan says, and record the changes."""
        raise NotImplementedError(f"{type(self).__name__} cannot write")

    def prepare(
        self, context: RequestContext, access: AccountAccess, creates: Mapping[str, Record]
    ) -> tuple[dict[str, Any], dict[str, SetError]]:
        """What creates need before the lock is taken (parsing, blobs): (prepared, refused) by creation id."""
        return {}, {}

    def prepare_copies(
        self,
        context: RequestContext,
        source: AccountAccess,
        access: AccountAccess,
        creates: Mapping[str, Record],
        originals: Mapping[str, int],
    ) -> tuple[dict[str, Any], dict[str, SetError]]:
        """As `prepare`, for copies of records of the account `source`, whose numbers are in `originals`."""
        return self.prepare(context, access, creates)

    def create_prelude(
        self, access: AccountAccess, creates: Mapping[str, Record], prepared: Mapping[str, Any]
    ) -> Sequence[Statement]:
        """What `apply` reads for creates that were prepared: its rows follow those of `prelude`."""
        return ()

    @contextmanager
    def writing(
        self, context: RequestContext, access: AccountAccess, prelude: Sequence[Statement] = ()
    ) -> Iterator[AccountWrite]:
        """The block in which a /set of this type writes."""
        with account_write(access.account_id, context.connection, prelude) as write:
            yield write

    def results(self, reading: Reading, query: Query) -> list[int]:
        """The numbers of all records that match, in order."""
        raise NotImplementedError(f"{type(self).__name__} cannot query")

    def window(self, reading: Reading, query: Query, request: WindowRequest) -> Window:
        """The part of the results that a /query asks for. Raises `AnchorNotFound`."""
        return take_window(self.results(reading, query), request)

    def places(
        self, reading: Reading, query: Query, numbers: Collection[int]
    ) -> tuple[list[tuple[int, int]], int]:
        """Where these records are in the results, as (index, number) in order, and the number of all results."""
        results = self.results(reading, query)
        return [(index, number) for index, number in enumerate(results) if number in numbers], len(results)

    def matching(self, reading: Reading, query: Query, numbers: Collection[int]) -> list[int]:
        """Which of these records match the filter of a query, whatever else there is; in the order of `numbers`."""
        found = set(self.results(reading, query))
        return [number for number in numbers if number in found]

    def hidden(self, reading: Reading) -> Callable[[int], bool] | None:
        """Of which records the caller must not learn though the account has them; None: there are none.

        They are left out of /changes and /queryChanges here, and of everything else by the storage itself.
        """
        return None

    def can_calculate_changes(self, query: Query) -> bool:
        """Whether /queryChanges can answer for this query."""
        return True

    def affected(self, reading: Reading, query: Query, since: int, changed: Collection[int]) -> set[int]:
        """Of which further records the place in the results may have changed, beside those that changed themselves.

        `changed` leaves out records that were only updated where the query looks at nothing that may change.
        """
        return set()
