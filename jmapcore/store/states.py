"""State strings (RFC 8620 §5.1): the account's random epoch and the modification sequence number of the type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from jmapcore.store.prepared import Row, Statement

_STATE = re.compile(r"([a-z0-9]{1,16})-(0|[1-9][0-9]{0,17})\Z")

STATES = """
    SELECT s.epoch, t.type, t.modseq, t.floor
    FROM account_state s LEFT JOIN type_state t ON t.account_id = s.account_id AND t.account_id = %s
    WHERE s.account_id = %s"""


def number_in(state: str) -> int | None:
    """The number in a state string, whoever issued it; None for what is none."""
    match = _STATE.match(state)
    return None if match is None else int(match[2])


@dataclass(frozen=True, slots=True)
class TypeMark:
    """Where a type stands in an account: its newest change, and the floor below which its log is gone."""

    epoch: str
    modseq: int
    floor: int

    @property
    def state(self) -> str:
        """The state string."""
        return f"{self.epoch}-{self.modseq}"

    def position(self, state: str) -> int | None:
        """The number in a state string; None where this account never issued it, or its changes are no longer known."""
        match = _STATE.match(state)
        if match is None or match[1] != self.epoch:
            return None
        modseq = int(match[2])
        return modseq if self.floor <= modseq <= self.modseq else None

    def at(self, modseq: int) -> str:
        """The state string of an earlier number."""
        return f"{self.epoch}-{modseq}"


def states_statement(account_id: int) -> Statement:
    """The statement that reads the states of every type of an account."""
    return STATES, (account_id, account_id)


def marks(rows: Iterable[Row]) -> tuple[str, dict[str, TypeMark]]:
    """The epoch, and the mark of each type that ever changed, from the rows of `states_statement`."""
    found: dict[str, TypeMark] = {}
    epoch = ""
    for row in rows:
        epoch = row[0]
        if row[1] is not None:
            found[row[1]] = TypeMark(epoch, row[2], row[3])
    return epoch, found
