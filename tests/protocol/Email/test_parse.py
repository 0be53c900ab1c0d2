"""Email/parse (RFC 8621 §4.9): messages shown without being in the store."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from mail.types import email_parse
from mail.types.email_parse import DEFAULT_PROPERTIES
from tests.protocol.post import add, get, message
from tests.protocol.test_tenants import everything
from tests.support.cast import Cast
from tests.support.client import JMAPClient

INNER = (
    b"From: Carol <carol@example.net>\r\nTo: alice@example.com\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n"
    b"Message-ID: <inner@example.net>\r\nDate: Mon, 16 Nov 2020 09:00:00 +0100\r\n"
    b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n'
    b"--i\r\nContent-Type: text/plain\r\n\r\nInner text\r\n"
    b'--i\r\nContent-Type: application/zip; name="a.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--i--\r\n'
)


def forwarded(inner: bytes = INNER, encoding: bytes = b"7bit") -> bytes:
    """A message with another one attached."""
    if encoding == b"base64":
        inner = base64.encodebytes(inner)
    mark = b"o%d" % len(inner)
    return (
        b"From: bob@example.com\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n"
        b"--" + mark + b"\r\nContent-Type: text/plain\r\n\r\nSee below\r\n"
        b"--"
        + mark
        + b"\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: "
        + encoding
        + b"\r\n\r\n"
        + inner
        + b"\r\n--"
        + mark
        + b"--\r\n"
    )


def parse(client: JMAPClient, *blob_ids: str, **arguments: Any) -> dict[str, Any]:
    """The response of one Email/parse."""
    return client.call("Email/parse", {"blobIds": list(blob_ids), **arguments})


def parsed(client: JMAPClient, blob_id: str, *properties: str, **arguments: Any) -> dict[str, Any]:
    """One parsed Email with these properties."""
    answer = parse(client, blob_id, properties=list(properties) or None, **arguments)
    assert (answer["notParsable"], answer["notFound"]) == (None, None)
    found: dict[str, Any] = answer["parsed"][blob_id]
    return found


@pytest.mark.rfc("8621", "4.9")
def test_the_default_properties_are_those_of_the_rfc(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    email = parsed(alice, alice.upload(INNER)["blobId"])
    assert tuple(email) == DEFAULT_PROPERTIES
    assert email["subject"] == "Café"
    assert email["from"] == [{"name": "Carol", "email": "carol@example.net"}]
    assert email["sentAt"] == "2020-11-16T09:00:00+01:00"
    assert (email["hasAttachment"], email["preview"], email["bodyValues"]) == (True, "Inner text", {})


@pytest.mark.rfc("8621", "4.9")
def test_what_only_an_email_of_the_store_has_is_null(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(INNER)["blobId"]
    names = ("id", "mailboxIds", "keywords", "receivedAt", "threadId")
    assert parsed(alice, blob_id, *names) == dict.fromkeys(names)


@pytest.mark.rfc("8621", "4.9")
def test_only_what_is_asked_for_is_answered(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(INNER)["blobId"]
    assert parsed(alice, blob_id, "size", "blobId") == {"size": len(INNER), "blobId": blob_id}


@pytest.mark.rfc("8621", "4.9")
def test_it_says_of_a_message_what_email_get_says_of_it(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    names = [*DEFAULT_PROPERTIES, "blobId", "size", "bodyStructure", "headers", "header:subject:asText:all"]
    options = {"fetchAllBodyValues": True}
    email = get(alice, add(alice, forwarded()), *names, **options)
    del email["id"]
    assert parsed(alice, email["blobId"], *names, **options) == email


@pytest.mark.rfc("8621", "4.9")
@pytest.mark.parametrize("encoding", [b"7bit", b"base64"])
def test_an_attached_message_is_shown_with_its_own_parts(cast: Cast, encoding: bytes) -> None:
    alice = JMAPClient(cast.alice)
    outer = get(alice, add(alice, forwarded(encoding=encoding)), "attachments")
    [attached] = outer["attachments"]
    email = parsed(
        alice, attached["blobId"], "subject", "attachments", "bodyValues", fetchTextBodyValues=True
    )
    assert email["subject"] == "Café"
    assert [value["value"] for value in email["bodyValues"].values()] == ["Inner text"]
    [image] = email["attachments"]
    assert image["blobId"].startswith(f"{attached['blobId']}-")
    assert alice.download(image["blobId"]).content == b"\x00\x01\x02"


@pytest.mark.rfc("8621", "4.9")
def test_messages_in_messages_in_messages(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(forwarded(forwarded(forwarded())))["blobId"]
    for subject in ("Fwd", "Fwd", "Fwd", "Café"):
        email = parsed(alice, blob_id, "subject", "attachments")
        assert email["subject"] == subject
        blob_id = email["attachments"][0]["blobId"]


@pytest.mark.rfc("8621", "4.9")
def test_header_fields_may_be_utf_8(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload("From: Jürgen <jürgen@exämple.org>\r\nSubject: Grüße\r\n\r\nx".encode())["blobId"]
    email = parsed(alice, blob_id, "from", "subject")
    assert email == {"from": [{"name": "Jürgen", "email": "jürgen@exämple.org"}], "subject": "Grüße"}


@pytest.mark.rfc("8621", "4.9")
def test_the_capitals_of_a_header_property_stay(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(INNER)["blobId"]
    assert parsed(alice, blob_id, "header:SUBJECT:asText") == {"header:SUBJECT:asText": "Café"}


@pytest.mark.rfc("8621", "4.9")
@pytest.mark.parametrize(
    "arguments",
    [
        {"properties": ["header:From:asDate"]},
        {"properties": ["colour"]},
        {"bodyProperties": ["colour"]},
        {"properties": ["id", 1]},
        {"maxBodyValueBytes": -1},
    ],
    ids=str,
)
def test_what_cannot_be_asked_for_is_invalid(cast: Cast, arguments: dict[str, Any]) -> None:
    alice = JMAPClient(cast.alice)
    given = {"blobIds": [alice.upload(INNER)["blobId"]], **arguments}
    assert alice.error("Email/parse", given) == {"type": "invalidArguments"}


@pytest.mark.rfc("8621", "4.9")
def test_body_values_are_cut_at_a_character(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(
        "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße".encode(),
    )["blobId"]
    email = parsed(alice, blob_id, "bodyValues", fetchTextBodyValues=True, maxBodyValueBytes=3)
    assert email["bodyValues"] == {"1": {"value": "Gr", "isEncodingProblem": False, "isTruncated": True}}


@pytest.mark.rfc("8621", "4.9")
def test_what_is_no_message_and_what_is_not_there_are_told_apart(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    good = alice.upload(INNER)["blobId"]
    bad = alice.upload(b"\x00\x01 no message at all")["blobId"]
    foreign = charlie.upload(b"Subject: secret\r\n\r\nx")["blobId"] + "-77"
    answer = parse(alice, good, bad, good, "b99999", "nonsense", foreign, f"{good}-9", properties=["subject"])
    assert answer["parsed"] == {good: {"subject": "Café"}}
    assert answer["notParsable"] == [bad]
    assert answer["notFound"] == ["b99999", "nonsense", foreign, f"{good}-9"]


@pytest.mark.rfc("8621", "4.9")
def test_lists_that_are_empty_are_null(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    assert parse(alice) == {
        "accountId": alice.account_id,
        "parsed": None,
        "notParsable": None,
        "notFound": None,
    }


@pytest.mark.rfc("9404", "4.1")
def test_a_blob_of_the_same_request_is_named_by_its_creation_id(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    account = {"accountId": alice.account_id}
    data = [{"data:asBase64": base64.b64encode(INNER).decode()}]
    uploaded, answered = alice.request(
        ["Blob/upload", {**account, "create": {"m": {"data": data}}}, "0"],
        ["Email/parse", {**account, "blobIds": ["#m"], "properties": ["subject"]}, "1"],
    )["methodResponses"]
    assert answered[1]["parsed"] == {uploaded[1]["created"]["m"]["id"]: {"subject": "Café"}}


def test_parsing_changes_nothing(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(INNER)["blobId"]
    before = everything(cast.alice)
    parsed(alice, blob_id)
    assert everything(cast.alice) == before


def test_who_may_only_read_parses_what_they_see(cast: Cast) -> None:
    alice, dora = JMAPClient(cast.alice), JMAPClient(cast.dora)
    email = get(alice, add(alice, message(1, subject="Shared")), "blobId")
    dora.account_id = alice.account_id
    assert parsed(dora, email["blobId"], "subject") == {"subject": "Shared"}
    unseen = alice.upload(INNER)["blobId"]
    assert parse(dora, unseen)["notFound"] == [unseen]


def test_more_than_one_call_may_parse_is_too_large(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(INNER)["blobId"]
    most = settings.JMAP_LIMITS["maxObjectsInGet"]
    many = {"blobIds": [f"b{number}" for number in range(1, most + 2)]}
    assert alice.error("Email/parse", many) == {"type": "requestTooLarge"}
    with override_settings(JMAP_MAX_SIZE_ANSWER=10):
        assert alice.error("Email/parse", {"blobIds": [blob_id]})["type"] == "requestTooLarge"
    monkeypatch.setattr(email_parse, "MOST_OCTETS", 10)
    assert alice.error("Email/parse", {"blobIds": [blob_id]}) == {"type": "requestTooLarge"}


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n" * 500,
        b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(1000)
        ),
        b"X: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"Subject: \x00\x00\r\nContent-Type: text/html; charset=\x00\r\n\r\n<p>\x00",
        b":\r\n\r\n",
        b"Subject",
    ],
    ids=["messages", "multiparts", "long field", "nul", "no name", "cut off"],
)
def test_hostile_messages_are_answered(cast: Cast, raw: bytes) -> None:
    alice = JMAPClient(cast.alice)
    blob_id = alice.upload(raw)["blobId"]
    names = [*DEFAULT_PROPERTIES, "bodyStructure", "headers"]
    answer = parse(alice, blob_id, properties=names, fetchAllBodyValues=True)
    assert blob_id in (answer["parsed"] or ()) or answer["notParsable"] == [blob_id]
