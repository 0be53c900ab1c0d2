"""Email/set create: what is refused, and that nothing comes of it (RFC 8621 §4.6)."""

from __future__ import annotations

from typing import Any

import pytest

from mail.types import email_create, email_draft
from mail.types.capability import MAX_KEYWORDS_PER_EMAIL, MAX_MAILBOXES_PER_EMAIL
from tests.protocol.Email.set.drafts import PNG, both, created, draft, invalid, refusal, text
from tests.protocol.post import create_mailbox, get, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8621", "4.6")

PART = {"partId": "t", "type": "text/plain"}
VALUES = {"t": {"value": "Text"}, "h": {"value": "<p>"}}


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"id": "e1"}, ["id"]),
        ({"blobId": "b1", "threadId": "t1", "size": 1}, ["blobId", "size", "threadId"]),
        ({"hasAttachment": False, "preview": ""}, ["hasAttachment", "preview"]),
        ({"headers": []}, ["headers"]),
        ({"headers": None}, ["headers"]),
        ({"colour": "red"}, ["colour"]),
        ({"header:": "x"}, ["header:"]),
        ({"header:a:b:c": "x"}, ["header:a:b:c"]),
        ({"mailboxIds": None}, ["mailboxIds"]),
        ({"mailboxIds": {}}, ["mailboxIds"]),
        ({"mailboxIds": {"m999": True}}, ["mailboxIds"]),
        ({"mailboxIds": {"#nothing": True}}, ["mailboxIds"]),
        ({"mailboxIds": {"m999": True}, "subject": 1}, ["mailboxIds", "subject"]),
        ({"keywords": {"two words": True}, "receivedAt": "now"}, ["keywords", "receivedAt"]),
        ({"from": "a@b.example", "to": [{}], "cc": [{"name": "x"}]}, ["cc", "from", "to"]),
        ({"subject": 5, "sentAt": "yesterday", "messageId": "a"}, ["messageId", "sentAt", "subject"]),
        ({"from": [{"email": "a@b.example"}], "header:From": " a@b.example"}, ["from", "header:From"]),
        ({"header:X": " a", "header:x:asText": "b"}, ["header:X", "header:x:asText"]),
        ({"header:X:all": [" a"], "header:X": " b"}, ["header:X", "header:X:all"]),
        ({"header:From:asText": "a"}, ["header:From:asText"]),
        ({"header:Subject:asAddresses": []}, ["header:Subject:asAddresses"]),
        ({"header:Content-Type": " text/plain"}, ["header:Content-Type"]),
        ({"header:content-x:asText": "x"}, ["header:content-x:asText"]),
        ({"header:MIME-Version": " 2.0"}, ["header:MIME-Version"]),
        ({"header:X:asText:all": "x"}, ["header:X:asText:all"]),
        ({"header:X:asDate:all": [None]}, ["header:X:asDate:all"]),
    ],
)
def test_properties_that_an_email_cannot_have(
    alice: JMAPClient, given: dict[str, Any], names: list[str]
) -> None:
    assert refusal(alice, **given) == invalid(*names)


@pytest.mark.parametrize("end", ["\r\nBcc: x@example.org", "\nBcc: x@example.org", "\r", "\n", "\0", "\x0b"])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("subject", lambda end: f"a{end}"),
        ("from", lambda end: [{"name": f"a{end}", "email": "a@b.example"}]),
        ("to", lambda end: [{"name": None, "email": f"a@b.example{end}"}]),
        ("messageId", lambda end: [f"a@b.example{end}"]),
        ("header:X", lambda end: f" a{end}"),
        ("header:X:asURLs", lambda end: [f"http://a/{end}"]),
        ("header:X:asGroupedAddresses", lambda end: [{"name": f"a{end}", "addresses": []}]),
    ],
)
def test_no_header_field_is_smuggled_in(alice: JMAPClient, name: str, make: Any, end: str) -> None:
    assert refusal(alice, **{name: make(end)}) == invalid(name)


@pytest.mark.parametrize("end", ["\r\nBcc: x@example.org", "\n", "\0"])
@pytest.mark.parametrize(
    "name",
    ["name", "cid", "type", "charset", "disposition", "location", "header:Content-X", "header:Content-Type"],
)
def test_no_header_field_is_smuggled_into_a_part(alice: JMAPClient, name: str, end: str) -> None:
    blob_id = alice.upload(PNG, "image/png")["blobId"]
    given = {
        "type": "image/png",
        "cid": "a",
        "charset": "utf-8",
        "disposition": "inline",
        "header:Content-Type": " a/b",
    }
    part = {"blobId": blob_id, name: f"{given.get(name, ' x').strip()}{end}"}
    assert refusal(alice, **text(), attachments=[part]) == invalid("attachments")
    assert refusal(alice, **text(), attachments=[{"blobId": blob_id, "language": [f"de{end}"]}]) == invalid(
        "attachments"
    )


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"textBody": []}, ["textBody"]),
        ({"textBody": [PART, PART]}, ["textBody"]),
        ({"textBody": PART}, ["textBody"]),
        ({"textBody": [None]}, ["textBody"]),
        ({"textBody": [{"partId": "h", "type": "text/html"}]}, ["textBody"]),
        ({"textBody": [PART], "htmlBody": [PART]}, ["htmlBody"]),
        ({"textBody": [{"partId": "x", "type": "text/plain"}]}, ["textBody"]),
        ({"textBody": [{"partId": 1}]}, ["textBody"]),
        ({"textBody": [{"type": "text/plain"}]}, ["textBody"]),
        ({"textBody": [{**PART, "blobId": "b1"}]}, ["textBody"]),
        ({"textBody": [PART], "attachments": [PART]}, ["attachments"]),
        ({"bodyStructure": {"type": "multipart/mixed", "subParts": [PART, PART]}}, ["bodyStructure"]),
        ({"textBody": [{**PART, "charset": "utf-8"}]}, ["textBody"]),
        ({"textBody": [{**PART, "size": 4}]}, ["textBody"]),
        ({"textBody": [{**PART, "headers": []}]}, ["textBody"]),
        ({"textBody": [{**PART, "colour": "red"}]}, ["textBody"]),
        ({"textBody": [{**PART, "header:Content-Transfer-Encoding": " 7bit"}]}, ["textBody"]),
        ({"textBody": [{**PART, "header:Content-Type": " text/plain"}]}, ["textBody"]),
        ({"textBody": [{**PART, "cid": "a", "header:Content-ID": " <a>"}]}, ["textBody"]),
        ({"textBody": [{**PART, "header:X": " a", "header:x": " b"}]}, ["textBody"]),
        ({"textBody": [{**PART, "header:X:asDate": "soon"}]}, ["textBody"]),
        ({"textBody": [{"partId": "t", "header:Content-Type:asURLs": ["a"]}]}, ["textBody"]),
        ({"textBody": [{"partId": "t", "header:Content-Type:all": [" a/b", " a/b"]}]}, ["textBody"]),
        ({"textBody": [{"partId": "t", "header:Content-Type": " text/plain; é=x"}]}, ["textBody"]),
        ({"textBody": [{**PART, "subParts": [PART]}]}, ["textBody"]),
        ({"attachments": [{"type": "multipart/mixed", "subParts": [PART]}]}, ["attachments"]),
        ({"attachments": {}}, ["attachments"]),
        ({"attachments": [{"blobId": "a b"}]}, ["attachments"]),
        ({"attachments": [{"blobId": "b1", "size": -1}]}, ["attachments"]),
        ({"attachments": [{"blobId": "b1", "type": "multipart/mixed"}]}, ["attachments"]),
        ({"bodyStructure": {"type": "multipart/mixed"}}, ["bodyStructure"]),
        ({"bodyStructure": {"type": "multipart/mixed", "subParts": []}}, ["bodyStructure"]),
        (
            {"bodyStructure": {"type": "multipart/mixed", "subParts": [PART], "partId": "t"}},
            ["bodyStructure"],
        ),
        ({"bodyStructure": {"type": "multipart/mixed", "subParts": [{}]}}, ["bodyStructure"]),
        ({"bodyStructure": []}, ["bodyStructure"]),
        ({"bodyStructure": PART, "textBody": [PART]}, ["bodyStructure", "textBody"]),
        (
            {"bodyStructure": PART, "htmlBody": [], "attachments": []},
            ["attachments", "bodyStructure", "htmlBody"],
        ),
        ({"bodyStructure": {**PART, "header:Subject": " a"}, "subject": "b"}, ["bodyStructure"]),
        ({"bodyValues": {"t": {"value": "x", "isTruncated": True}}}, ["bodyValues"]),
        ({"bodyValues": {"t": {"value": "x", "isEncodingProblem": True}}}, ["bodyValues"]),
        ({"bodyValues": {"t": {}}}, ["bodyValues"]),
        ({"bodyValues": []}, ["bodyValues"]),
        (
            {"bodyValues": [], "subject": 1, "textBody": [{**PART, "size": 1}]},
            ["bodyValues", "subject", "textBody"],
        ),
    ],
)
def test_bodies_that_an_email_cannot_have(alice: JMAPClient, given: dict[str, Any], names: list[str]) -> None:
    assert refusal(alice, **{"bodyValues": VALUES, **given}) == invalid(*names)


def test_what_is_null_is_not_given(alice: JMAPClient) -> None:
    nothing = dict.fromkeys(
        ["from", "sentAt", "subject", "htmlBody", "attachments", "receivedAt", "header:X"]
    )
    part = {**PART, **dict.fromkeys(["blobId", "charset", "size", "name", "cid", "subParts", "header:X-Y"])}
    email = created(alice, bodyStructure=part, bodyValues=VALUES, **nothing)
    assert get(alice, email["id"], "from", "header:X")["from"] is None


def test_blobs_that_are_not_there(cast: Cast, alice: JMAPClient) -> None:
    mine = alice.upload(PNG, "image/png")["blobId"]
    parts = [{"blobId": blob_id} for blob_id in ("b999", mine, f"{mine}-7", "nonsense", "#new", "b999")]
    assert refusal(alice, **text(), attachments=parts) == {
        "type": "blobNotFound",
        "notFound": ["b999", f"{mine}-7", "nonsense", "#new"],
    }
    theirs = JMAPClient(cast.bob).upload(b"Bob's own", account_id=alice.account_id)["blobId"]
    error = {"type": "blobNotFound", "notFound": [theirs]}
    assert refusal(alice, attachments=[{"blobId": theirs}]) == error
    assert alice.call("Email/query")["ids"] == []


def test_one_is_refused_and_the_other_created(alice: JMAPClient) -> None:
    given = {"good": draft(alice), "bad": draft(alice, attachments=[{"blobId": "b999"}]), "worse": {}}
    answer = alice.call("Email/set", {"create": given})
    assert list(answer["created"]) == ["good"]
    assert answer["notCreated"] == {
        "bad": {"type": "blobNotFound", "notFound": ["b999"]},
        "worse": invalid("mailboxIds"),
    }


def test_attachments_beyond_the_limit(alice: JMAPClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_create, "MAX_SIZE_ATTACHMENTS_PER_EMAIL", 2 * len(PNG))
    part = {"blobId": alice.upload(PNG, "image/png")["blobId"]}
    created(alice, attachments=[part, part])
    assert refusal(alice, attachments=[part, part, part]) == {"type": "tooLarge"}


def test_more_parts_than_anybody_needs(alice: JMAPClient) -> None:
    parts = [{"blobId": "b1"}] * (email_draft.MOST_PARTS + 1)
    assert refusal(alice, bodyStructure={"type": "multipart/mixed", "subParts": parts}) == {
        "type": "tooLarge"
    }


def test_more_header_fields_than_anybody_needs(alice: JMAPClient) -> None:
    people = [{"email": f"{'a' * 50}@b.example"}] * 4_000
    created(alice, **{"header:X:asAddresses": people})
    assert refusal(alice, **{"header:X:asAddresses": people + people[:1000]}) == invalid(
        "header:X:asAddresses"
    )
    assert refusal(alice, **{"header:X:asAddresses": people * 2}) == {"type": "tooLarge"}


def test_more_blobs_than_one_call_reads(alice: JMAPClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_create, "MOST_OCTETS", len(PNG))
    part = {"blobId": alice.upload(PNG, "image/png")["blobId"]}
    given = {"create": {"a": draft(alice, attachments=[part]), "b": draft(alice, attachments=[part])}}
    assert alice.error("Email/set", given) == {"type": "requestTooLarge"}
    assert alice.call("Email/query")["ids"] == []


def test_too_many_keywords_and_mailboxes(alice: JMAPClient) -> None:
    keywords = {f"k{number}": True for number in range(MAX_KEYWORDS_PER_EMAIL + 1)}
    assert refusal(alice, keywords=keywords) == {"type": "tooManyKeywords"}
    boxes = {f"m{number}": True for number in range(1, MAX_MAILBOXES_PER_EMAIL + 2)}
    assert refusal(alice, mailboxIds=boxes) == {"type": "tooManyMailboxes"}
    email = created(alice)
    answer = alice.call("Email/set", {"update": {email["id"]: {"mailboxIds": boxes}}})
    assert answer["notUpdated"] == {email["id"]: {"type": "tooManyMailboxes"}}
    blob_id = email["blobId"]
    answer = alice.call("Email/import", {"emails": {"a": {"blobId": blob_id, "mailboxIds": boxes}}})
    assert answer["notCreated"] == {"a": {"type": "tooManyMailboxes"}}


def test_a_state_that_has_passed(alice: JMAPClient) -> None:
    state = alice.call("Email/get", {"ids": []})["state"]
    created(alice)
    given = {"ifInState": state, "create": {"new": draft(alice)}}
    assert alice.error("Email/set", given) == {"type": "stateMismatch"}
    assert len(alice.call("Email/query")["ids"]) == 1


def test_a_mailbox_that_is_gone(alice: JMAPClient) -> None:
    box = create_mailbox(alice)
    alice.call("Mailbox/set", {"destroy": [box]})
    assert refusal(alice, mailboxIds={box: True}) == invalid("mailboxIds")
    both_boxes = {box: True, roles(alice)["inbox"]: True}
    assert refusal(alice, mailboxIds=both_boxes, **both()) == invalid("mailboxIds")


@pytest.mark.rfc("8620", "5.3")
def test_an_email_in_no_mailbox_is_refused_though_the_call_destroys_it(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    answer = alice.call("Email/set", {"create": {"a": {"mailboxIds": {"#a": True}}}, "destroy": ["#a"]})
    assert answer["notCreated"] == {"a": {"type": "invalidProperties", "properties": ["mailboxIds"]}}
    assert answer["notDestroyed"] == {"#a": {"type": "notFound"}}
