"""Email/query (RFC 8621 §4.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.post import add, message, received, reply, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient


def _stock(client: JMAPClient) -> dict[str, str]:
    """Five Emails in three Threads; their letters by their ids.

    a and b are a Thread in the inbox, c is alone there, d and e are a Thread, d in the archive, e in both.
    """
    by_role = roles(client)
    inbox, archive = by_role["inbox"], by_role["archive"]
    attached = "Content-Type: application/pdf\r\n"
    ids = [
        add(client, message(1, body="x" * 50), receivedAt=received(1), keywords={"$seen": True}),
        add(client, reply(2, 1), receivedAt=received(4), keywords={"$flagged": True}),
        add(
            client,
            message(3, subject="Zebra", fields=attached),
            receivedAt=received(3),
            keywords={"$seen": True},
        ),
        add(
            client,
            message(4, subject="Apple", fields="X-Mark: yes\r\n"),
            mailboxes=[archive],
            receivedAt=received(2),
        ),
        add(
            client,
            message(
                5,
                subject="Re: Apple",
                body="y" * 90,
                fields="References: <m4@example.org>\r\nCc: Zoe <z@z.example>\r\n",
            ),
            mailboxes=[inbox, archive],
            receivedAt=received(5),
            keywords={"$flagged": True, "$seen": True},
        ),
    ]
    return dict(zip(ids, "abcde", strict=True))


def _letters(client: JMAPClient, letters: dict[str, str], **arguments: Any) -> str:
    answer = client.call("Email/query", arguments)
    found = "".join(letters[email_id] for email_id in answer["ids"])
    counted = client.call("Email/query", {**arguments, "calculateTotal": True, "limit": 1})
    assert counted["total"] == len(found)
    assert "".join(letters[email_id] for email_id in counted["ids"]) == found[:1]
    return found


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize(
    ("condition", "plain", "collapsed"),
    [
        (None, "ebcda", "ebc"),
        ({}, "ebcda", "ebc"),
        ({"inMailbox": "inbox"}, "ebca", "ebc"),
        ({"inMailbox": "archive"}, "ed", "e"),
        ({"inMailbox": "trash"}, "", ""),
        ({"inMailboxOtherThan": ["inbox"]}, "ed", "e"),
        ({"inMailboxOtherThan": ["inbox", "archive"]}, "", ""),
        ({"before": received(3)}, "da", "da"),
        ({"after": received(3)}, "ebc", "ebc"),
        ({"before": received(3).replace("Z", ".000Z")}, "da", "da"),
        ({"before": received(3).replace("Z", ".001Z")}, "cda", "cda"),
        ({"after": received(2).replace("Z", ".999Z")}, "ebc", "ebc"),
        ({"before": "9999-12-31T23:59:59.5Z"}, "ebcda", "ebc"),
        ({"hasKeyword": "$flagged"}, "eb", "eb"),
        ({"hasKeyword": "$SEEN"}, "eca", "eca"),
        ({"notKeyword": "$seen"}, "bd", "bd"),
        ({"notKeyword": "$flagged"}, "cda", "cda"),
        ({"inMailbox": "inbox", "notKeyword": "$seen"}, "b", "b"),
        ({"inMailbox": "inbox", "hasKeyword": "$flagged"}, "eb", "eb"),
        ({"inMailbox": "inbox", "hasKeyword": "$seen"}, "eca", "eca"),
        ({"allInThreadHaveKeyword": "$seen"}, "c", "c"),
        ({"allInThreadHaveKeyword": "$flagged"}, "", ""),
        ({"someInThreadHaveKeyword": "$seen"}, "ebcda", "ebc"),
        ({"someInThreadHaveKeyword": "$flagged"}, "ebda", "eb"),
        ({"noneInThreadHaveKeyword": "$flagged"}, "c", "c"),
        ({"noneInThreadHaveKeyword": "$seen"}, "", ""),
        ({"hasAttachment": True}, "c", "c"),
        ({"hasAttachment": False}, "ebda", "eb"),
        ({"from": "ann2"}, "b", "b"),
        ({"from": "AUTHOR ann2"}, "b", "b"),
        ({"from": "AUTHOR bob"}, "", ""),
        ({"to": "'bob <bob@example.org>'"}, "ebcda", "ebc"),
        ({"cc": "zoe"}, "e", "e"),
        ({"bcc": "zoe"}, "", ""),
        ({"subject": "apple"}, "ed", "e"),
        ({"subject": "hello", "inMailbox": "inbox"}, "ba", "b"),
        ({"header": ["X-Mark"]}, "d", "d"),
        ({"header": ["x-mark", "YES"]}, "d", "d"),
        ({"header": ["X-Mark", "no"]}, "", ""),
        ({"header": ["Cc"]}, "e", "e"),
        ({"header": ["Message-ID", "<m3@example.org>"]}, "c", "c"),
        ({"operator": "OR", "conditions": [{"from": "ann1"}, {"hasKeyword": "$flagged"}]}, "eba", "eb"),
        ({"operator": "NOT", "conditions": [{"inMailbox": "inbox"}, {"cc": "zoe"}]}, "d", "d"),
        ({"operator": "AND", "conditions": []}, "ebcda", "ebc"),
        ({"operator": "OR", "conditions": []}, "", ""),
        ({"operator": "NOT", "conditions": []}, "ebcda", "ebc"),
        (
            {
                "operator": "AND",
                "conditions": [{"inMailbox": "inbox"}, {"inMailbox": "archive"}, {"minSize": 1}],
            },
            "e",
            "e",
        ),
    ],
)
def test_filters(cast: Cast, condition: dict[str, Any] | None, plain: str, collapsed: str) -> None:
    client = JMAPClient(cast.alice)
    letters, by_role = _stock(client), roles(client)

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: item if name == "header" else named(item) for name, item in value.items()}
        if isinstance(value, list):
            return [named(item) for item in value]
        return by_role.get(value, value) if isinstance(value, str) else value

    assert _letters(client, letters, filter=named(condition)) == plain
    assert _letters(client, letters, filter=named(condition), collapseThreads=True) == collapsed


@pytest.mark.rfc("8621", "4.4.1")
def test_sizes(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    letters = _stock(client)
    sizes = {each["id"]: each["size"] for each in client.call("Email/get", {"ids": list(letters)})["list"]}
    bound = sorted(sizes.values())[2]
    large = "".join(letter for email_id, letter in letters.items() if sizes[email_id] >= bound)
    assert sorted(_letters(client, letters, filter={"minSize": bound})) == sorted(large)
    assert sorted(_letters(client, letters, filter={"maxSize": bound})) == sorted(set("abcde") - set(large))


@pytest.mark.rfc("8621", "4.4.2")
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ([], "ebcda"),
        ([{"property": "receivedAt", "isAscending": False}], "ebcda"),
        ([{"property": "receivedAt"}], "adcbe"),
        ([{"property": "from"}], "abcde"),
        ([{"property": "to"}, {"property": "receivedAt"}], "adcbe"),
        ([{"property": "subject"}], "edbac"),
        ([{"property": "subject", "isAscending": False}, {"property": "receivedAt"}], "cabde"),
        ([{"property": "sentAt"}, {"property": "from", "isAscending": False}], "edcba"),
        ([{"property": "hasKeyword", "keyword": "$flagged", "isAscending": False}], "ebcda"),
        ([{"property": "hasKeyword", "keyword": "$seen"}], "bdeca"),
        ([{"property": "someInThreadHaveKeyword", "keyword": "$flagged"}], "cebda"),
        ([{"property": "allInThreadHaveKeyword", "keyword": "$seen", "isAscending": False}], "cebda"),
        ([{"property": "hasKeyword", "keyword": "$seen"}, {"property": "subject"}], "dbeac"),
    ],
)
def test_sorts(cast: Cast, sort: list[dict[str, Any]], expected: str) -> None:
    client = JMAPClient(cast.alice)
    assert _letters(client, _stock(client), sort=sort) == expected


@pytest.mark.rfc("8621", "4.4.2")
def test_by_size(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    letters = _stock(client)
    ids = client.call("Email/query", {"sort": [{"property": "size"}]})["ids"]
    emails = client.call("Email/get", {"ids": ids, "properties": ["size"]})["list"]
    assert [email["size"] for email in emails] == sorted(email["size"] for email in emails)
    assert len(emails) == len(letters)


@pytest.mark.rfc("8621", "4.4.3")
def test_a_collapsed_thread_stands_where_its_first_email_does(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    letters = _stock(client)
    by_subject = [{"property": "subject", "isAscending": False}, {"property": "receivedAt"}]
    assert _letters(client, letters, sort=by_subject, collapseThreads=True) == "cad"
    assert _letters(client, letters, sort=[{"property": "receivedAt"}], collapseThreads=True) == "adc"


@pytest.mark.rfc("8620", "5.5")
@pytest.mark.parametrize("collapse", [False, True])
@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"position": 1, "limit": 2}, (1, "bc")),
        ({"position": 10}, (10, "")),
        ({"position": -2, "limit": 1}, None),
        ({"position": -20}, (0, "all")),
        ({"limit": 0}, (0, "")),
        ({"anchor": "b"}, (1, "rest")),
        ({"anchor": "c", "anchorOffset": -1, "limit": 1}, (1, "b")),
        ({"anchor": "b", "anchorOffset": -5}, (0, "all")),
        ({"anchor": "e", "anchorOffset": 1, "limit": 1, "position": 7}, (1, "b")),
    ],
)
def test_windows(
    cast: Cast, collapse: bool, window: dict[str, Any], expected: tuple[int, str] | None
) -> None:
    client = JMAPClient(cast.alice)
    letters = _stock(client)
    everything = "ebc" if collapse else "ebca"
    if "anchor" in window:
        anchors = {letter: email_id for email_id, letter in letters.items()}
        window = {**window, "anchor": anchors[window["anchor"]]}
    arguments = {"filter": {"inMailbox": roles(client)["inbox"]}, "collapseThreads": collapse, **window}
    answer = client.call("Email/query", {**arguments, "calculateTotal": True})
    found = "".join(letters[email_id] for email_id in answer["ids"])
    if expected is None:
        expected = (len(everything) - 2, everything[-2])
    position, letters_due = expected
    due = {"all": everything, "rest": everything[1:]}.get(letters_due, letters_due)
    assert (answer["position"], found, answer["total"]) == (position, due, len(everything))


@pytest.mark.rfc("8620", "5.5")
def test_an_anchor_outside(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    letters = _stock(client)
    archived = next(email_id for email_id, letter in letters.items() if letter == "d")
    call = {"filter": {"inMailbox": roles(client)["inbox"]}, "anchor": archived}
    assert client.error("Email/query", call) == {"type": "anchorNotFound"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"filter": {"colour": "red"}}, "unsupportedFilter"),
        ({"filter": {"operator": "OR", "conditions": [{"minSize": 1}] * 51}}, "unsupportedFilter"),
        ({"filter": {"before": "yesterday"}}, "invalidArguments"),
        ({"filter": {"hasKeyword": "two words"}}, "invalidArguments"),
        ({"filter": {"header": []}}, "invalidArguments"),
        ({"filter": {"minSize": -1}}, "invalidArguments"),
        ({"sort": [{"property": "colour"}]}, "unsupportedSort"),
        ({"sort": [{"property": "hasKeyword"}]}, "invalidArguments"),
        ({"sort": [{"property": "subject", "collation": "i;unheard-of"}]}, "unsupportedSort"),
        ({"collapseThreads": 1}, "invalidArguments"),
    ],
)
def test_what_cannot_be_asked(cast: Cast, arguments: dict[str, Any], error: str) -> None:
    assert JMAPClient(cast.alice).error("Email/query", arguments) == {"type": error}


@pytest.mark.rfc("8621", "4.4")
def test_the_inbox_is_opened_in_one_request(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    letters = _stock(client)
    account = {"accountId": client.account_id}

    def back(call: str, name: str, path: str) -> dict[str, str]:
        return {"resultOf": call, "name": name, "path": path}

    query = {"filter": {"inMailbox": roles(client)["inbox"]}, "collapseThreads": True, "limit": 2}
    answers = client.request(
        ["Email/query", {**account, **query}, "0"],
        ["Email/get", {**account, "#ids": back("0", "Email/query", "/ids"), "properties": ["threadId"]}, "1"],
        ["Thread/get", {**account, "#ids": back("1", "Email/get", "/list/*/threadId")}, "2"],
        [
            "Email/get",
            {**account, "#ids": back("2", "Thread/get", "/list/*/emailIds"), "properties": ["id"]},
            "3",
        ],
    )["methodResponses"]
    assert "".join(letters[email["id"]] for email in answers[3][1]["list"]) == "deab"


def test_a_stranger_finds_no_account(cast: Cast) -> None:
    assert JMAPClient(cast.charlie).error("Email/query", {"accountId": cast.alice.account_id}) == {
        "type": "accountNotFound"
    }
