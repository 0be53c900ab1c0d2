"""overQuota: on every method that adds Emails, to the octet, and for each Email by itself (RFC 8620 §5.3, RFC 8621 §4)."""

from __future__ import annotations

import threading
from typing import Any

import orjson
import pytest

from accounts.quotas import MESSAGES, OCTETS, Limits, set_limits
from jmapcore.tasks import refresh_quotas
from mail.delivery.deliver import deliver
from tests.protocol.Email.set.drafts import draft, text
from tests.protocol.post import add, message, reply, roles
from tests.support.cast import Cast, Person
from tests.support.client import CORE, MAIL, JMAPClient

OVER = {"type": "overQuota"}


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


def allow(
    person: Person, *, octets: int | None = None, messages: int | None = None, soft: int | None = None
) -> None:
    """Let the account have room for so much."""
    set_limits(person.account, OCTETS, Limits(octets, soft))
    set_limits(person.account, MESSAGES, Limits(messages))


def used(client: JMAPClient) -> tuple[int, int]:
    """Octets and Emails, as the Emails themselves say."""
    ids = client.call("Email/query", {})["ids"]
    sizes = [each["size"] for each in client.call("Email/get", {"ids": ids, "properties": ["size"]})["list"]]
    return sum(sizes), len(sizes)


def imports(client: JMAPClient, *raws: bytes) -> dict[str, Any]:
    """The answer to an import of messages as n0, n1 and so on."""
    boxes = {roles(client)["inbox"]: True}
    blobs = [client.upload(raw)["blobId"] for raw in raws]
    emails = {f"n{number}": {"blobId": blob, "mailboxIds": boxes} for number, blob in enumerate(blobs)}
    return client.call("Email/import", {"emails": emails})


@pytest.mark.rfc("9425", "4.1")
@pytest.mark.rfc("8621", "4.8")
def test_an_import_takes_what_fits_and_refuses_the_rest(alice: JMAPClient, cast: Cast) -> None:
    small, large = message(1), message(2, body="x" * 1000)
    allow(cast.alice, octets=2 * len(small))
    answer = imports(alice, small, large, message(3))
    assert (list(answer["created"]), answer["notCreated"]) == (["n0", "n2"], {"n1": OVER})
    assert used(alice) == (2 * len(small), 2)


@pytest.mark.rfc("8621", "4.8")
def test_an_import_counts_messages_too(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, messages=1)
    answer = imports(alice, message(1), message(2))
    assert (list(answer["created"]), answer["notCreated"]) == (["n0"], {"n1": OVER})


@pytest.mark.rfc("8621", "4.6")
@pytest.mark.rfc("8620", "5.3")
def test_a_create_that_does_not_fit_is_refused_alone(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, octets=5_000)
    creates = {"small": draft(alice, **text("a")), "large": draft(alice, **text("b" * 6_000))}
    answer = alice.call("Email/set", {"create": creates})
    assert (list(answer["created"]), answer["notCreated"]) == (["small"], {"large": OVER})


@pytest.mark.rfc("8620", "5.3")
def test_what_a_call_destroys_is_room_for_what_it_creates(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, messages=1)
    email_id = add(alice, message(1))
    answer = alice.call("Email/set", {"create": {"new": draft(alice, **text())}, "destroy": [email_id]})
    assert (list(answer["created"]), answer["destroyed"]) == (["new"], [email_id])


def test_what_a_call_creates_and_destroys_needs_room_like_anything_else(
    alice: JMAPClient, cast: Cast
) -> None:
    allow(cast.alice, messages=1)
    add(alice, message(1))
    answer = alice.call("Email/set", {"create": {"new": draft(alice, **text())}, "destroy": ["#new"]})
    assert (answer["notCreated"], answer["notDestroyed"]) == ({"new": OVER}, {"#new": {"type": "notFound"}})


def test_an_update_of_what_is_refused_is_refused(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, messages=0)
    answer = alice.call(
        "Email/set",
        {"create": {"new": draft(alice, **text())}, "update": {"#new": {"keywords/$flagged": True}}},
    )
    assert (answer["notCreated"], answer["notUpdated"]) == ({"new": OVER}, {"#new": {"type": "notFound"}})


@pytest.mark.rfc("8621", "4.7")
def test_a_copy_that_does_not_fit_is_refused_and_its_original_stays(alice: JMAPClient, cast: Cast) -> None:
    bob = JMAPClient(cast.bob)
    first, second = add(alice, message(1)), add(alice, message(2))
    allow(cast.bob, messages=1)
    boxes = {roles(bob)["inbox"]: True}
    answer = bob.call(
        "Email/copy",
        {
            "fromAccountId": alice.account_id,
            "create": {"a": {"id": first, "mailboxIds": boxes}, "b": {"id": second, "mailboxIds": boxes}},
            "onSuccessDestroyOriginal": True,
        },
    )
    assert (list(answer["created"]), answer["notCreated"]) == (["a"], {"b": OVER})
    assert alice.call("Email/query", {})["ids"] == [second]


def test_destroying_gives_back(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, messages=1)
    email_id = add(alice, message(1))
    assert imports(alice, message(2))["notCreated"] == {"n0": OVER}
    alice.call("Email/set", {"destroy": [email_id]})
    assert imports(alice, message(2))["notCreated"] is None


def test_a_mailbox_that_goes_with_its_emails_gives_back(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, messages=1)
    box = alice.call("Mailbox/set", {"create": {"new": {"name": "Box"}}})["created"]["new"]["id"]
    add(alice, message(1), mailboxes=[box])
    alice.call("Mailbox/set", {"destroy": [box], "onDestroyRemoveEmails": True})
    assert imports(alice, message(2))["notCreated"] is None


def test_threads_that_merge_are_not_counted_twice(alice: JMAPClient, cast: Cast) -> None:
    raws = [
        message(1),
        message(2),
        reply(3, 1),
        message(4, fields="References: <m1@example.org> <m2@example.org>\r\n"),
    ]
    for raw in raws:
        add(alice, raw)
    # Its Thread is joined with another's, whose Emails get other ids.
    found = alice.call("Quota/get", {"ids": None})["list"]
    assert [each["used"] for each in found] == [sum(map(len, raws)), len(raws)]


def test_the_same_octets_count_for_each_email_that_has_them(alice: JMAPClient) -> None:
    add(alice, message(1))
    add(alice, message(1))
    assert alice.call("Quota/get", {"ids": ["q1"]})["list"][0]["used"] == 2 * len(message(1))


def test_who_is_full_may_still_sort_and_mark_mail(alice: JMAPClient, cast: Cast) -> None:
    email_id = add(alice, message(1))
    allow(cast.alice, octets=1, messages=0)
    change = {"keywords/$seen": True, "mailboxIds": {roles(alice)["archive"]: True}}
    assert alice.call("Email/set", {"update": {email_id: change}})["updated"] == {email_id: None}


def test_uploads_are_not_counted(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, octets=0, messages=0)
    blob_id = alice.upload(b"x" * 1000, "text/plain")["blobId"]
    assert alice.download(blob_id).getvalue() == b"x" * 1000


def test_mail_that_does_not_fit_is_not_delivered(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, messages=0)
    [outcome] = deliver(message(1), [cast.alice.address], return_path="zoe@example.org")
    assert (outcome.reply.code, outcome.reply.status) == (452, "4.2.2")
    assert alice.call("Email/query", {})["ids"] == []


def test_from_the_soft_limit_on_mail_arrives_and_users_add_nothing(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, octets=100_000, soft=10)
    [outcome] = deliver(message(1), [cast.alice.address], return_path="zoe@example.org")
    assert outcome.reply.code == 250
    assert imports(alice, message(2))["notCreated"] == {"n0": OVER}


def test_a_full_tenant_refuses_what_its_users_add(alice: JMAPClient, cast: Cast) -> None:
    bob, charlie = JMAPClient(cast.bob), JMAPClient(cast.charlie)
    email_id = add(alice, message(1))
    set_limits(cast.north, MESSAGES, Limits(1))
    refresh_quotas()
    assert imports(bob, message(2))["notCreated"] == {"n0": OVER}
    assert imports(charlie, message(2))["notCreated"] is None
    alice.call("Email/set", {"destroy": [email_id]})
    refresh_quotas()
    assert imports(bob, message(2))["notCreated"] is None


def test_two_requests_at_once_do_not_pass_a_limit_together(alice: JMAPClient, cast: Cast) -> None:
    allow(cast.alice, messages=5)
    boxes = {roles(alice)["inbox"]: True}
    blobs = [alice.upload(message(number))["blobId"] for number in range(12)]
    outcomes: list[dict[str, Any] | None] = []
    begin = threading.Barrier(2)

    def run(mine: list[str]) -> None:
        client = JMAPClient(cast.alice)
        begin.wait(10)
        for blob_id in mine:
            emails = {"n": {"blobId": blob_id, "mailboxIds": boxes}}
            call = ["Email/import", {"accountId": client.account_id, "emails": emails}, "c"]
            # Past the client, whose shadow would look while the other one writes.
            body = orjson.dumps({"using": [CORE, MAIL], "methodCalls": [call]})
            answer = client.http.post("/jmap/api", body, content_type="application/json")
            outcomes.append(orjson.loads(answer.content)["methodResponses"][0][1]["notCreated"])

    threads = [threading.Thread(target=run, args=(blobs[part::2],)) for part in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (outcomes.count(None), outcomes.count({"n": OVER}), used(alice)[1]) == (5, 7, 5)
