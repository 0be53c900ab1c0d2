"""Where a client stands: the `pushState` of RFC 8887 §4.3.5 and the event id of RFC 8620 §7.3.

Both encode the state of every type in every account that the client sees, so that what it missed can be told exactly: a digest of
the names of the types, then for each account its number, its epoch and the number of each type. One number for an account would
not do: what was announced second may arrive first, and a client that leaves in between would never learn of the other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

MOST_ACCOUNTS = 40
"""Accounts in one position: it goes into a header field. What it leaves out is told again after a reconnect."""
_LONGEST = 16_000
_PART = re.compile(r"([0-9]{1,18})\.([a-z0-9]{1,16})((?:\.[0-9]{1,18})*)\Z")


@dataclass(frozen=True, slots=True)
class AccountPosition:
    """The states of one account: its epoch, and the number of each type."""

    epoch: str
    modseqs: Mapping[str, int]


@lru_cache(maxsize=8)
def _digest(types: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(types).encode()).hexdigest()[:8]


def account_part(
    account_id: int, epoch: str, modseqs: Mapping[str, int], types: tuple[str, ...], visible: frozenset[str]
) -> str:
    """One account's part of a position; types that the client does not see are 0."""
    numbers = "".join(f".{modseqs.get(name, 0) if name in visible else 0}" for name in types)
    return f"{account_id}.{epoch}{numbers}"


def position(types: tuple[str, ...], parts: Iterable[str]) -> str:
    """A position of the parts of some accounts. It is ASCII, without spaces."""
    return ":".join([_digest(types), *list(parts)[:MOST_ACCOUNTS]])


def parse_position(text: str, types: tuple[str, ...]) -> dict[int, AccountPosition]:
    """The accounts in a position. Empty for what is none, or one of a server with other types: everything was missed then."""
    digest, *parts = text[:_LONGEST].split(":")
    if digest != _digest(types):
        return {}
    found = {}
    for part in parts:
        match = _PART.match(part)
        if match is None:
            return {}
        numbers = [int(number) for number in match[3].split(".")[1:]]
        if len(numbers) != len(types):
            return {}
        found[int(match[1])] = AccountPosition(match[2], dict(zip(types, numbers, strict=True)))
    return found
