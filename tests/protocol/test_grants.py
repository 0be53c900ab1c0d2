"""What a grant opens, and what stays closed: to those who may only read, after it is withdrawn, and across accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.access import ALL_SCOPES, MAIL_SCOPE
from accounts.credentials import create_access_token
from accounts.provisioning import revoke_access, set_tenant_suspended, set_user_suspended
from jmapcore.protocol.registry import Method
from jmapcore.registry import registry
from tests.protocol.post import add, message, roles
from tests.protocol.test_tenants import METHODS, arguments, everything, named
from tests.support.cast import Cast, Person
from tests.support.client import JMAPClient

WRITES = [method for method in METHODS if method.writes]


def as_bob(cast: Cast) -> JMAPClient:
    """Bob at work in Alice's account."""
    return in_account(cast.bob, cast.alice)


def in_account(person: Person, owner: Person) -> JMAPClient:
    client = JMAPClient(person)
    client.account_id = owner.account_id
    return client


@pytest.mark.rfc("8620", "3.6.2")
@pytest.mark.parametrize("method", WRITES, ids=named)
def test_a_reader_writes_nothing(cast: Cast, method: Method) -> None:
    add(JMAPClient(cast.alice), message(1))
    dora, before = JMAPClient(cast.dora), everything(cast.alice)
    given = arguments(method, cast.alice.account_id, dora.account_id)
    for name in ("create", "update", "emails"):
        if name in (method.arguments or {}):
            given[name] = {"x1": {}}
    [[answered, answer, _]] = dora.responses(method.name, given)
    # The last is what it has of types that are for sending.
    refusals = {"accountReadOnly", "invalidArguments", "accountNotSupportedByMethod"}
    assert answered != "error" or answer["type"] in refusals
    for name in ("created", "updated", "destroyed", "copied"):
        assert not answer.get(name)
    assert everything(cast.alice) == before


def test_a_reader_changes_no_mailbox_but_the_own_subscription(cast: Cast) -> None:
    dora = in_account(cast.dora, cast.alice)
    inbox = roles(dora)["inbox"]
    renamed = dora.call("Mailbox/set", {"update": {inbox: {"name": "Mine", "isSubscribed": False}}})
    assert renamed["notUpdated"] == {inbox: {"type": "forbidden"}}
    assert dora.call("Mailbox/set", {"destroy": [inbox]})["notDestroyed"] == {inbox: {"type": "forbidden"}}
    assert dora.call("Mailbox/set", {"update": {inbox: {"isSubscribed": True}}})["updated"] == {inbox: None}
    [box] = JMAPClient(cast.alice).call("Mailbox/get", {"ids": [inbox]})["list"]
    assert box["name"] == "Inbox"


def test_a_reader_copies_out_and_never_in(cast: Cast) -> None:
    blob_id = JMAPClient(cast.dora).upload(b"mine")["blobId"]
    given = {"fromAccountId": cast.dora.account_id, "accountId": cast.alice.account_id, "blobIds": [blob_id]}
    assert JMAPClient(cast.dora).error("Blob/copy", given) == {"type": "accountReadOnly"}


def _calls(account_id: str, other_id: str, email_id: str, blob_id: str) -> Iterator[list[Any]]:
    for method in METHODS:
        yield [method.name, arguments(method, account_id, other_id), "c"]
    yield ["Email/get", {"accountId": account_id, "ids": [email_id]}, "c"]
    copy = {"fromAccountId": account_id, "accountId": other_id, "blobIds": [blob_id]}
    yield ["Blob/copy", copy, "c"]


@pytest.mark.rfc("8621", "9.5")
def test_a_grant_that_was_withdrawn_opens_nothing(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), as_bob(cast)
    email_id = add(alice, message(1))
    [email] = bob.call("Email/get", {"ids": [email_id], "properties": ["blobId"]})["list"]
    blob_id = email["blobId"]
    bobs = bob.upload(b"what Bob put there", account_id=cast.alice.account_id)["blobId"]
    assert bob.download(blob_id, account_id=cast.alice.account_id).status_code == 200
    revoke_access(cast.alice.account, cast.bob.user)
    before = everything(cast.alice)
    calls = list(_calls(cast.alice.account_id, cast.bob.account_id, email_id, blob_id))
    types = {
        answer["type"]
        for start in range(0, len(calls), 32)
        for _, answer, _ in bob.request(*calls[start : start + 32])["methodResponses"]
    }
    # The third is what methods of RFC 9007 say of an account that is not there.
    assert types == {"accountNotFound", "fromAccountNotFound", "invalidArguments"}
    for blob in (blob_id, f"{blob_id}-0", bobs):
        assert bob.download(blob, account_id=cast.alice.account_id).status_code == 404
    response = bob.http.post(f"/jmap/upload/{cast.alice.account_id}/", b"x", content_type="text/plain")
    assert response.status_code == 404
    assert everything(cast.alice) == before
    assert cast.alice.account_id not in bob.session()["accounts"]


@pytest.mark.rfc("8621", "9.5")
@pytest.mark.rfc("8620", "6.1")
def test_the_blob_of_an_email_that_is_destroyed_is_gone_for_all_but_its_uploader(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), as_bob(cast)
    email_id = add(alice, message(1))
    blob_id = alice.call("Email/get", {"ids": [email_id], "properties": ["blobId"]})["list"][0]["blobId"]
    assert bob.download(f"{blob_id}-0", account_id=cast.alice.account_id).status_code == 200
    alice.call("Email/set", {"destroy": [email_id]})
    for blob in (blob_id, f"{blob_id}-0"):
        assert bob.download(blob, account_id=cast.alice.account_id).status_code == 404
        assert alice.download(blob).status_code == 200
    imported = {"blobId": blob_id, "mailboxIds": {roles(bob)["inbox"]: True}}
    answer = bob.call(
        "Email/import", {"emails": {"a": imported, "b": {**imported, "blobId": f"{blob_id}-0"}}}
    )
    assert {error["type"] for error in answer["notCreated"].values()} == {"invalidProperties"}
    copy = {"fromAccountId": cast.alice.account_id, "accountId": cast.bob.account_id, "blobIds": [blob_id]}
    assert bob.call("Blob/copy", copy)["notCopied"] == {blob_id: {"type": "notFound"}}


def test_the_same_bytes_in_two_accounts_are_two_blobs(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    add(alice, message(1))
    for _ in range(5):  # so that the numbers differ
        charlie.upload(b"filler")
    own = charlie.upload(message(1))["blobId"]
    theirs = alice.upload(message(1))["blobId"]
    seen = [number for number in range(1, 60) if charlie.download(f"b{number}").status_code == 200]
    assert f"b{seen[-1]}" == own
    assert len(seen) == 2
    assert alice.download(theirs).status_code == 200


def test_ids_in_created_ids_open_nothing(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    for number in range(40):
        add(alice, message(number), receivedAt="2020-01-01T00:00:00Z")
    emails = alice.call("Email/query")["ids"]
    [email] = alice.call(
        "Email/get", {"ids": emails[:1], "properties": ["blobId", "threadId", "mailboxIds"]}
    )["list"]
    [box] = email["mailboxIds"]
    account = {"accountId": charlie.account_id}
    known = {"e": emails[0], "b": email["blobId"], "t": email["threadId"], "m": box, "a": alice.account_id}
    answers = charlie.request(
        ["Email/get", {**account, "ids": ["#e", "#m", "#a"], "properties": ["id"]}, "0"],
        ["Thread/get", {**account, "ids": ["#t"]}, "1"],
        ["Email/set", {**account, "destroy": ["#e"], "update": {"#m": {"keywords": {}}}}, "2"],
        ["Email/import", {**account, "emails": {"n": {"blobId": "#b", "mailboxIds": {"#m": True}}}}, "3"],
        ["Mailbox/set", {**account, "create": {"n": {"name": "N", "parentId": "#e"}}}, "4"],
        ["Email/get", {"accountId": "#a", "ids": []}, "5"],
        createdIds=known,
    )["methodResponses"]
    assert answers[0][1]["list"] == answers[1][1]["list"] == []
    assert answers[2][1]["notDestroyed"] == {"#e": {"type": "notFound"}}
    assert answers[2][1]["notUpdated"] == {"#m": {"type": "notFound"}}
    assert answers[3][1]["notCreated"]["n"]["type"] == "invalidProperties"
    assert answers[4][1]["notCreated"]["n"]["type"] == "invalidProperties"
    assert answers[5][1]["type"] in {"invalidArguments", "accountNotFound"}
    assert len(alice.call("Email/query")["ids"]) == 40


@pytest.mark.rfc("8621", "9.5")
def test_references_into_another_account_find_nothing_there(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    for number in range(30):
        add(alice, message(number))
    reference = {"resultOf": "0", "name": "Email/query", "path": "/ids"}
    answers = bob.request(
        ["Email/query", {"accountId": alice.account_id}, "0"],
        ["Email/get", {"accountId": bob.account_id, "#ids": reference, "properties": ["subject"]}, "1"],
        ["Email/set", {"accountId": bob.account_id, "#destroy": reference}, "2"],
    )["methodResponses"]
    assert (answers[1][1]["list"], len(answers[1][1]["notFound"])) == ([], 30)
    assert answers[2][1]["destroyed"] is None
    assert len(alice.call("Email/query")["ids"]) == 30


@pytest.mark.parametrize("who", ["user", "tenant", "owner"])
def test_the_suspended_are_out_from_the_next_request_on(cast: Cast, who: str) -> None:
    bob = as_bob(cast)
    email_id = add(JMAPClient(cast.alice), message(1))
    assert bob.call("Email/get", {"ids": [email_id], "properties": ["id"]})["notFound"] == []
    suspend: Callable[[bool], None] = {
        "user": lambda wanted: set_user_suspended(cast.bob.user, wanted),
        "tenant": lambda wanted: set_tenant_suspended(cast.north, wanted),
        "owner": lambda wanted: set_user_suspended(cast.alice.user, wanted),
    }[who]
    suspend(True)
    if who == "owner":
        assert bob.error("Email/get", {"ids": [email_id]}) == {"type": "accountNotFound"}
    else:
        response = bob.post({"using": [], "methodCalls": []})
        assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
        upload = bob.http.post(f"/jmap/upload/{cast.bob.account_id}/", b"x", content_type="text/plain")
        assert upload.status_code == 403
    suspend(False)


@pytest.mark.rfc("8621", "1.4")
def test_a_credential_without_the_mail_scope_reads_no_mail(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    add(alice, message(1))
    blob_id = alice.upload(message(2))["blobId"]
    _, token = create_access_token(cast.alice.user, scopes=sorted(ALL_SCOPES - {MAIL_SCOPE}))
    narrow = JMAPClient(cast.alice, f"Bearer {token}")
    answers = {
        answer["type"]
        for method in METHODS
        if registry.capabilities[method.capability].scope == MAIL_SCOPE
        for _, answer, _ in narrow.responses(method.name, arguments(method, alice.account_id))
    }
    # Of a /copy, the account that it reads from is looked at first.
    assert answers == {"accountNotSupportedByMethod", "fromAccountNotFound"}
    [email] = alice.call("Email/get", {"ids": alice.call("Email/query")["ids"], "properties": ["blobId"]})[
        "list"
    ]
    for blob in (email["blobId"], blob_id):
        assert narrow.download(blob).status_code in {403, 404}
    given = {"fromAccountId": alice.account_id, "accountId": alice.account_id, "blobIds": [blob_id]}
    assert narrow.responses("Blob/copy", given)[0][0] == "error"
