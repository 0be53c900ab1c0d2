"""Email/set: keywords, mailboxes, destroy (RFC 8621 §4.6)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.protocol.post import add, get, mailbox, message, reply, roles, thread_of
from tests.support.cast import Cast
from tests.support.client import JMAPClient


def _update(client: JMAPClient, email_id: str, patch: Mapping[str, object]) -> dict[str, object]:
    answer: dict[str, object] = client.call("Email/set", {"update": {email_id: patch}})
    return answer


def _keywords(client: JMAPClient, email_id: str) -> set[str]:
    return set(get(client, email_id, "keywords")["keywords"])


@pytest.mark.rfc("8621", "4.6")
def test_a_keyword_is_added_and_removed(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1), keywords={"$flagged": True})
    patch = {"keywords/$seen": True, "keywords/$flagged": None}
    assert _update(client, email_id, patch)["updated"] == {email_id: None}
    assert _keywords(client, email_id) == {"$seen"}
    assert mailbox(client, roles(client)["inbox"])["unreadEmails"] == 0


@pytest.mark.rfc("8621", "4.1.1")
def test_keywords_have_no_case(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1), keywords={"$Seen": True, "Label:Red/Blue": True})
    assert _keywords(client, email_id) == {"$seen", "label:red/blue"}
    _update(
        client, email_id, {"keywords/$SEEN": None, "keywords/LABEL:red~1blue": None, "keywords/New": True}
    )
    assert _keywords(client, email_id) == {"new"}


@pytest.mark.rfc("8620", "5.3")
def test_a_whole_object_is_a_patch(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    fields = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n"
    body = "--x\r\n\r\nText\r\n--x\r\nContent-Type: image/png; name=a.png\r\n\r\nPNG\r\n--x--"
    email_id = add(client, message(1, fields=fields, body=body))
    for whole in (get(client, email_id), get(client, email_id, "bodyStructure", "bodyValues")):
        assert _update(client, email_id, whole)["updated"] == {email_id: None}
    whole = get(client, email_id)
    whole["keywords"] = {"$seen": True}
    assert _update(client, email_id, whole)["updated"] == {email_id: None}
    assert _keywords(client, email_id) == {"$seen"}
    whole["textBody"] = whole["attachments"]
    error = {"type": "invalidProperties", "properties": ["textBody"]}
    assert _update(client, email_id, whole)["notUpdated"] == {email_id: error}


@pytest.mark.rfc("8621", "4.6")
def test_the_whole_set_is_replaced(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1), keywords={"$flagged": True})
    _update(client, email_id, {"keywords": {"a": True, "b": True}})
    assert _keywords(client, email_id) == {"a", "b"}
    _update(client, email_id, {"keywords": None})
    assert _keywords(client, email_id) == set()


@pytest.mark.rfc("8621", "4.1.1")
@pytest.mark.parametrize(
    "keyword", ["", "two words", "a(b", "a)b", "a{b", "a]b", "a%b", "a*b", 'a"b', "a\\b", "ä", "k" * 256]
)
def test_a_bad_keyword_is_refused(cast: Cast, keyword: str) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    refused = {email_id: {"type": "invalidProperties", "properties": ["keywords"]}}
    assert _update(client, email_id, {"keywords": {keyword: True}})["notUpdated"] == refused
    assert _update(client, email_id, {f"keywords/{keyword}": True})["notUpdated"] == refused


@pytest.mark.rfc("8621", "4.1.1")
@pytest.mark.parametrize("keyword", ["[", "}", "!", "~", "k" * 255])
def test_an_unusual_keyword_is_kept(cast: Cast, keyword: str) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1), keywords={keyword: True})
    assert _keywords(client, email_id) == {keyword}


def test_recent_is_never_kept(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    _update(client, email_id, {"keywords/$recent": True, "keywords/$seen": True})
    assert _keywords(client, email_id) == {"$seen"}


@pytest.mark.rfc("8621", "4.6")
def test_a_hundred_keywords_and_no_more(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    hundred = {f"k{number}": True for number in range(100)}
    assert _update(client, email_id, {"keywords": hundred})["updated"] == {email_id: None}
    assert _update(client, email_id, {"keywords/more": True})["notUpdated"] == {
        email_id: {"type": "tooManyKeywords"}
    }


@pytest.mark.rfc("8621", "4.6")
def test_a_message_moves(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    by_role = roles(client)
    email_id = add(client, message(1))
    _update(
        client, email_id, {f"mailboxIds/{by_role['inbox']}": None, f"mailboxIds/{by_role['archive']}": True}
    )
    assert get(client, email_id, "mailboxIds")["mailboxIds"] == {by_role["archive"]: True}
    assert mailbox(client, by_role["inbox"])["totalEmails"] == 0
    assert mailbox(client, by_role["archive"])["totalThreads"] == 1


@pytest.mark.rfc("8620", "5.3")
def test_a_message_moves_to_a_mailbox_of_the_same_request(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    account = {"accountId": client.account_id}
    answers = client.request(
        ["Mailbox/set", {**account, "create": {"new": {"name": "New"}}}, "0"],
        ["Email/set", {**account, "update": {email_id: {"mailboxIds": {"#new": True}}}}, "1"],
    )["methodResponses"]
    new = answers[0][1]["created"]["new"]["id"]
    assert get(client, email_id, "mailboxIds")["mailboxIds"] == {new: True}


@pytest.mark.rfc("8621", "4.1.1")
@pytest.mark.parametrize("boxes", [{}, {"m9999": True}, {"x": True}, None])
def test_an_email_is_in_a_mailbox(cast: Cast, boxes: object) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    assert _update(client, email_id, {"mailboxIds": boxes})["notUpdated"] == {
        email_id: {"type": "invalidProperties", "properties": ["mailboxIds"]}
    }


@pytest.mark.rfc("8621", "4.1.1")
def test_the_last_mailbox_stays(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    assert _update(client, email_id, {f"mailboxIds/{roles(client)['inbox']}": None})["notUpdated"] == {
        email_id: {"type": "invalidProperties", "properties": ["mailboxIds"]}
    }


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize(
    ("patch", "invalid"),
    [
        ({"subject": "Other"}, ["subject"]),
        ({"size": 1}, ["size"]),
        ({"receivedAt": "2020-01-01T00:00:00Z"}, ["receivedAt"]),
        ({"colour": "red", "preview": "x"}, ["colour", "preview"]),
        ({"keywords/$seen": False}, ["keywords"]),
        ({"keywords": ["$seen"]}, ["keywords"]),
    ],
)
def test_what_a_client_cannot_change(cast: Cast, patch: dict[str, object], invalid: list[str]) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    assert _update(client, email_id, patch)["notUpdated"] == {
        email_id: {"type": "invalidProperties", "properties": invalid}
    }


@pytest.mark.rfc("8620", "5.3")
def test_what_stays_as_it_is_may_be_sent(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    names = (
        "id",
        "blobId",
        "threadId",
        "size",
        "receivedAt",
        "subject",
        "from",
        "preview",
        "messageId",
        "sentAt",
    )
    same = get(client, email_id, *names)
    assert _update(client, email_id, {**same, "keywords": {"$seen": True}})["updated"] == {email_id: None}


@pytest.mark.rfc("8621", "4.6")
def test_destroy(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first, second = add(client, message(1)), add(client, reply(2, 1))
    thread = thread_of(client, first)
    answer = client.call("Email/set", {"destroy": [first, "e9999"]})
    assert (answer["destroyed"], answer["notDestroyed"]) == ([first], {"e9999": {"type": "notFound"}})
    assert client.call("Thread/get", {"ids": [thread]})["list"] == [{"id": thread, "emailIds": [second]}]
    client.call("Email/set", {"destroy": [second]})
    assert client.call("Thread/get", {"ids": [thread]})["notFound"] == [thread]


def test_updated_and_destroyed_at_once(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    call = {"update": {email_id: {"keywords/$seen": True}}, "destroy": [email_id]}
    answer = client.call("Email/set", call)
    assert answer["notUpdated"] == {email_id: {"type": "willDestroy"}}
    assert answer["destroyed"] == [email_id]


def test_an_update_that_changes_nothing_is_none(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1), keywords={"$seen": True})
    answer = client.call("Email/set", {"update": {email_id: {"keywords/$seen": True}}})
    assert answer["updated"] == {email_id: None}
    assert answer["oldState"] == answer["newState"]


@pytest.mark.rfc("8620", "5.3")
def test_another_state(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(1))
    call = {"ifInState": "x-1", "update": {email_id: {"keywords/$seen": True}}}
    assert client.error("Email/set", call) == {"type": "stateMismatch"}
    assert _keywords(client, email_id) == set()


def test_a_hundred_at_once(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    inbox = roles(client)["inbox"]
    emails = {}
    for number in range(20):
        blob_id = client.upload(message(number, subject=f"S{number // 2}"))["blobId"]
        emails[f"k{number}"] = {"blobId": blob_id, "mailboxIds": {inbox: True}}
    ids = [each["id"] for each in client.call("Email/import", {"emails": emails})["created"].values()]
    answer = client.call("Email/set", {"update": {email_id: {"keywords/$seen": True} for email_id in ids}})
    assert answer["updated"] == dict.fromkeys(ids)
    assert mailbox(client, inbox)["unreadEmails"] == 0


def test_a_reader_changes_nothing(cast: Cast) -> None:
    alice, dora = JMAPClient(cast.alice), JMAPClient(cast.dora)
    email_id = add(alice, message(1))
    call = {
        "accountId": alice.account_id,
        "update": {email_id: {"keywords/$seen": True}},
        "destroy": [email_id],
    }
    assert dora.error("Email/set", call) == {"type": "accountReadOnly"}
    assert _keywords(alice, email_id) == set()


def test_a_grantee_changes(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    email_id = add(alice, message(1))
    bob.call("Email/set", {"accountId": alice.account_id, "update": {email_id: {"keywords/$seen": True}}})
    assert _keywords(alice, email_id) == {"$seen"}


def test_a_stranger_changes_nothing(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    email_id = add(alice, message(1))
    assert charlie.error("Email/set", {"accountId": alice.account_id, "destroy": [email_id]}) == {
        "type": "accountNotFound"
    }
    assert charlie.call("Email/set", {"destroy": [email_id]})["notDestroyed"] == {
        email_id: {"type": "notFound"}
    }
    assert _keywords(alice, email_id) == set()
