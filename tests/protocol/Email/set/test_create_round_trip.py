"""Create → get → download → import → get: the same properties (RFC 8621 §4.6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.Email.set.drafts import PNG, both, created, html, octets, text
from tests.protocol.post import add, get
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8621", "4.6")

OWN = {"id", "blobId", "receivedAt", "mailboxIds", "keywords", "threadId"}
PARTS = [
    "partId",
    "size",
    "name",
    "type",
    "charset",
    "disposition",
    "cid",
    "language",
    "location",
    "headers",
    "subParts",
]
HEADERS = [
    "header:X-Raw",
    "header:X-Text:asText:all",
    "header:X-Addresses:asAddresses",
    "header:Resent-To:asGroupedAddresses",
    "header:X-Ids:asMessageIds",
    "header:Resent-Date:asDate",
    "header:List-Post:asURLs:all",
    "header:List-Id:asText",
]

FIELDS: dict[str, Any] = {
    "header:X-Raw": " raw\r\n and  folded",
    "header:X-Text:asText:all": [
        "one",
        "zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich " * 3,
    ],
    "header:X-Addresses:asAddresses": [
        {"name": "a, b", "email": "a@b.example"},
        {"name": None, "email": "c@d.example"},
    ],
    "header:Resent-To:asGroupedAddresses": [
        {"name": None, "addresses": [{"name": "Anna", "email": "anna@example.org"}]},
        {"name": "Freunde & Bekannte", "addresses": []},
        {"name": "Müllers", "addresses": [{"name": "Jörg", "email": "joerg@example.org"}]},
    ],
    "header:X-Ids:asMessageIds": ["a@b", "c@d"],
    "header:Resent-Date:asDate": "2020-11-20T10:00:00+01:00",
    "header:List-Post:asURLs:all": [
        ["mailto:a@example.org"],
        ["https://example.org/a,b", "https://example.org"],
    ],
    "header:List-Id:asText": "A list <list.example.org>",
}


def everything(client: JMAPClient, email_id: str) -> dict[str, Any]:
    """All that a message says."""
    named = get(client, email_id, *HEADERS)
    shown = get(client, email_id, fetchAllBodyValues=True, bodyProperties=PARTS)
    whole = get(client, email_id, "bodyStructure", "headers", bodyProperties=PARTS)
    return {name: value for name, value in {**named, **shown, **whole}.items() if name not in OWN}


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


def drafts(client: JMAPClient) -> list[dict[str, Any]]:
    png = client.upload(PNG, "image/png")["blobId"]
    note = client.upload("Grüße\r\n".encode(), "text/plain")["blobId"]
    page = '<p style="' + "x" * 2000 + '">Ünïcode</p>\n<img src="cid:p@x">'
    return [
        FIELDS,
        text("From here\n.\n-- \nüber\t \n" + "long " * 300),
        {
            **both("日本語\n" * 50, page),
            "attachments": [
                {"blobId": png, "type": "image/png", "cid": "p@x", "disposition": "inline"},
                {"blobId": png, "type": "image/png", "name": "日本語のファイル名 " * 9 + ".png"},
                {"blobId": note, "name": "note.txt", "language": ["de"], "location": "https://example.org/n"},
            ],
        },
        {
            **html("<p>"),
            "subject": "=?utf-8?q?no?= word",
            "to": [{"name": "=?utf-8?q?x?=", "email": "a@b.example"}],
        },
    ]


def test_a_created_message_says_the_same_when_it_is_imported(alice: JMAPClient) -> None:
    for given in drafts(alice):
        email = created(alice, **given)
        imported = add(alice, octets(alice, email["blobId"]))
        assert everything(alice, imported) == everything(alice, email["id"])


@pytest.mark.rfc("8621", "4.1.3")
def test_header_fields_in_every_form(alice: JMAPClient) -> None:
    email = created(alice, **FIELDS)
    assert get(alice, email["id"], *FIELDS) == {"id": email["id"], **FIELDS}


def test_the_message_is_in_lines_that_may_travel(alice: JMAPClient) -> None:
    for given in drafts(alice):
        raw = octets(alice, created(alice, **given)["blobId"])
        assert raw.isascii()
        for line in raw.split(b"\r\n"):
            assert len(line) <= 78
            assert b"\r" not in line
            assert b"\n" not in line


def test_a_fetched_email_can_be_created_again(alice: JMAPClient) -> None:
    email = created(
        alice, **drafts(alice)[2], subject="Again", **{"from": [{"name": "A", "email": "a@b.example"}]}
    )
    names = ["from", "subject", "messageId", "sentAt", "bodyStructure"]
    leaf = [
        "blobId",
        "name",
        "type",
        "charset",
        "disposition",
        "cid",
        "language",
        "location",
        "size",
        "subParts",
    ]
    fetched = get(alice, email["id"], *names, bodyProperties=leaf)
    again = created(alice, **{name: fetched[name] for name in names})
    assert everything(alice, again["id"])["bodyValues"] == everything(alice, email["id"])["bodyValues"]
    shown = get(alice, again["id"], *names, bodyProperties=[*leaf[1:8], "subParts"])
    expected = get(alice, email["id"], *names, bodyProperties=[*leaf[1:8], "subParts"])
    assert {**shown, "id": None} == {**expected, "id": None}
