"""Email/get (RFC 8621 §4.1, §4.2)."""

from __future__ import annotations

import pytest

from tests.protocol.post import add, get, message, received, roles, thread_of
from tests.support.cast import Cast
from tests.support.client import JMAPClient

DEFAULT = [
    "id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt", "messageId", "inReplyTo",
    "references", "sender", "from", "to", "cc", "bcc", "replyTo", "subject", "sentAt", "hasAttachment",
    "preview", "bodyValues", "textBody", "htmlBody", "attachments",
]  # fmt: skip

MIXED = (
    b"From: Ann <ann@example.org>\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
    b"X-Note: one\r\nx-note: =?utf-8?q?tw=C3=B6?=\r\n"
    b"Content-Type: multipart/mixed; boundary=outer\r\n\r\n"
    b"--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"
    b"--inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
    b"--inner\r\nContent-Type: text/html; charset=utf-8\r\nX-Part: html\r\n\r\n<p>Gr\xc3\xbc\xc3\x9fe</p>\r\n"
    b"--inner--\r\n"
    b"--outer\r\nContent-Type: application/pdf; name=r.pdf\r\nContent-Disposition: attachment\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--outer--\r\n"
)


@pytest.mark.rfc("8621", "4.2")
def test_the_default_properties(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    raw = message(1)
    email_id = add(client, raw, keywords={"$seen": True}, receivedAt=received(1))
    email = get(client, email_id)
    assert list(email) == DEFAULT
    part = {
        "partId": "1",
        "blobId": f"{email['blobId']}-0",
        "size": 6,
        "name": None,
        "type": "text/plain",
        "charset": "us-ascii",
        "disposition": None,
        "cid": None,
        "language": None,
        "location": None,
    }
    assert email == {
        "id": email_id,
        "blobId": email["blobId"],
        "threadId": thread_of(client, email_id),
        "mailboxIds": {roles(client)["inbox"]: True},
        "keywords": {"$seen": True},
        "size": len(raw),
        "receivedAt": received(1),
        "messageId": ["m1@example.org"],
        "inReplyTo": None,
        "references": None,
        "sender": None,
        "from": [{"name": "Ann Author 1", "email": "ann1@example.org"}],
        "to": [{"name": "Bob", "email": "bob@example.org"}],
        "cc": None,
        "bcc": None,
        "replyTo": None,
        "subject": "Hello",
        "sentAt": "2020-11-20T10:00:00+01:00",
        "hasAttachment": False,
        "preview": "Text",
        "bodyValues": {},
        "textBody": [part],
        "htmlBody": [part],
        "attachments": [],
    }


@pytest.mark.rfc("8621", "4.1.1")
def test_the_blob_is_the_message(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    blob_id = get(client, add(client, MIXED), "blobId")["blobId"]
    assert client.download(blob_id).getvalue() == MIXED


@pytest.mark.rfc("8621", "4.1.4")
def test_a_part_is_a_blob(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    (attachment,) = get(client, add(client, MIXED), "attachments")["attachments"]
    assert (attachment["name"], attachment["type"], attachment["size"]) == ("r.pdf", "application/pdf", 5)
    assert client.download(attachment["blobId"]).getvalue() == b"%PDF-"


@pytest.mark.rfc("8621", "4.1.4")
def test_the_body_structure(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = get(client, add(client, MIXED), "bodyStructure", bodyProperties=["partId", "type", "subParts"])
    assert email["bodyStructure"] == {
        "partId": None,
        "type": "multipart/mixed",
        "subParts": [
            {
                "partId": None,
                "type": "multipart/alternative",
                "subParts": [
                    {"partId": "1", "type": "text/plain", "subParts": None},
                    {"partId": "2", "type": "text/html", "subParts": None},
                ],
            },
            {"partId": "3", "type": "application/pdf", "subParts": None},
        ],
    }


@pytest.mark.rfc("8621", "4.2")
@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("fetchTextBodyValues", ["1"]),
        ("fetchHTMLBodyValues", ["2"]),
        ("fetchAllBodyValues", ["1", "2"]),
    ],
)
def test_body_values(cast: Cast, argument: str, parts: list[str]) -> None:
    client = JMAPClient(cast.alice)
    values = get(client, add(client, MIXED), "bodyValues", **{argument: True})["bodyValues"]
    texts = {"1": "Grüße", "2": "<p>Grüße</p>"}
    assert values == {
        part: {"value": texts[part], "isEncodingProblem": False, "isTruncated": False} for part in parts
    }


@pytest.mark.rfc("8621", "4.2")
def test_truncated_body_values(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, MIXED)
    values = get(client, email_id, "bodyValues", fetchAllBodyValues=True, maxBodyValueBytes=3)["bodyValues"]
    assert values["1"] == {"value": "Gr", "isEncodingProblem": False, "isTruncated": True}
    assert values["2"] == {"value": "<p>", "isEncodingProblem": False, "isTruncated": True}


@pytest.mark.rfc("8621", "4.1.3")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("header:X-Note", " =?utf-8?q?tw=C3=B6?="),
        ("header:x-note:asText", "twö"),
        ("header:X-NOTE:asText:all", ["one", "twö"]),
        ("header:X-Missing", None),
        ("header:X-Missing:all", []),
        ("header:Subject:asText", "Report"),
        ("header:from:asAddresses", [{"name": "Ann", "email": "ann@example.org"}]),
        ("header:From:asAddresses:all", [[{"name": "Ann", "email": "ann@example.org"}]]),
        (
            "header:from:asGroupedAddresses",
            [{"name": None, "addresses": [{"name": "Ann", "email": "ann@example.org"}]}],
        ),
        ("header:Date:asDate", None),
    ],
)
def test_header_fields(cast: Cast, name: str, value: object) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, MIXED)
    assert get(client, email_id, name, "subject") == {"id": email_id, name: value, "subject": "Report"}


@pytest.mark.rfc("8621", "4.1.3")
def test_all_header_fields(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    headers = get(client, add(client, MIXED), "headers")["headers"]
    assert [field["name"] for field in headers] == [
        "From", "Subject", "MIME-Version", "X-Note", "x-note", "Content-Type",
    ]  # fmt: skip
    assert headers[3] == {"name": "X-Note", "value": " one"}


@pytest.mark.rfc("8621", "4.1.4")
def test_header_fields_of_parts(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    asked = ["partId", "header:X-Part:asText"]
    (part,) = get(client, add(client, MIXED), "htmlBody", bodyProperties=asked)["htmlBody"]
    assert part == {"partId": "2", "header:X-Part:asText": "html"}


@pytest.mark.rfc("8621", "4.2")
@pytest.mark.parametrize(
    "arguments",
    [
        {"properties": ["header:From:asDate"]},
        {"properties": ["header:From:asNothing"]},
        {"properties": ["header:"]},
        {"properties": ["colour"]},
        {"bodyProperties": ["colour"]},
        {"bodyProperties": ["header:Subject:asDate"]},
        {"maxBodyValueBytes": -1},
        {"fetchAllBodyValues": 1},
    ],
)
def test_what_cannot_be_asked_for(cast: Cast, arguments: dict[str, object]) -> None:
    assert JMAPClient(cast.alice).error("Email/get", {"ids": [], **arguments}) == {"type": "invalidArguments"}


@pytest.mark.rfc("8620", "5.1")
def test_each_id_once_and_the_unknown_apart(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first, second = add(client, message(1)), add(client, message(2))
    answer = client.call("Email/get", {"ids": [second, "e9999", first, second], "properties": ["id"]})
    assert answer["list"] == [{"id": second}, {"id": first}]
    assert answer["notFound"] == ["e9999"]


def test_a_message_of_more_than_a_chunk(cast: Cast) -> None:
    """A text behind 300 kB of attachment: its octets are in the second row of the blob."""
    client = JMAPClient(cast.alice)
    raw = (
        b"Subject: Large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\r\n"
        + b"x" * 300_000
        + b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nthe end\r\n--b--\r\n"
    )
    values = get(client, add(client, raw), "bodyValues", fetchAllBodyValues=True)["bodyValues"]
    assert values == {"2": {"value": "the end", "isEncodingProblem": False, "isTruncated": False}}


def test_a_stranger_finds_no_account(cast: Cast) -> None:
    email_id = add(JMAPClient(cast.alice), message(1))
    charlie = JMAPClient(cast.charlie)
    assert charlie.error("Email/get", {"accountId": cast.alice.account_id, "ids": [email_id]}) == {
        "type": "accountNotFound"
    }
    assert charlie.call("Email/get", {"ids": [email_id]})["notFound"] == [email_id]


@pytest.mark.parametrize("octets", [60_000, 65_000, 70_000, 300_000, 1_200_000])
def test_a_text_is_whole_wherever_its_message_lies(cast: Cast, octets: int) -> None:
    alice = JMAPClient(cast.alice)
    text = "line of text\r\n" * (octets // 14) + "the end"
    email_id = add(alice, message(1, body=text))
    email = get(alice, email_id, "bodyValues", "size", fetchTextBodyValues=True)
    assert email["bodyValues"]["1"]["value"].rstrip() == text.replace("\r\n", "\n")


@pytest.mark.rfc("8620", "3.7")
def test_the_threads_of_what_a_query_of_the_same_request_found(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first, second = add(client, message(1)), add(client, message(2))
    asked = {"accountId": client.account_id, "properties": ["threadId"]}
    results = {"resultOf": "q", "name": "Email/query", "path": "/ids"}
    answers = client.request(
        ["Email/query", {"accountId": client.account_id}, "q"],
        ["Email/get", {**asked, "#ids": results}, "of-results"],
        ["Email/get", {**asked, "ids": [first, "e99999"]}, "of-others"],
        ["Email/get", {**asked, "#ids": results, "properties": ["id"]}, "ids"],
        ["Email/set", {"accountId": client.account_id, "destroy": [second]}, "s"],
        ["Email/get", {**asked, "#ids": results}, "after"],
    )["methodResponses"]
    found, of_results, of_others, ids, _, after = [answer for _, answer, _ in answers]
    assert set(found["ids"]) == {first, second}
    threads = {email["id"]: email["threadId"] for email in of_results["list"]}
    assert [email["id"] for email in of_results["list"]] == found["ids"]
    assert of_results["state"] == found["queryState"]
    assert ids["list"] == [{"id": each} for each in found["ids"]]
    assert (of_others["list"], of_others["notFound"]) == (
        [{"id": first, "threadId": threads[first]}],
        ["e99999"],
    )
    assert (after["list"], after["notFound"]) == ([{"id": first, "threadId": threads[first]}], [second])
    assert threads[first] == thread_of(client, first)
