"""What `make` installs."""

from __future__ import annotations

import re

import pytest

from jmapsite.bootstrap import BASE_DIR, fingerprint, requirements


def test_extras_add_to_the_service() -> None:
    plain = requirements([])
    assert requirements(["dev"])[: len(plain)] == plain
    assert "pytest" in requirements(["dev"])
    assert "pytest" not in requirements(["embedded"])


def test_an_unknown_extra_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"^pyproject.toml has no extra 'nothing'.$"):
        requirements(["nothing"])


def test_every_requirement_is_pinned_and_nothing_comes_from_a_url() -> None:
    lines = (BASE_DIR / "constraints.txt").read_text("utf-8").splitlines()[1:]
    pinned = {line.split("==")[0] for line in lines}
    wanted = {
        re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in requirements(["dev", "embedded"])
    }
    assert wanted - pinned == set()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[0-9a-z.]+", line)] == []


def test_the_fingerprint_follows_the_wishes() -> None:
    assert fingerprint(["one"]) == fingerprint(["one"])
    assert fingerprint(["one"]) != fingerprint(["other"])
