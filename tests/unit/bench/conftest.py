"""A small account as the benchmark seeds it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest

from bench.seeding import seed_account, target_of
from bench.target import Target

MESSAGES = 150
DISTINCT = 50


@dataclass(frozen=True, slots=True)
class Seeded:
    """The account's number, and what the workloads know of it."""

    account_id: int
    target: Target


@pytest.fixture(scope="module")
def seeded(database: None) -> Seeded:
    """An account of 50 distinct messages and two clones of them, for one module of tests."""
    domain = f"bench-{secrets.token_hex(8)}.example"
    owner = seed_account(MESSAGES, 1, domain, DISTINCT)
    return Seeded(owner.account.pk, target_of("127.0.0.1", 8000, 1, domain))
