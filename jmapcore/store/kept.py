"""Records of a type as they were at a state, kept in the process: the state of the account says whether they still are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

MOST_RECORDS = 20_000
"""Of all keys together; some 300 octets each."""


class KeptRecords:
    """The latest records that were fetched for each key (an account, a user, some properties), with their state.

    A state that was read before the records is never too new for them: where others changed them in between, the account has a
    later state by then, and what was kept is not used again.
    """

    def __init__(self, most_records: int = MOST_RECORDS) -> None:
        self._most_records = most_records
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[str, dict[int, Any]]] = OrderedDict()
        self._records = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def at(self, key: Hashable, state: str) -> dict[int, Any] | None:
        """The records of a key, where they are those of this state. Not to be changed."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found[0] != state:
                return None
            self._kept.move_to_end(key)
            return found[1]

    def keep(self, key: Hashable, state: str, records: dict[int, Any]) -> None:
        """Keep records, fetched after the state was read; those that were used longest ago go."""
        with self._lock:
            self._drop(key)
            self._kept[key] = state, records
            self._records += len(records)
            while self._records > self._most_records:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._records -= len(dropped[1])
