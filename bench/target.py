"""What a workload needs to know of the service and of the account that was seeded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleEmail:
    """One Email of the account: wire ids, and whether it is `$seen` as the run begins."""

    id: str
    blob_id: str
    is_seen: bool


@dataclass(frozen=True, slots=True)
class Target:
    """Where the service listens, who asks, and what there is to ask for.

    `mailboxes` are wire ids by role, `emails` a random sample, the same for the same seed. `slow_users` are further
    people, (account wire id, Authorization header) each: one user may not have many uploads under way.
    """

    host: str
    port: int
    authorization: str
    account_id: str
    mailboxes: dict[str, str]
    emails: tuple[SampleEmail, ...]
    correspondent: str
    slow_users: tuple[tuple[str, str], ...]
