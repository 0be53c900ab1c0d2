"""What an account holds, and how much it may hold: counted in the account's own write, and so exact (docs/adr/0208).

A limit is read with the lock and the usage saved with the account's other counters: two writes at once cannot pass it
together, and neither takes a statement of its own. The engine does not know what is counted; whoever adds an object tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

QUOTA = "Quota"
"""The type (RFC 9425) in whose state a change of the usage shows."""
OCTETS, OBJECTS = 1, 2
"""The Quotas of an account itself, by what they count. They are there where there is a hard limit."""


class Held(IntEnum):
    """How far a sum that the account counts into, of its domain or tenant, keeps it from growing."""

    NOT = 0
    SOFT = 1
    """What its users add is refused; what comes from elsewhere is taken."""
    HARD = 2
    """Everything is refused."""


class OverQuotaError(Exception):
    """The account may not grow by so much."""


@dataclass(slots=True)
class Usage:
    """The usage of one account under its lock, and its limits; None: there is none."""

    octets: int
    objects: int
    octets_limit: int | None = None
    objects_limit: int | None = None
    octets_soft: int | None = None
    objects_soft: int | None = None
    held: int = Held.NOT
    is_arrival: bool = False
    """What is added comes from elsewhere: a soft limit does not refuse it."""

    def fits(self, octets: int, objects: int) -> bool:
        """Whether the usage may grow by so much; by nothing, or less, it always may."""
        if octets <= 0 and objects <= 0:
            return True
        if self.held >= (Held.HARD if self.is_arrival else Held.SOFT):
            return False
        return self._below(self.octets_limit, self.octets_soft, self.octets, octets) and self._below(
            self.objects_limit, self.objects_soft, self.objects, objects
        )

    def _below(self, limit: int | None, soft: int | None, used: int, growth: int) -> bool:
        if growth <= 0:
            return True
        if limit is not None and used + growth > limit:
            return False
        return soft is None or self.is_arrival or used + growth <= soft

    def beyond(self, sizes: Mapping[str, int]) -> list[str]:
        """Which of these objects, taken one after the other, do not fit; the values are their octets."""
        found, octets, objects = [], 0, 0
        for key, size in sizes.items():
            if self.fits(octets + size, objects + 1):
                octets += size
                objects += 1
            else:
                found.append(key)
        return found

    def add(self, octets: int, objects: int) -> None:
        """Count what came, or with negative numbers what went. Raises `OverQuotaError`, and counts nothing then."""
        if not self.fits(octets, objects):
            raise OverQuotaError(f"{self.objects} objects of {self.octets} octets, and {octets} octets more")
        self.octets += octets
        self.objects += objects

    def changed(self, octets: int, objects: int) -> list[int]:
        """Which of the account's Quotas show that the usage was other numbers before."""
        return [
            quota
            for quota, limit, before, after in (
                (OCTETS, self.octets_limit, octets, self.octets),
                (OBJECTS, self.objects_limit, objects, self.objects),
            )
            if limit is not None and before != after
        ]
