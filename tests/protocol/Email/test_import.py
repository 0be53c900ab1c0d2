"""Email/import (RFC 8621 §4.8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.post import add, get, mailbox, message, received, roles, thread_of
from tests.support.cast import Cast
from tests.support.client import JMAPClient


def _import(client: JMAPClient, **given: Any) -> dict[str, Any]:
    return client.call("Email/import", {"emails": {"new": given}})


def _given(client: JMAPClient, raw: bytes | None = None) -> dict[str, Any]:
    blob_id = client.upload(message(1) if raw is None else raw)["blobId"]
    return {"blobId": blob_id, "mailboxIds": {roles(client)["inbox"]: True}}


@pytest.mark.rfc("8621", "4.8")
def test_what_an_import_answers(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    raw = message(1)
    given = _given(client, raw)
    before = client.call("Email/get", {"ids": []})["state"]
    answer = _import(client, **given)
    email = answer["created"]["new"]
    assert email == {
        "id": email["id"],
        "blobId": given["blobId"],
        "threadId": thread_of(client, email["id"]),
        "size": len(raw),
    }
    assert answer["notCreated"] is None
    assert answer["oldState"] == before
    assert answer["newState"] == client.call("Email/get", {"ids": []})["state"]


@pytest.mark.rfc("8621", "4.8")
def test_keywords_mailboxes_and_the_moment(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    boxes = [by_role["inbox"], by_role["archive"]]
    email_id = add(client, message(1), mailboxes=boxes, keywords={"$Flagged": True}, receivedAt=received(5))
    assert get(client, email_id, "keywords", "mailboxIds", "receivedAt") == {
        "id": email_id,
        "keywords": {"$flagged": True},
        "mailboxIds": dict.fromkeys(boxes, True),
        "receivedAt": received(5),
    }


@pytest.mark.rfc("8621", "4.8")
def test_received_at_the_topmost_received_date(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    trace = (
        "Received: from b by c; Thu, 19 Nov 2020 12:00:00 +0200\r\n"
        "Received: from a by b; Wed, 18 Nov 2020 12:00:00 +0200\r\n"
    )
    email_id = add(client, message(1, fields=trace))
    assert get(client, email_id, "receivedAt")["receivedAt"] == "2020-11-19T10:00:00Z"


@pytest.mark.rfc("8621", "4.8")
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "2999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
def test_any_moment_is_applied_as_it_is(cast: Cast, moment: str) -> None:
    client = JMAPClient(cast.alice)
    assert get(client, add(client, message(1), receivedAt=moment), "receivedAt")["receivedAt"] == moment


@pytest.mark.rfc("8621", "4.8")
def test_header_fields_in_utf_8(cast: Cast) -> None:
    """Email Address Internationalization: RFC 6532."""
    client = JMAPClient(cast.alice)
    raw = "From: Zoë <zoë@exämple.org>\r\nTo: 用户 <用户@例え.jp>\r\nMessage-ID: <é@x>\r\nSubject: Grüße\r\n\r\n".encode()
    email = get(client, add(client, raw), "from", "to", "messageId", "subject")
    assert (email["subject"], email["messageId"]) == ("Grüße", ["é@x"])
    assert email["from"] == [{"name": "Zoë", "email": "zoë@exämple.org"}]
    assert email["to"] == [{"name": "用户", "email": "用户@例え.jp"}]


@pytest.mark.rfc("8621", "4.8")
def test_the_same_message_twice(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first, second = add(client, message(1)), add(client, message(1))
    assert first != second
    client.call("Email/set", {"update": {first: {"keywords/$seen": True}}})
    assert get(client, second, "keywords")["keywords"] == {}
    assert mailbox(client, roles(client)["inbox"])["totalThreads"] == 1


@pytest.mark.rfc("8621", "4.8")
def test_one_blob_makes_two_emails_in_one_call(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = _given(client)
    answer = client.call("Email/import", {"emails": {"a": given, "b": given}})
    assert answer["created"]["a"]["id"] != answer["created"]["b"]["id"]


@pytest.mark.rfc("8621", "4.8")
@pytest.mark.parametrize(
    ("change", "invalid"),
    [
        ({"blobId": "b99999"}, ["blobId"]),
        ({"blobId": "nonsense"}, ["blobId"]),
        ({"blobId": None}, ["blobId"]),
        ({"mailboxIds": {}}, ["mailboxIds"]),
        ({"mailboxIds": {"m9999": True}}, ["mailboxIds"]),
        ({"mailboxIds": {"nonsense": True}}, ["mailboxIds"]),
        ({"keywords": {"two words": True}}, ["keywords"]),
        ({"keywords": {"a": False}}, ["keywords"]),
        ({"receivedAt": "yesterday"}, ["receivedAt"]),
        ({"colour": "red"}, ["colour"]),
        ({"blobId": 1, "mailboxIds": []}, ["blobId", "mailboxIds"]),
        ({"blobId": "b99999", "mailboxIds": {"m9999": True}}, ["blobId", "mailboxIds"]),
        (
            {"blobId": "#nobody", "mailboxIds": {"#nobody": True}, "receivedAt": 1},
            ["blobId", "mailboxIds", "receivedAt"],
        ),
    ],
)
def test_what_cannot_be_imported(cast: Cast, change: dict[str, Any], invalid: list[str]) -> None:
    client = JMAPClient(cast.alice)
    answer = _import(client, **{**_given(client), **change})
    assert answer["notCreated"] == {"new": {"type": "invalidProperties", "properties": invalid}}
    assert answer["created"] is None
    assert answer["oldState"] == answer["newState"]


@pytest.mark.rfc("9404", "4.1")
def test_a_blob_by_its_creation_id(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = _given(client)
    call = [
        "Email/import",
        {"accountId": client.account_id, "emails": {"new": {**given, "blobId": "#raw"}}},
        "c",
    ]
    answer = client.request(call, createdIds={"raw": given["blobId"]})["methodResponses"][0][1]
    assert answer["created"]["new"]["blobId"] == given["blobId"]


@pytest.mark.rfc("8620", "3.6.2")
@pytest.mark.parametrize("emails", [None, [], {"new": None}, {"new": []}, {"a b": {}}])
def test_what_is_no_map_of_imports(cast: Cast, emails: object) -> None:
    error = JMAPClient(cast.alice).error("Email/import", {"emails": emails})
    assert error == {"type": "invalidArguments"}


@pytest.mark.rfc("8621", "4.8")
@pytest.mark.parametrize("missing", ["blobId", "mailboxIds"])
def test_what_must_be_given(cast: Cast, missing: str) -> None:
    client = JMAPClient(cast.alice)
    given = {name: value for name, value in _given(client).items() if name != missing}
    assert _import(client, **given)["notCreated"] == {
        "new": {"type": "invalidProperties", "properties": [missing]}
    }


@pytest.mark.rfc("8621", "4.8")
@pytest.mark.parametrize("raw", [b"", b"\x89PNG\r\n\x1a\n\0\0", b"just words\r\n"])
def test_what_is_no_message(cast: Cast, raw: bytes) -> None:
    client = JMAPClient(cast.alice)
    assert _import(client, **_given(client, raw))["notCreated"] == {"new": {"type": "invalidEmail"}}


@pytest.mark.rfc("8621", "4.8")
def test_bare_line_feeds_are_made_the_best_of(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1).replace(b"\r\n", b"\n"))
    assert get(client, email_id, "subject", "preview") == {
        "id": email_id,
        "subject": "Hello",
        "preview": "Text",
    }


def test_a_hundred_keywords_and_no_more(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    keywords = {f"k{number}": True for number in range(101)}
    answer = _import(client, **_given(client), keywords=keywords)
    assert answer["notCreated"] == {"new": {"type": "tooManyKeywords"}}


@pytest.mark.rfc("8621", "4.8")
def test_each_by_itself(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = _given(client)
    answer = client.call(
        "Email/import", {"emails": {"good": given, "bad": {**given, "mailboxIds": {}}, "worse": {}}}
    )
    assert (list(answer["created"]), sorted(answer["notCreated"])) == (["good"], ["bad", "worse"])


@pytest.mark.rfc("8621", "4.8")
def test_another_state(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    call = {"ifInState": "x-1", "emails": {"new": _given(client)}}
    assert client.error("Email/import", call) == {"type": "stateMismatch"}
    assert mailbox(client, roles(client)["inbox"])["totalEmails"] == 0


@pytest.mark.rfc("8620", "5.3")
def test_creation_ids_go_both_ways(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    blob_id = client.upload(message(1))["blobId"]
    account = {"accountId": client.account_id}
    answers = client.request(
        ["Mailbox/set", {**account, "create": {"box": {"name": "New"}}}, "0"],
        [
            "Email/import",
            {**account, "emails": {"mail": {"blobId": blob_id, "mailboxIds": {"#box": True}}}},
            "1",
        ],
        ["Email/get", {**account, "ids": ["#mail"], "properties": ["subject"]}, "2"],
    )["methodResponses"]
    assert answers[2][1]["list"] == [{"id": answers[1][1]["created"]["mail"]["id"], "subject": "Hello"}]


@pytest.mark.rfc("8621", "4.1.4")
def test_an_attached_message_is_imported_by_its_part(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inner = message(7, subject="Inner")
    outer = b"Subject: Outer\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    (part,) = get(client, add(client, outer), "attachments")["attachments"]
    given = {"blobId": part["blobId"], "mailboxIds": {roles(client)["inbox"]: True}}
    email = _import(client, **given)["created"]["new"]
    assert get(client, email["id"], "subject")["subject"] == "Inner"
    assert client.download(email["blobId"]).getvalue() == inner


def test_the_blob_of_another_user_is_not_found(cast: Cast) -> None:
    """An unreferenced blob is its uploader's alone, in a shared account too (RFC 8620 §6.1)."""
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    given = _given(alice)
    answer = bob.call("Email/import", {"accountId": alice.account_id, "emails": {"new": given}})
    assert answer["notCreated"] == {"new": {"type": "invalidProperties", "properties": ["blobId"]}}


def test_a_reader_imports_nothing(cast: Cast) -> None:
    alice, dora = JMAPClient(cast.alice), JMAPClient(cast.dora)
    call = {"accountId": alice.account_id, "emails": {"new": _given(alice)}}
    assert dora.error("Email/import", call) == {"type": "accountReadOnly"}
    assert mailbox(alice, roles(alice)["inbox"])["totalEmails"] == 0


def test_a_stranger_imports_nothing(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    given = _given(alice)
    call = {"accountId": alice.account_id, "emails": {"new": given}}
    assert charlie.error("Email/import", call) == {"type": "accountNotFound"}
    own = {"blobId": given["blobId"], "mailboxIds": {roles(charlie)["inbox"]: True}}
    assert _import(charlie, **own)["notCreated"] == {
        "new": {"type": "invalidProperties", "properties": ["blobId"]}
    }
