"""Requests at the same time: no deadlock, nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from tests.protocol.post import message, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient


class Quiet(JMAPClient):
    """A client after whose requests nobody looks: the shadows look once, at the end."""

    @staticmethod
    def _looked_at(response: Any) -> Any:
        return response


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """What jobs return that run at once."""

    def run(job: Callable[[], Any]) -> Any:
        try:
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def test_blobs_that_are_copied_in_both_directions_at_once(cast: Cast) -> None:
    bob = Quiet(cast.bob)
    accounts = (cast.alice.account_id, cast.bob.account_id)
    blobs = {
        account: [
            bob.upload(f"{account} {n}".encode() * 50_000, account_id=account)["blobId"] for n in range(6)
        ]
        for account in accounts
    }

    def copy(source: str, target: str, blob_id: str) -> Any:
        given = {"fromAccountId": source, "accountId": target, "blobIds": [blob_id]}
        return bob.call("Blob/copy", given)["notCopied"]

    jobs: list[Callable[[], Any]] = []
    for number in range(6):
        for source, target in (accounts, accounts[::-1]):
            blob_id = blobs[source][number]
            jobs.append(lambda s=source, t=target, b=blob_id: copy(s, t, b))  # type: ignore[misc]  # defaults bind
    assert [found for start in range(0, 12, 6) for found in together(*jobs[start : start + 6])] == [None] * 12


def test_one_blob_that_is_imported_by_several_at_once(cast: Cast) -> None:
    alice = Quiet(cast.alice)
    given = {"blobId": alice.upload(message(1))["blobId"], "mailboxIds": {roles(alice)["inbox"]: True}}
    answers = together(*[lambda: alice.call("Email/import", {"emails": {"n": given}})] * 6)
    ids = {answer["created"]["n"]["id"] for answer in answers}
    assert len(ids) == 6
    threads = {answer["created"]["n"]["threadId"] for answer in answers}
    assert len(threads) == 1
    [inbox] = alice.call("Mailbox/get", {"ids": list(given["mailboxIds"])})["list"]
    assert (inbox["totalEmails"], inbox["totalThreads"]) == (6, 1)
    assert set(alice.call("Email/query")["ids"]) == ids


def test_only_one_of_several_that_name_the_same_state_writes(cast: Cast) -> None:
    alice, bob = Quiet(cast.alice), Quiet(cast.bob)
    bob.account_id = alice.account_id
    state = alice.call("Mailbox/get", {"ids": []})["state"]

    def create(client: JMAPClient, number: int) -> bool:
        given = {"ifInState": state, "create": {"n": {"name": f"N{number}"}}}
        return bool(client.responses("Mailbox/set", given)[0][0] == "Mailbox/set")

    jobs = [lambda c=each, n=n: create(c, n) for n, each in enumerate([alice, bob] * 3)]
    assert sorted(together(*jobs)) == [False] * 5 + [True]
    boxes = alice.call("Mailbox/get", {"properties": ["name"]})["list"]
    assert sum(box["name"].startswith("N") for box in boxes) == 1
