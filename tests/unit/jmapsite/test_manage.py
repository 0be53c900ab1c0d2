"""Which commands start the embedded servers."""

from __future__ import annotations

import pytest

from manage import needs_servers


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["help"],
        ["migrate", "--help"],
        ["check"],
        ["makemigrations", "--check"],
        ["collectstatic"],
        ["run"],
    ],
)
def test_without(arguments: list[str]) -> None:
    assert not needs_servers(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["migrate", "--database", "owner"],
        ["shell"],
        ["check", "--database", "default"],
        ["create_tenant", "N"],
    ],
)
def test_with(arguments: list[str]) -> None:
    assert needs_servers(arguments)
