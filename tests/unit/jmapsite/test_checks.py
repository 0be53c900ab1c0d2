"""The check that the role which serves requests is under row-level security."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connections

from jmapsite.checks import restricted_role
from jmapsite.embedded import POSTGRESQL, Holder, Layout
from jmapsite.embedded.postgresql import DATABASE, SUPERUSER
from tests.support.directories import new_var_dir

pytestmark = pytest.mark.usefixtures("database")


@contextmanager
def connected_with(**changes: str) -> Iterator[None]:
    """Let the connection `default` log in with other settings for the length of the block."""
    default = connections["default"]
    kept = {name: default.settings_dict[name] for name in changes}
    default.close()
    default.settings_dict.update(changes)
    try:
        yield
    finally:
        default.close()
        default.settings_dict.update(kept)


def test_the_restricted_role_passes() -> None:
    assert restricted_role(databases=["default"]) == []


def test_the_owner_of_the_tables_is_refused() -> None:
    owner = settings.DATABASES["owner"]["USER"]
    with connected_with(USER=owner, PASSWORD=settings.DATABASES["owner"]["PASSWORD"]):
        problems = restricted_role(databases=["default"])
    assert [problem.msg for problem in problems] == [
        f"The role {owner} of DATABASE_URL owns tables of tenants, whose policies do not hold for their owner: "
        "row-level security would not keep tenants apart."
    ]


def test_a_superuser_is_refused() -> None:
    with (
        new_var_dir() as var_dir,
        Holder(var_dir, [POSTGRESQL], durable=False),
        connected_with(
            USER=SUPERUSER, HOST=str(Layout(var_dir).sockets), PORT="", NAME=DATABASE, PASSWORD=""
        ),
    ):
        messages = [problem.msg for problem in restricted_role(databases=["default"])]
    assert messages[0] == (
        "The role postgres of DATABASE_URL is a superuser: row-level security would not keep tenants apart."
    )


def test_another_database_is_not_asked() -> None:
    assert restricted_role(databases=["owner"]) == []
