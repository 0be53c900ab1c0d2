"""Email/set create: what comes into being (RFC 8621 §4.6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.protocol.Email.set.drafts import PNG, both, created, draft, html, octets, structure, text
from tests.protocol.post import add, get, mailbox, message, reply, roles, thread_of
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8621", "4.6")


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    return JMAPClient(cast.alice)


def test_what_a_create_answers(alice: JMAPClient) -> None:
    email = created(alice, subject="Hello", **text())
    assert email == {
        "id": email["id"],
        "blobId": get(alice, email["id"], "blobId")["blobId"],
        "threadId": thread_of(alice, email["id"]),
        "size": len(octets(alice, email["blobId"])),
    }


def test_a_draft_has_what_the_client_said(alice: JMAPClient) -> None:
    people = [{"name": "Jörg Müller", "email": "joerg@example.org"}, {"name": None, "email": "half finis"}]
    given = {
        "keywords": {"$draft": True, "$seen": True},
        "receivedAt": "2020-11-20T10:00:00Z",
        "messageId": ["a@example.org"],
        "inReplyTo": ["b@example.org"],
        "references": ["b@example.org", "c@example.org"],
        "sender": people[:1],
        "from": people,
        "to": people,
        "cc": people,
        "bcc": people,
        "replyTo": people,
        "subject": "Grüße an alle",
        "sentAt": "2020-11-19T10:00:00+05:30",
    }
    email = created(alice, **given, **both("Hällo\nWelt", "<p>Hällo</p>"))
    assert get(alice, email["id"], *given) == {"id": email["id"], **given}
    shown = get(alice, email["id"], "bodyValues", "hasAttachment", "preview", fetchAllBodyValues=True)
    assert [value["value"] for value in shown["bodyValues"].values()] == ["Hällo\nWelt", "<p>Hällo</p>"]
    assert (shown["hasAttachment"], shown["preview"]) == (False, "Hällo Welt")


def test_an_empty_draft(alice: JMAPClient) -> None:
    email = created(alice)
    before = datetime.now(UTC)
    shown = get(
        alice, email["id"], "keywords", "from", "subject", "receivedAt", "sentAt", "messageId", "textBody"
    )
    assert (shown["keywords"], shown["from"], shown["subject"]) == ({}, None, None)
    assert [part["size"] for part in shown["textBody"]] == [0]
    for name in ("receivedAt", "sentAt"):
        assert abs(before - datetime.fromisoformat(shown[name])) < timedelta(minutes=1)
    [message_id] = shown["messageId"]
    assert message_id.endswith(f"@{alice.person.address.partition('@')[2]}")


def test_a_message_id_is_at_the_sender_s_domain_and_unique(alice: JMAPClient) -> None:
    sender = [{"email": "a@Example.ORG"}]
    ids = [
        get(alice, created(alice, **{"from": sender})["id"], "messageId")["messageId"][0] for _ in range(2)
    ]
    assert ids[0] != ids[1]
    assert all(message_id.endswith("@example.org") for message_id in ids)
    strange = created(alice, **{"from": [{"email": "a@b c"}]})
    assert "@b c" not in get(alice, strange["id"], "messageId")["messageId"][0]


def test_received_fields_do_not_date_it(alice: JMAPClient) -> None:
    trace = " from a by b; Wed, 18 Nov 2020 12:00:00 +0200"
    email = created(alice, **{"header:Received": trace})
    assert get(alice, email["id"], "receivedAt")["receivedAt"] > "2020-12"
    assert get(alice, email["id"], "header:Received")["header:Received"] == trace


def test_a_reply_joins_its_thread(alice: JMAPClient) -> None:
    email_id = add(alice, message(1))
    email = created(alice, subject="Re: Hello", inReplyTo=["m1@example.org"])
    assert email["threadId"] == thread_of(alice, email_id)


def test_counts_follow(alice: JMAPClient) -> None:
    created(alice)
    created(alice, keywords={"$seen": True})
    box = mailbox(alice, roles(alice)["drafts"])
    assert (box["totalEmails"], box["unreadEmails"]) == (2, 1)


def test_a_mailbox_of_the_same_request(alice: JMAPClient) -> None:
    account = {"accountId": alice.account_id}
    new = {"mailboxIds": {"#box": True}}
    answers = alice.request(
        ["Mailbox/set", {**account, "create": {"box": {"name": "New"}}}, "0"],
        ["Email/set", {**account, "create": {"new": new}}, "1"],
        ["Email/get", {**account, "ids": ["#new"], "properties": ["mailboxIds"]}, "2"],
    )["methodResponses"]
    box = answers[0][1]["created"]["box"]["id"]
    assert answers[2][1]["list"] == [{"id": answers[1][1]["created"]["new"]["id"], "mailboxIds": {box: True}}]


def test_a_blob_by_its_creation_id(alice: JMAPClient) -> None:
    png = alice.upload(PNG, "image/png")["blobId"]
    given = draft(alice, attachments=[{"blobId": "#pic"}])
    call = ["Email/set", {"accountId": alice.account_id, "create": {"new": given}}, "0"]
    answer = alice.request(call, createdIds={"pic": png})["methodResponses"][0][1]
    [part] = get(alice, answer["created"]["new"]["id"], "attachments")["attachments"]
    assert (part["type"], octets(alice, part["blobId"])) == ("image/png", PNG)


def test_the_one_mime_version_may_be_given(alice: JMAPClient) -> None:
    email = created(alice, **{"header:MIME-Version": " 1.0"})
    assert get(alice, email["id"], "header:MIME-Version:all")["header:MIME-Version:all"] == [" 1.0"]


def test_text_and_html_are_alternatives(alice: JMAPClient) -> None:
    assert structure(alice, created(alice, **both())["id"]) == (
        "multipart/alternative",
        ["text/plain", "text/html"],
    )
    assert structure(alice, created(alice, **html())["id"]) == "text/html"
    assert structure(alice, created(alice, **text())["id"]) == "text/plain"


def test_attachments_and_inline_images(alice: JMAPClient) -> None:
    png = alice.upload(PNG, "image/png")["blobId"]
    embedded = {"blobId": png, "type": "image/png", "cid": "pic@x", "name": "Bild ä.png"}
    attached = {"blobId": png, "name": "Bild.png"}
    email = created(alice, **both(rich="<img src='cid:pic@x'>"), attachments=[embedded, attached])
    related = ("multipart/related", ["text/html", "image/png"])
    body = ("multipart/alternative", ["text/plain", related])
    assert structure(alice, email["id"]) == ("multipart/mixed", [body, "image/png"])
    shown = get(alice, email["id"], "attachments", "hasAttachment")
    assert shown["hasAttachment"] is True
    names = ("type", "name", "cid", "disposition", "size")
    assert [tuple(part[name] for name in names) for part in shown["attachments"]] == [
        ("image/png", "Bild ä.png", "pic@x", "inline", len(PNG)),
        ("image/png", "Bild.png", None, "attachment", len(PNG)),
    ]
    assert [octets(alice, part["blobId"]) for part in shown["attachments"]] == [PNG, PNG]


def test_an_uploaded_message_is_attached_as_it_is(alice: JMAPClient) -> None:
    raw = message(1, subject="Inner", body="Grüße")
    blob_id = alice.upload(raw)["blobId"]
    email = created(alice, **text(), attachments=[{"blobId": blob_id}])
    [part] = get(alice, email["id"], "attachments")["attachments"]
    assert (part["type"], part["disposition"], part["size"]) == ("message/rfc822", "attachment", len(raw))
    assert octets(alice, part["blobId"]) == raw
    assert b"8bit" in octets(alice, email["blobId"])


def test_a_stored_message_and_its_parts_are_attached(alice: JMAPClient) -> None:
    png = alice.upload(PNG, "image/png")["blobId"]
    first = created(alice, **text("Fürs Erste"), attachments=[{"blobId": png}])
    whole = get(alice, first["id"], "textBody", "attachments", "blobId")
    forwarded = [
        {"blobId": whole["blobId"], "type": "message/rfc822"},
        {"blobId": whole["attachments"][0]["blobId"]},
        {"blobId": whole["textBody"][0]["blobId"], "charset": "utf-8", "name": "first.txt"},
    ]
    email = created(alice, attachments=forwarded)
    parts = get(alice, email["id"], "attachments")["attachments"]
    assert [part["type"] for part in parts] == ["message/rfc822", "image/png", "text/plain"]
    assert [octets(alice, part["blobId"]) for part in parts] == [
        octets(alice, first["blobId"]),
        PNG,
        "Fürs Erste".encode(),
    ]


def test_a_whole_body_structure(alice: JMAPClient) -> None:
    png = alice.upload(PNG, "image/png")["blobId"]
    part = {
        "type": "text/plain",
        "partId": "t",
        "disposition": "inline",
        "language": ["de", "en-GB"],
        "location": "https://example.org/a",
        "cid": "c@d",
        "name": "n.txt",
        "header:Content-Description:asText": "Erklärung",
    }
    root = {
        "type": "multipart/mixed",
        "subParts": [part, {"blobId": png, "type": "image/png", "disposition": "inline"}],
        "header:X-Root": " root",
    }
    values = {
        "t": {"value": "Text", "isTruncated": False, "isEncodingProblem": False},
        "unused": {"value": ""},
    }
    email = created(alice, bodyStructure=root, bodyValues=values, subject="Hi")
    named = [name for name in part if name != "partId"]
    [shown, image] = get(alice, email["id"], "bodyStructure", bodyProperties=named)["bodyStructure"][
        "subParts"
    ]
    assert shown == {name: part[name] for name in named}
    assert image["type"] == "image/png"
    assert get(alice, email["id"], "header:X-Root", "subject") == {
        "id": email["id"],
        "header:X-Root": " root",
        "subject": "Hi",
    }


def test_content_type_and_disposition_as_header_fields(alice: JMAPClient) -> None:
    report = {
        "header:Content-Type": ' Multipart/Report; report-type="delivery status"; boundary=mine',
        "subParts": [
            {
                "header:Content-Type:asText:all": ["text/plain; charset=latin1; format=flowed; name=x.txt"],
                "header:Content-Disposition": ' attachment; filename="y.txt"; size=5',
                "partId": "t",
            }
        ],
    }
    email = created(alice, bodyStructure=report, bodyValues={"t": {"value": "Ä"}})
    names = ["type", "charset", "name", "disposition", "header:Content-Type", "header:Content-Disposition"]
    root = get(alice, email["id"], "bodyStructure", bodyProperties=names)["bodyStructure"]
    assert root["type"] == "multipart/report"
    assert 'report-type="delivery status"' in root["header:Content-Type"]
    assert "mine" not in root["header:Content-Type"]
    [part] = root["subParts"]
    assert (part["type"], part["charset"], part["name"]) == ("text/plain", "utf-8", "y.txt")
    assert "format=flowed" in part["header:Content-Type"]
    assert part["header:Content-Disposition"].endswith("attachment; filename=y.txt; size=5")


def test_types_that_blobs_have(alice: JMAPClient) -> None:
    kinds = ["text/csv; charset=utf-8", "multipart/mixed", "nonsense", ""]
    parts = [
        {"blobId": alice.upload(f"{number}".encode(), kind)["blobId"]} for number, kind in enumerate(kinds)
    ]
    email = created(alice, attachments=parts)
    shown = get(alice, email["id"], "attachments")["attachments"]
    unknown = "application/octet-stream"
    assert [part["type"] for part in shown] == ["text/csv", unknown, unknown, unknown]


def test_bodies_that_are_blobs(alice: JMAPClient) -> None:
    blob_id = alice.upload("Grüße".encode("latin-1"), "text/plain")["blobId"]
    page = alice.upload(b"<p>\n", "application/x")["blobId"]
    email = created(
        alice,
        textBody=[{"blobId": blob_id, "charset": "iso-8859-1", "size": 3}],
        htmlBody=[{"blobId": page}],
    )
    shown = get(alice, email["id"], "bodyValues", fetchAllBodyValues=True)["bodyValues"]
    assert [value["value"] for value in shown.values()] == ["Grüße", "<p>\n"]


def test_large_attachments(alice: JMAPClient) -> None:
    large = bytes(range(256)) * 12_000
    blob_id = alice.upload(large, "application/pdf")["blobId"]
    email = created(alice, **text(), attachments=[{"blobId": blob_id}])
    [part] = get(alice, email["id"], "attachments")["attachments"]
    assert octets(alice, part["blobId"]) == large


def test_bob_writes_into_alice_s_account(cast: Cast, alice: JMAPClient) -> None:
    bob = JMAPClient(cast.bob)
    given = {"accountId": alice.account_id, "create": {"new": draft(alice, subject="From Bob")}}
    email = bob.call("Email/set", given)["created"]["new"]
    assert get(alice, email["id"], "subject")["subject"] == "From Bob"


def test_charlie_creates_nothing_there(cast: Cast, alice: JMAPClient) -> None:
    given = {"accountId": alice.account_id, "create": {"new": draft(alice)}}
    assert JMAPClient(cast.charlie).error("Email/set", given) == {"type": "accountNotFound"}
    assert JMAPClient(cast.dora).error("Email/set", given) == {"type": "accountReadOnly"}
    assert alice.call("Email/query")["ids"] == []


def test_replies_that_join_two_threads(alice: JMAPClient) -> None:
    add(alice, message(1))
    add(alice, message(2))
    answer = alice.call(
        "Email/set",
        {
            "create": {
                "a": draft(alice, subject="Hello", messageId=["n1@example.org"]),
                "b": draft(
                    alice,
                    subject="Re: Hello",
                    inReplyTo=["m1@example.org"],
                    references=["m2@example.org", "n1@example.org"],
                ),
            },
            "update": {"#a": {"keywords/$flagged": True, f"mailboxIds/{roles(alice)['inbox']}": True}},
        },
    )
    for email in answer["created"].values():
        assert thread_of(alice, email["id"]) == email["threadId"]
    emails = alice.call("Email/get", {"ids": None, "properties": ["threadId"]})["list"]
    assert {email["threadId"] for email in emails} == {answer["created"]["b"]["threadId"]}
    first = answer["created"]["a"]["id"]
    assert answer["updated"] == {first: None}
    assert get(alice, first, "keywords")["keywords"] == {"$flagged": True}


def test_a_create_moves_what_the_same_call_updates(alice: JMAPClient) -> None:
    add(alice, message(1))
    add(alice, reply(3, 1))
    moved = add(alice, message(2))
    given = draft(alice, subject="Re: Hello", references=["m1@example.org", "m2@example.org"])
    answer = alice.call("Email/set", {"create": {"a": given}, "update": {moved: {"keywords/$seen": True}}})
    assert answer["updated"] == {moved: None}
    ids = alice.call("Email/query", {"filter": {"hasKeyword": "$seen"}})["ids"]
    assert ids != [moved]
    assert [get(alice, email_id, "messageId")["messageId"] for email_id in ids] == [["m2@example.org"]]
    assert thread_of(alice, ids[0]) == answer["created"]["a"]["threadId"]


def test_create_update_and_destroy_together(alice: JMAPClient) -> None:
    kept, gone = add(alice, message(1)), add(alice, reply(2, 1))
    answer = alice.call(
        "Email/set",
        {
            "create": {
                "new": draft(alice, inReplyTo=["m1@example.org"], subject="Re: Hello"),
                "passing": draft(alice, subject="Short"),
            },
            "update": {kept: {"keywords/$seen": True}, "#new": {"keywords/$draft": True}},
            "destroy": [gone, "#passing"],
        },
    )
    new, passing = (answer["created"][key]["id"] for key in ("new", "passing"))
    assert answer["updated"] == {kept: None, new: None}
    assert sorted(answer["destroyed"]) == sorted([gone, passing])
    assert {answer[name] for name in ("notCreated", "notUpdated", "notDestroyed")} == {None}
    assert get(alice, new, "keywords")["keywords"] == {"$draft": True}
    assert set(alice.call("Email/query")["ids"]) == {kept, new}
    assert set(answer["created"]["passing"]) == {"id", "blobId", "threadId", "size"}
