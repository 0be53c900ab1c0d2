"""Email/query: searches in text (RFC 8621 §4.4.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.post import add, message, received, reply, roles
from tests.support.cast import Cast
from tests.support.client import JMAPClient

HTML = (
    "<html><head><title>Headline</title><style>p.wide { color: teal }</style></head><body>"
    '<p class="wide">Our <b>quart</b>erly figures<script>let hidden = 1</script></p>'
    "<img src='x.png' alt=\"Growing curve\" title='Hover here'><p>caf&eacute; &amp; more</p></body></html>"
)


def letter(**given: str) -> bytes:
    """A message with these header fields, and `content`: the Content-Type field and the body."""
    fields = {"From": "Ann Author <ann@example.org>", "Subject": "Lunch", **given}
    content = fields.pop("content", "Content-Type: text/plain; charset=utf-8\r\n\r\nNothing\r\n")
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}{content}".encode()


def text(body: str) -> str:
    """The end of a letter that is plain text."""
    return f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"


def html(body: str) -> str:
    """The end of a letter that is HTML."""
    return f"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"


def finds(client: JMAPClient, condition: dict[str, Any]) -> bool:
    """Whether the one Email of the account matches."""
    answer = client.call("Email/query", {"filter": condition, "calculateTotal": True})
    assert answer["total"] == len(answer["ids"]) <= 1
    return bool(answer["ids"])


FIELDS = letter(
    From="Grace Hopper <grace@navy.example>",
    To="Alan <alan.turing@bletchley.example>, Kurt <kurt@logic.example>",
    Cc="Ada <ada@engine.example>",
    Bcc="Emmy <emmy@rings.example>",
    Subject="The compiler",
    content=text("Nanoseconds of wire"),
)


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"from": "grace"}, True),
        ({"from": "Hopper"}, True),
        ({"from": "grace@navy.example"}, True),
        ({"from": "navy.example"}, True),
        ({"from": "navy"}, True),
        ({"from": "alan"}, False),
        ({"to": "turing"}, True),
        ({"to": "alan.turing@bletchley.example"}, True),
        ({"to": "turing@bletchley.example"}, False),
        ({"to": "kurt alan"}, True),
        ({"to": "grace"}, False),
        ({"cc": "ada"}, True),
        ({"cc": "emmy"}, False),
        ({"bcc": "rings"}, True),
        ({"bcc": "ada"}, False),
        ({"subject": "compiler"}, True),
        ({"subject": "nanoseconds"}, False),
        ({"body": "nanoseconds"}, True),
        ({"body": "compiler"}, False),
        ({"text": "grace"}, True),
        ({"text": "kurt"}, True),
        ({"text": "ada"}, True),
        ({"text": "emmy"}, True),
        ({"text": "compiler"}, True),
        ({"text": "wire"}, True),
        ({"text": "grace compiler wire"}, True),
        ({"text": "grace compiler wires cobol"}, False),
        ({"text": "'grace compiler'"}, False),
    ],
)
def test_where_each_condition_looks(cast: Cast, condition: dict[str, Any], expected: bool) -> None:
    client = JMAPClient(cast.alice)
    add(client, FIELDS)
    assert finds(client, condition) is expected


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize(
    ("body", "words", "expected"),
    [
        ("The buses are running", "bus", True),
        ("The buses are running", "RUN", True),
        ("Good business", "bus", False),
        ("The buses are running", "unn", False),
        ("The buses are running", "runn*", True),
        ("The buses are running", "'buses are'", True),
        ("The buses are running", '"are buses"', False),
        ("The buses are running", '"bus are"', False),
        ("The buses are running", '"bus"', False),
        ("The buses are running", '"Buses" "RUNNING"', True),
        ("The buses are running", "'run*'", False),
        (r'He said "no" twice', r'"said \"no\" twice"', True),
        ("It is Ann's", r"'is ann\'s'", True),
        ("Straße zum Café", "strasse cafe", True),
        ("strasse zum cafe", "STRAßE CAFÉ", True),
        ("e\u0301te\u0301", "été", True),
        ("ﬁnal ｆｕｌｌ", "final full", True),
        ("Łódź and Ørsted", "lodz orsted", True),
        ("東京都へ行く", "東京", True),
        ("東京都へ行く", "京都", True),
        ("東京都へ行く", "東", True),
        ("東京都へ行く", "く", True),
        ("東京都へ行く", "都京", False),
        ("東京都へ行く", "東都", False),
        ("カタカナ", "ｶﾀｶﾅ", True),
        ("ภาษาไทยง่าย", "ไทย", True),
        ("ภาษาไทยง่าย", "ไหน", False),
        ("한국어는 좋다", "한국어", True),
        ("한국어는 좋다", "한국어는", True),
        ("한국어는 좋다", "국", True),
        ("한국어는 좋다", "어국", False),
        ("한국어는 좋다", "한", True),
        ("한국어는 좋다", "'한국어는 좋다'", True),
        ("Съешь ещё", "съешь еще", True),
        ("हिन्दी में", "हिन्दी", True),
        ("שָׁלוֹם", "שלום", True),
        ("Party 🎉 now", "🎉", True),
        ("Party 🎉 now", "🎂", False),
        ("Invoice 2024-118 over 3.14", "2024-118", True),
        ("Invoice 2024-118 over 3.14", "3.14", True),
        ("Invoice 2024-118 over 3.14", "118-2024", False),
        ("Write to joe@shop.example.", "joe@shop.example", True),
        ("Write to joe@shop.example.", "shop.example", True),
        ("Write to xjoe@shop.example.", "joe@shop.example", False),
        ("so\u00adfa and in\u200dvisible", "sofa invisible", True),
        ("Nothing", "", True),
        ("Nothing", "  ", True),
        ("Nothing", "!!!", False),
        ("Nothing", "nothing !!!", True),
    ],
)
def test_words(cast: Cast, body: str, words: str, expected: bool) -> None:
    client = JMAPClient(cast.alice)
    add(client, letter(content=text(body)))
    assert finds(client, {"body": words}) is expected
    assert finds(client, {"text": words}) is expected
    assert finds(client, {"operator": "NOT", "conditions": [{"body": words}]}) is not expected


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("quarterly", True),
        ("'quarterly figures'", True),
        ("café more", True),
        ("'growing curve'", True),
        ("hover", True),
        ("headline", False),
        ("teal", False),
        ("hidden", False),
        ("wide", False),
        ("img", False),
    ],
)
def test_markup_is_no_text(cast: Cast, words: str, expected: bool) -> None:
    client = JMAPClient(cast.alice)
    add(client, letter(content=html(HTML)))
    assert finds(client, {"body": words}) is expected


@pytest.mark.rfc("8621", "4.4.1")
def test_encoded_words_are_decoded(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    add(client, letter(Subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?=", To="=?utf-8?b?5p2x5Lqs?= <a@b.example>"))
    assert finds(client, {"subject": "grüße"})
    assert finds(client, {"to": "東京"})
    assert not finds(client, {"text": "utf"})


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"text": "budget.pdf"}, True),
        ({"text": "budget"}, True),
        ({"body": "budget"}, False),
        ({"body": "plainly"}, True),
        ({"body": "richly"}, True),
        ({"body": "tabulated"}, True),
        ({"body": "forwarded"}, True),
        ({"body": "carol@old.example"}, True),
        ({"from": "carol"}, False),
        ({"text": "pdfcontent"}, False),
    ],
)
def test_parts(cast: Cast, condition: dict[str, Any], expected: bool) -> None:
    parts = [
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplainly\r\n"
        "--b\r\nContent-Type: text/html\r\n\r\n<p>richly</p>\r\n--b--\r\n",
        "Content-Type: text/csv\r\nContent-Disposition: attachment\r\n\r\ntabulated\r\n",
        "Content-Type: message/rfc822\r\n\r\nFrom: carol@old.example\r\nSubject: x\r\n\r\nforwarded\r\n",
        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=Budget.pdf\r\n\r\npdfcontent\r\n",
    ]
    content = "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + "".join(
        f"--a\r\n{part}" for part in parts
    )
    client = JMAPClient(cast.alice)
    add(client, letter(content=f"{content}--a--\r\n"))
    assert finds(client, condition) is expected


def stock(client: JMAPClient) -> dict[str, str]:
    """Six Emails of five Threads, the newest first, by their letters; a and b are a Thread."""
    by_role = roles(client)
    inbox, archive = by_role["inbox"], by_role["archive"]
    given = [
        ("a", message(1, subject="Tea", body="apple banana"), [inbox], {"$seen": True}),
        ("b", reply(2, 1, subject="Re: Tea", body="banana"), [inbox, archive], {}),
        ("c", message(3, subject="Apple", body="cherry"), [archive], {"$flagged": True}),
        ("d", message(4, subject="Date", body="apple apple cherry"), [inbox], {}),
        ("e", message(5, subject="Fig", body="banana", fields="X-Fruit: yes\r\n"), [inbox], {"$seen": True}),
        ("f", message(6, subject="Grape", body="kiwi"), [inbox], {}),
    ]
    return {
        add(client, raw, mailboxes=boxes, keywords=keywords, receivedAt=received(place)): name
        for place, (name, raw, boxes, keywords) in enumerate(given)
    }


def both(operator: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


APPLE, BANANA, CHERRY = {"text": "apple"}, {"body": "banana"}, {"text": "cherry"}


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.rfc("8621", "4.4.3")
@pytest.mark.parametrize(
    ("condition", "plain", "collapsed"),
    [
        (APPLE, "dca", "dca"),
        (BANANA, "eba", "eb"),
        ({"text": "apple", "body": "banana"}, "a", "a"),
        (both("AND", APPLE, CHERRY), "dc", "dc"),
        (both("OR", APPLE, BANANA), "edcba", "edcb"),
        (both("NOT", APPLE), "feb", "feb"),
        (both("NOT", APPLE, BANANA), "f", "f"),
        (both("AND", APPLE, both("NOT", CHERRY)), "a", "a"),
        (both("NOT", both("NOT", APPLE)), "dca", "dca"),
        (both("OR", APPLE, {"hasKeyword": "$seen"}), "edca", "edca"),
        (both("OR", both("AND", APPLE, CHERRY), {"header": ["X-Fruit"]}), "edc", "edc"),
        (both("AND", BANANA, {"header": ["X-Fruit"]}), "e", "e"),
        ({"text": "apple", "inMailbox": "inbox"}, "da", "da"),
        ({"text": "apple", "inMailbox": "archive"}, "c", "c"),
        ({"body": "banana", "inMailbox": "inbox", "hasKeyword": "$seen"}, "ea", "ea"),
        ({"body": "banana", "notKeyword": "$seen"}, "b", "b"),
        ({"body": "banana", "someInThreadHaveKeyword": "$seen"}, "eba", "eb"),
        ({"text": "apple", "inMailboxOtherThan": ["archive"]}, "da", "da"),
        ({"text": "apple", "before": received(3)}, "ca", "ca"),
        ({"text": "apple", "after": received(3), "minSize": 1, "hasAttachment": False}, "d", "d"),
        ({"text": ""}, "fedcba", "fedcb"),
        (both("AND", {"text": ""}, APPLE), "dca", "dca"),
        (both("OR", {"text": "?"}, CHERRY), "dc", "dc"),
        (both("OR", {"text": ""}, CHERRY), "fedcba", "fedcb"),
        (both("AND", both("OR", {"subject": "tea"}, {"subject": "fig"}), BANANA), "eba", "eb"),
    ],
)
def test_together_with_other_conditions(
    cast: Cast, condition: dict[str, Any], plain: str, collapsed: str
) -> None:
    client = JMAPClient(cast.alice)
    letters, by_role = stock(client), roles(client)

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: named(item) for name, item in value.items()}
        if isinstance(value, list):
            return [named(item) for item in value]
        return by_role.get(value, value) if isinstance(value, str) else value

    for expected, collapse in ((plain, False), (collapsed, True)):
        asked = {"filter": named(condition), "collapseThreads": collapse}
        whole = client.call("Email/query", {**asked, "calculateTotal": True})
        assert "".join(letters[each] for each in whole["ids"]) == expected
        assert whole["total"] == len(expected)
        window = client.call("Email/query", {**asked, "position": 1, "limit": 2})
        assert "".join(letters[each] for each in window["ids"]) == expected[1:3]
        assert client.call("Email/query", {**asked, "position": -1})["ids"] == whole["ids"][-1:]


@pytest.mark.rfc("8621", "4.4.2")
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ([{"property": "receivedAt"}], "acd"),
        ([{"property": "subject"}], "cda"),
        ([{"property": "size", "isAscending": False}, {"property": "receivedAt"}], "dac"),
        ([{"property": "hasKeyword", "keyword": "$flagged", "isAscending": False}], "cda"),
        ([{"property": "from"}], "acd"),
    ],
)
def test_sorted(cast: Cast, sort: list[dict[str, Any]], expected: str) -> None:
    client = JMAPClient(cast.alice)
    letters = stock(client)
    answer = client.call("Email/query", {"filter": APPLE, "sort": sort})
    assert "".join(letters[each] for each in answer["ids"]) == expected


@pytest.mark.rfc("8621", "4.4.1")
def test_mail_is_found_as_soon_as_it_is_there_and_no_longer(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    assert not finds(client, {"text": "kingfisher"})
    email_id = add(client, message(subject="A kingfisher"))
    assert finds(client, {"text": "kingfisher"})
    client.call("Email/set", {"destroy": [email_id]})
    assert not finds(client, {"text": "kingfisher"})


@pytest.mark.rfc("8621", "4.5")
def test_changes_of_a_search(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first = add(client, message(1, body="apple"), receivedAt=received(1))
    asked = {"filter": {"text": "apple"}}
    before = client.call("Email/query", asked)
    assert before["canCalculateChanges"] is True
    add(client, message(2, body="pear"), receivedAt=received(2))
    last = add(client, message(3, body="apple"), receivedAt=received(3))
    client.call("Email/set", {"update": {first: {"keywords/$seen": True}}})
    changes = client.call(
        "Email/queryChanges",
        {**asked, "sinceQueryState": before["queryState"], "upToId": first, "calculateTotal": True},
    )
    assert (changes["removed"], changes["added"]) == ([], [{"id": last, "index": 0}])
    assert changes["total"] == 2


@pytest.mark.rfc("8621", "3")
def test_emails_that_move_to_another_thread_are_still_found(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    add(client, message(1, body="apple one"), receivedAt=received(1))
    add(client, message(2, body="apple two"), receivedAt=received(2))
    references = "References: <m1@example.org> <m2@example.org>\r\n"
    add(client, message(3, subject="Re: Hello", body="apple", fields=references), receivedAt=received(3))
    answer = client.call("Email/query", {"filter": {"text": "apple"}})
    emails = client.call("Email/get", {"ids": answer["ids"], "properties": ["threadId"]})["list"]
    assert len(answer["ids"]) == 3
    assert len({email["threadId"] for email in emails}) == 1
    assert len(client.call("Email/query", {"filter": {"text": "apple"}, "collapseThreads": True})["ids"]) == 1


@pytest.mark.rfc("8621", "4.4.1")
def test_phrases_of_a_message_too_long_for_the_index(cast: Cast) -> None:
    filling = " ".join(f"word{number % 3000}" for number in range(16_500))
    body = f"{filling} silver spoon {filling} golden fork"
    client = JMAPClient(cast.alice)
    add(client, letter(content=text(body.replace("word9 ", "word9\r\n"))))
    assert finds(client, {"body": "silver golden"})
    assert finds(client, {"body": "'silver spoon'"})
    assert finds(client, {"text": '"golden fork"'})
    assert not finds(client, {"body": "'silver fork'"})
    assert finds(client, {"operator": "NOT", "conditions": [{"body": "'silver fork'"}, {"subject": "spoon"}]})
    assert not finds(client, {"operator": "NOT", "conditions": [{"body": "'silver spoon'"}]})
    assert finds(client, {"body": "'golden fork'", "inMailbox": roles(client)["inbox"]})
    asked = {"filter": {"text": '"golden fork"'}}
    state = client.call("Email/query", asked)["queryState"]
    new = add(client, letter(Subject="A golden fork"))
    changes = client.call("Email/queryChanges", {**asked, "sinceQueryState": state, "calculateTotal": True})
    assert ([each["id"] for each in changes["added"]], changes["total"]) == ([new], 2)


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize("words", [" ".join(f"w{number}" for number in range(200)), f"'{'a ' * 300}b'"])
def test_more_words_than_can_be_looked_for(cast: Cast, words: str) -> None:
    assert JMAPClient(cast.alice).error("Email/query", {"filter": {"text": words}}) == {
        "type": "unsupportedFilter"
    }


@pytest.mark.rfc("8621", "4.4.1")
def test_as_many_words_as_can_be_looked_for_and_more(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    add(client, letter(content=text(" ".join(f"{number}word" for number in range(500)))))

    def conditions(count: int) -> list[dict[str, Any]]:
        parts = (range(start, start + 50) for start in range(0, 50 * count, 50))
        return [{"text": " ".join(f"{number}word" for number in part)} for part in parts]

    assert finds(client, both("AND", *conditions(10)))
    assert finds(client, both("OR", *conditions(20)))
    assert not finds(client, both("NOT", *conditions(20)))
    long = {"text": " ".join(f"{number}{chr(0x10428) * 70}" for number in range(100))}
    for operator in ("AND", "OR", "NOT"):
        error = client.error("Email/query", {"filter": both(operator, *[long] * 50)})
        assert error == {"type": "unsupportedFilter"}


@pytest.mark.rfc("8621", "4.4.1")
@pytest.mark.parametrize("value", [None, 1, ["apple"], {}])
def test_what_is_no_text(cast: Cast, value: Any) -> None:
    for name in ("text", "from", "to", "cc", "bcc", "subject", "body"):
        error = JMAPClient(cast.alice).error("Email/query", {"filter": {name: value}})
        assert error == {"type": "invalidArguments"}


@pytest.mark.rfc("8621", "9.5")
def test_each_account_finds_its_own_mail_alone(cast: Cast) -> None:
    alice, charlie, bob, dora = map(JMAPClient, (cast.alice, cast.charlie, cast.bob, cast.dora))
    ids = {}
    for place, client in enumerate((alice, charlie, bob)):
        for number in range(place + 1):
            ids[client] = add(client, message(number, body="apple tart"))
    for client, count in ((alice, 1), (charlie, 2), (bob, 3), (dora, 0)):
        for condition in (APPLE, {"text": "'apple tart'"}, {"text": "app*"}, both("OR", APPLE, CHERRY)):
            answer = client.call("Email/query", {"filter": condition, "calculateTotal": True})
            assert (len(answer["ids"]), answer["total"]) == (count, count)
        assert client.call("Email/query", {"filter": both("NOT", APPLE)})["ids"] == []
    shared = bob.call("Email/query", {"accountId": alice.account_id, "filter": APPLE})
    assert shared["ids"] == [ids[alice]]
    # An account whose number begins with that of another one, and words that look like lexemes.
    for words in (
        f"{alice.account_id[1:]}:p:apple",
        f"'{alice.account_id[1:]}:p:apple'",
        "p:apple",
        "'':*",
        "a' | 'b",
        "\\",
    ):
        assert charlie.call("Email/query", {"filter": {"body": words}})["ids"] == []
