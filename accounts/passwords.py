"""Password hashes: argon2id with parameters that many sign-ins at once can afford."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.contrib.auth.hashers import Argon2PasswordHasher

CHECKS_AT_ONCE = 2

_checks = threading.BoundedSemaphore(CHECKS_AT_ONCE)
_counting = threading.Lock()

UNKNOWN = "argon2$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWhhcy1hLXBhc3N3b3JkLQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""A stored hash that no password matches: checked in place of a missing one, so that it takes as long."""


class Argon2id(Argon2PasswordHasher):
    """argon2id with 19 MiB, 2 passes and 1 lane, at most two at once in this process.

    Django's own parameters take 100 MiB and eight lanes for each check: a handful of sign-ins in parallel
    would fill the machine. Callers hold no database connection while they wait here.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    computed: ClassVar[int] = 0
    """How many hashes this process has computed, for a password stored and for one checked alike."""

    def encode(self, password: str, salt: str) -> str:
        """The stored form of a password."""
        with self._turn():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password is the one that was encoded. Takes the same time either way."""
        with self._turn():
            return bool(super().verify(password, encoded))

    @staticmethod
    @contextmanager
    def _turn() -> Iterator[None]:
        with _checks:
            with _counting:
                Argon2id.computed += 1
            yield
