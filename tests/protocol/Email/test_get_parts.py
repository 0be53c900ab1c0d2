"""EmailBodyParts, body values and header forms as Email/get answers them (RFC 8621 §4.1.2 to §4.1.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.post import add, get
from tests.support.cast import Cast
from tests.support.client import JMAPClient

LIST_MAIL = (
    b"From: Ann <ann@example.org>\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=outer\r\n\r\n"
    b"--outer\r\nContent-Type: multipart/related; boundary=inner\r\nContent-Language: de, en (or so)\r\n\r\n"
    b"--inner\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Location: https://example.org/\r\n a.html\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n<img src=3D\"cid:pic@example\">\r\n"
    b"--inner\r\nContent-Type: IMAGE/PNG; name=\"=?utf-8?q?Gr=C3=BCn.png?=\"\r\nContent-ID: (a) <pic@example>\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--inner--\r\n"
    b"--outer\r\nContent-Type: message/rfc822\r\nContent-Disposition: (x) ATTACHMENT;\r\n"
    b" filename*0*=utf-8''%E2%82%AC; filename*1=\" rates.eml\"\r\n\r\n"
    b"Subject: Inner\r\nContent-Type: multipart/mixed; boundary=deep\r\n\r\n--deep\r\n\r\ninner\r\n--deep--\r\n"
    b"--outer\r\n\r\nfooter\r\n--outer--\r\n"
)  # fmt: skip


def tree(cast: Cast, *names: str) -> dict[str, Any]:
    """bodyStructure of `LIST_MAIL` with these properties of each part."""
    client = JMAPClient(cast.alice)
    answer = get(client, add(client, LIST_MAIL), "bodyStructure", bodyProperties=list(names))
    structure: dict[str, Any] = answer["bodyStructure"]
    return structure


def leaves(part: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts that are no multipart, in order."""
    inner = part.get("subParts")
    return [part] if inner is None else [leaf for each in inner for leaf in leaves(each)]


@pytest.mark.rfc("8621", "4.1.4")
def test_a_multipart_has_neither_part_id_nor_blob_id(cast: Cast) -> None:
    root = tree(cast, "partId", "blobId", "type")
    for multipart in (root, root["subParts"][0]):
        assert (multipart["partId"], multipart["blobId"]) == (None, None)
        assert multipart["type"].startswith("multipart/")
    assert all(leaf["partId"] and leaf["blobId"] for leaf in leaves(root))


@pytest.mark.rfc("8621", "4.1.4")
def test_an_attached_message_is_one_part(cast: Cast) -> None:
    message = tree(cast, "type", "subParts")["subParts"][1]
    assert message == {"type": "message/rfc822", "subParts": None}


@pytest.mark.rfc("8621", "4.1.4")
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("type", ["text/html", "image/png", "message/rfc822", "text/plain"]),
        ("charset", ["UTF-8", None, None, "us-ascii"]),
        ("disposition", [None, None, "attachment", None]),
        ("name", [None, "Grün.png", "€ rates.eml", None]),
        ("cid", [None, "pic@example", None, None]),
        ("location", ["https://example.org/a.html", None, None, None]),
        ("size", [27, 5, 89, 6]),
    ],
)
def test_properties_of_parts(cast: Cast, name: str, values: list[object]) -> None:
    assert [leaf[name] for leaf in leaves(tree(cast, name))] == values


@pytest.mark.rfc("8621", "4.1.4")
def test_the_languages_of_a_part(cast: Cast) -> None:
    root = tree(cast, "language")
    assert (root["language"], root["subParts"][0]["language"]) == (None, ["de", "en"])


@pytest.mark.rfc("8621", "4.1.4")
def test_the_header_fields_of_a_part_are_raw_and_in_order(cast: Cast) -> None:
    image = leaves(tree(cast, "headers"))[1]
    assert image["headers"] == [
        {"name": "Content-Type", "value": ' IMAGE/PNG; name="=?utf-8?q?Gr=C3=BCn.png?="'},
        {"name": "Content-ID", "value": " (a) <pic@example>"},
        {"name": "Content-Transfer-Encoding", "value": " base64"},
    ]


@pytest.mark.rfc("8621", "4.1.4")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("header:CONTENT-id:asMessageIds", ["pic@example"]),
        ("header:Content-ID", " (a) <pic@example>"),
        ("header:Content-ID:all", [" (a) <pic@example>"]),
        ("header:Content-Id:asText:all", ["(a) <pic@example>"]),
        ("header:Subject", None),
        ("header:Subject:asText:all", []),
    ],
)
def test_a_header_field_of_a_part(cast: Cast, name: str, value: object) -> None:
    assert leaves(tree(cast, name))[1] == {name: value}


@pytest.mark.rfc("8621", "4.1.4")
def test_images_and_messages_beside_the_html_are_attachments(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = get(
        client, add(client, LIST_MAIL), "textBody", "htmlBody", "attachments", bodyProperties=["type"]
    )
    html, image, message, footer = ({"type": leaf["type"]} for leaf in leaves(tree(cast, "type")))
    assert (email["textBody"], email["htmlBody"]) == ([html, footer], [html, footer])
    assert email["attachments"] == [image, message]


@pytest.mark.rfc("8621", "4.2")
def test_no_property_of_parts_at_all(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = get(client, add(client, LIST_MAIL), "textBody", bodyProperties=[])
    assert email["textBody"] == [{}, {}]


@pytest.mark.rfc("8621", "4.2")
def test_body_values_are_those_of_texts_alone(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    values = get(client, add(client, LIST_MAIL), "bodyValues", fetchAllBodyValues=True)["bodyValues"]
    assert {part: each["value"] for part, each in values.items()} == {
        "1": '<img src="cid:pic@example">',
        "4": "footer",
    }


@pytest.mark.rfc("8621", "4.1.4")
@pytest.mark.parametrize(
    ("fields", "body", "value", "problem"),
    [
        ("Content-Type: text/plain; charset=utf-8", b"a\r\nb", "a\nb", False),
        ("Content-Type: text/plain; charset=utf-8", b"a\xffb", "a\ufffdb", True),
        ("Content-Type: text/plain; charset=no-such", b"abc", "abc", True),
        ("Content-Type: text/plain; charset=utf-7", b"+AOk-", "+AOk-", True),
        ("Content-Type: text/plain; charset=koi8-r", b"\xc1\xc2", "аб", False),
        ("Content-Transfer-Encoding: x-uuencode", b"abc", "abc", True),
        ("Subject: x", "é".encode(), "é", False),
        ("Subject: x", b"caf\xe9", "café", True),
    ],
)
def test_an_encoding_problem_is_told(cast: Cast, fields: str, body: bytes, value: str, problem: bool) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, fields.encode() + b"\r\n\r\n" + body)
    values = get(client, email_id, "bodyValues", fetchTextBodyValues=True)["bodyValues"]
    assert values == {"1": {"value": value, "isEncodingProblem": problem, "isTruncated": False}}


@pytest.mark.rfc("8621", "4.2")
@pytest.mark.parametrize(
    ("body", "most", "value"),
    [
        ("ééé", 3, "é"),
        ("ééé", 6, "ééé"),
        ("a\U0001f600b", 4, "a"),
        ("abc", 0, "abc"),
        ('<p>one <a href="x>y">two</a>', 20, "<p>one "),
        ('<p>one <a href="x>y">two</a>', 22, '<p>one <a href="x>y">t'),
        ("<p>1 < 2", 6, "<p>1 <"),
    ],
)
def test_a_value_is_cut_between_characters_and_outside_of_tags(
    cast: Cast, body: str, most: int, value: str
) -> None:
    client = JMAPClient(cast.alice)
    raw = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + body.encode()
    asked = {"fetchHTMLBodyValues": True, "maxBodyValueBytes": most}
    assert get(client, add(client, raw), "bodyValues", **asked)["bodyValues"] == {
        "1": {"value": value, "isEncodingProblem": False, "isTruncated": value != body}
    }


FORBIDDEN = {
    "From Sender Reply-To To Cc Bcc Resent-To Resent-Reply-To": (
        "asText",
        "asMessageIds",
        "asDate",
        "asURLs",
    ),
    "Subject Comments Keywords": ("asAddresses", "asGroupedAddresses", "asMessageIds", "asDate", "asURLs"),
    "Message-ID In-Reply-To References Resent-Message-ID": ("asText", "asAddresses", "asDate", "asURLs"),
    "Date Resent-Date": ("asText", "asAddresses", "asGroupedAddresses", "asMessageIds", "asURLs"),
    "List-Help List-Post List-Archive": ("asText", "asAddresses", "asMessageIds", "asDate"),
    "Return-Path Received": ("asText", "asAddresses", "asMessageIds", "asDate", "asURLs"),
}


@pytest.mark.rfc("8621", "4.2")
@pytest.mark.parametrize("fields", FORBIDDEN)
def test_a_form_that_is_forbidden_for_a_field(cast: Cast, fields: str) -> None:
    client = JMAPClient(cast.alice)
    for name in fields.split():
        for form in FORBIDDEN[fields]:
            for suffix in ("", ":all"):
                asked = {"ids": [], "properties": [f"header:{name.upper()}:{form}{suffix}"]}
                assert client.error("Email/get", asked) == {"type": "invalidArguments"}


@pytest.mark.rfc("8621", "4.1.3")
@pytest.mark.parametrize(
    "name",
    ["header:Subject:all:asText", "header:Subject:astext", "header:a b", "header::asText", "Header:Subject"],
)
def test_what_is_no_header_property(cast: Cast, name: str) -> None:
    asked = {"ids": [], "properties": [name]}
    assert JMAPClient(cast.alice).error("Email/get", asked) == {"type": "invalidArguments"}


@pytest.mark.rfc("8621", "4.1.3")
def test_every_form_of_a_field_that_is_not_defined_by_the_rfcs(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    raw = b"X-A: one\r\nx-a: <mailto:a@b>\r\nSubject: x\r\n\r\n"
    expected = {
        "header:X-A:asRaw": " <mailto:a@b>",
        "header:x-A:asText": "<mailto:a@b>",
        "header:X-a:asAddresses": [{"name": None, "email": "mailto:a@b"}],
        "header:X-A:asGroupedAddresses": [
            {"name": None, "addresses": [{"name": None, "email": "mailto:a@b"}]}
        ],
        "header:X-A:asMessageIds": ["mailto:a@b"],
        "header:X-A:asMessageIds:all": [None, ["mailto:a@b"]],
        "header:X-A:asDate": None,
        "header:X-A:asDate:all": [None, None],
        "header:X-A:asURLs": ["mailto:a@b"],
        "header:X-A:all": [" one", " <mailto:a@b>"],
    }
    email_id = add(client, raw)
    assert get(client, email_id, *expected) == {"id": email_id, **expected}


@pytest.mark.rfc("8621", "4.1.2.2")
def test_the_list_id_may_be_text(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, b"List-Id: =?utf-8?q?Z=C3=BCrich?= <z.example.org>\r\n\r\n")
    assert get(client, email_id, "header:List-Id:asText")["header:List-Id:asText"] == "Zürich <z.example.org>"


@pytest.mark.rfc("8621", "4.1.3")
def test_the_convenience_properties_equal_the_header_properties(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    raw = (
        b"From: a@b\r\nFrom: Zed <z@b>\r\nSender: s@b\r\nReply-To: g: r@b;\r\nTo: =?utf-8?q?=C3=A9?= <t@b>\r\nCc:\r\n"
        b"Bcc: b@b, <c@b>\r\nMessage-ID: <1@b>\r\nIn-Reply-To: <2@b>\r\nReferences: <3@b> <2@b>\r\n"
        b"Subject: first\r\nSubject: =?utf-8?q?last?=\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n\r\n"
    )
    pairs = {
        "from": "header:From:asAddresses", "sender": "header:Sender:asAddresses", "to": "header:TO:asAddresses",
        "replyTo": "header:Reply-To:asAddresses", "cc": "header:Cc:asAddresses", "bcc": "header:Bcc:asAddresses",
        "messageId": "header:Message-ID:asMessageIds", "inReplyTo": "header:In-Reply-To:asMessageIds",
        "references": "header:References:asMessageIds", "subject": "header:Subject:asText", "sentAt": "header:date:asDate",
    }  # fmt: skip
    email = get(
        client, add(client, raw), *pairs, *pairs.values(), *(f"{name}:all" for name in pairs.values())
    )
    for name, header in pairs.items():
        assert email[name] == email[header] == email[f"{header}:all"][-1]
    assert (email["from"], email["subject"], email["cc"]) == ([{"name": "Zed", "email": "z@b"}], "last", [])
    assert email["replyTo"] == [{"name": None, "email": "r@b"}]
