"""Copies in both directions at the same time (RFC 8621 §4.7): one account is locked at a time, so nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.protocol.post import add, message, roles
from tests.protocol.test_at_once import Quiet, together
from tests.support.cast import Cast


@pytest.mark.rfc("8621", "4.7")
def test_copies_in_both_directions_at_once(cast: Cast) -> None:
    alice, bob = Quiet(cast.alice), Quiet(cast.bob)
    sides = [(alice, bob), (bob, alice)]
    ids = {client: [add(client, message(number)) for number in range(4)] for client in (alice, bob)}
    inboxes = {client: {roles(client)["inbox"]: True} for client in (alice, bob)}

    def move(source: Quiet, target: Quiet, email_id: str) -> Any:
        given = {
            "fromAccountId": source.account_id,
            "accountId": target.account_id,
            "create": {"n": {"id": email_id, "mailboxIds": inboxes[target]}},
            "onSuccessDestroyOriginal": True,
        }
        first, second = bob.responses("Email/copy", given)
        return first[1]["notCreated"], second[1]["destroyed"]

    jobs: list[Callable[[], Any]] = []
    expected = []
    for number in range(4):
        for source, target in sides:
            email_id = ids[source][number]
            jobs.append(lambda s=source, t=target, e=email_id: move(s, t, e))  # type: ignore[misc]  # defaults bind
            expected.append((None, [email_id]))
    assert [found for start in range(0, 8, 4) for found in together(*jobs[start : start + 4])] == expected
    assert [len(client.call("Email/query")["ids"]) for client in (alice, bob)] == [4, 4]
