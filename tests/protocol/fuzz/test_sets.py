"""Patches through the real /set: each is applied as RFC 8620 §5.3 says, or refused and nothing changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from jmapcore.protocol.schema import SET
from jmapcore.registry import registry
from tests.protocol.fuzz.ground import Ground
from tests.support.examples import play
from tests.support.strategies import arguments, patches
from tests.support.values import ACCOUNT

TYPES = [
    name
    for name, declared in registry.types.items()
    if SET in declared.methods and not name.startswith("Toy")
]


def applied(record: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A record after a patch, by the text of the RFC and nothing else."""
    after = dict(record)
    for pointer, value in patch.items():
        name, *inside = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]
        if name not in record:
            continue  # of the others an update may only say what they are
        if not inside:
            after[name] = value
            continue
        after[name] = dict(after[name])
        if value is None:
            after[name].pop(inside[0], None)
        else:
            after[name][inside[0]] = value
    return after


@pytest.mark.fuzz
@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize("name", TYPES)
def test_no_set_fails_or_leaves_half_of_it(database: None, name: str) -> None:
    ground = Ground()

    def change(calls: list[Any]) -> None:
        with ground.example():
            ground.send(*([f"{name}/set", each, str(number)] for number, each in enumerate(calls)))

    play(change, st.lists(arguments(registry.methods[f"{name}/set"]), min_size=1, max_size=2))
    ground.leave()


@pytest.mark.fuzz
@pytest.mark.rfc("8620", "5.3")
@pytest.mark.rfc("8621", "4.6")
def test_a_patch_of_an_email_is_applied_or_changes_nothing(database: None) -> None:
    ground = Ground()
    members = ["keywords", "mailboxIds"]

    def change(email: str, patch: dict[str, Any]) -> None:
        get = ["Email/get", {"accountId": ACCOUNT, "ids": [email], "properties": members}, "g"]
        with ground.example():
            answers = ground.send(
                get, ["Email/set", {"accountId": ACCOUNT, "update": {email: patch}}, "s"], get
            )["methodResponses"]
        [before], [after] = answers[0][1]["list"], answers[2][1]["list"]
        if not answers[1][1]["updated"]:
            assert after == before
            return
        expected = applied(before, ground.known(patch))
        keywords = {keyword.lower() for keyword in expected["keywords"] or {}}
        assert set(after["keywords"]) == keywords - {"$recent"}
        assert after["mailboxIds"] == expected["mailboxIds"]

    play(change, st.builds("@Email:{}".format, st.integers(0, 5)), patches(registry.types["Email"]))
    ground.leave()
