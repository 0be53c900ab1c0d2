"""The database of a test session. The people in it come from `tests.support`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from hypothesis import settings as examples
from pytest_django import DjangoDbBlocker

from jmapsite.embedded import Holder
from tests.support.cast import Cast, make_cast
from tests.support.databases import session_database

# No deadline for one example: a busy machine is no failure. `make fuzz` tries more of them.
examples.register_profile("tests", deadline=None)
examples.register_profile("fuzz", deadline=None, max_examples=10_000)
examples.load_profile("tests")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A migrated database for this process, open to the ORM and to `jmapcore.store` until the session ends.

    Tests write and commit as the restricted role and clean nothing up: each makes its own tenants and users.
    PostgreSQL and Redis are held for as long, unless DATABASE_URL and REDIS_URL name others.
    """
    with (
        Holder(settings.VAR_DIR, settings.EMBEDDED_SERVERS, durable=False),
        django_db_blocker.unblock(),
        session_database(),
    ):
        yield


@pytest.fixture(scope="session")
def database(django_db_setup: None) -> None:
    """What a test (or its cast) asks for when it needs the database."""


@pytest.fixture
def cast(database: None) -> Cast:
    """A fresh cast for this test (`tests.support.cast`)."""
    return make_cast()
