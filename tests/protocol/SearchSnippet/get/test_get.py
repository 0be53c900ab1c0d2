"""SearchSnippet/get (RFC 8621 §5.1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from tests.protocol.post import add, message
from tests.support.cast import Cast
from tests.support.client import JMAPClient

SUBJECT, BODY = "Tea & <b>biscuits</b> at five", "We drink green tea\r\nat 1 < 2 & eat.\r\n"


def snippet(
    client: JMAPClient, email_id: str, condition: dict[str, Any] | None
) -> tuple[str | None, str | None]:
    """Subject and preview of one Email."""
    answer = client.call("SearchSnippet/get", {"filter": condition, "emailIds": [email_id]})
    assert answer["accountId"] == client.account_id
    assert answer["notFound"] is None
    [found] = answer["list"]
    assert set(found) == {"emailId", "subject", "preview"}
    assert found["emailId"] == email_id
    return found["subject"], found["preview"]


def both(operator: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


IN_SUBJECT = "<mark>Tea</mark> &amp; &lt;b&gt;biscuits&lt;/b&gt; at five"
IN_BODY = "We drink green <mark>tea</mark> at 1 &lt; 2 &amp; eat."


@pytest.mark.rfc("8621", "5")
@pytest.mark.rfc("8621", "5.1")
@pytest.mark.parametrize(
    ("condition", "subject", "preview"),
    [
        ({"text": "tea"}, IN_SUBJECT, IN_BODY),
        ({"subject": "tea"}, IN_SUBJECT, None),
        ({"body": "tea"}, None, IN_BODY),
        ({"text": "coffee"}, None, None),
        ({"from": "ann"}, None, None),
        ({"hasKeyword": "$seen"}, None, None),
        ({"text": ""}, None, None),
        ({}, None, None),
        (None, None, None),
        ({"text": "teas"}, IN_SUBJECT, IN_BODY),
        ({"text": "te*"}, IN_SUBJECT, IN_BODY),
        ({"body": "'green tea'"}, None, "We drink <mark>green tea</mark> at 1 &lt; 2 &amp; eat."),
        ({"body": "green drinking"}, None, "We <mark>drink</mark> <mark>green</mark> tea at 1 &lt; 2 &amp; eat."),
        ({"body": "'1 2'"}, None, "We drink green tea at <mark>1 &lt; 2</mark> &amp; eat."),
        (both("OR", {"subject": "tea"}, {"body": "eat"}), IN_SUBJECT, "We drink green tea at 1 &lt; 2 &amp; <mark>eat</mark>."),
        (both("AND", {"text": "tea"}, both("NOT", {"text": "biscuits"})), IN_SUBJECT, IN_BODY),
        (both("NOT", {"text": "tea"}), None, None),
        (both("NOT", both("NOT", {"text": "tea"})), IN_SUBJECT, IN_BODY),
        ({"subject": "b biscuits"}, "Tea &amp; &lt;<mark>b</mark>&gt;<mark>biscuits</mark>&lt;/<mark>b</mark>&gt; at five", None),
    ],
)  # fmt: skip
def test_what_is_marked(
    cast: Cast, condition: dict[str, Any] | None, subject: str | None, preview: str | None
) -> None:
    client = JMAPClient(cast.alice)
    email_id = add(client, message(subject=SUBJECT, body=BODY))
    assert snippet(client, email_id, condition) == (subject, preview)


@pytest.mark.rfc("8621", "5")
@pytest.mark.parametrize(
    ("filling", "word"),
    [("lorem ipsum ", "needle"), ("ünïcödé ", "needle"), ("漢", "針"), ("&<> ", "needle")],
)
def test_a_preview_is_a_piece_of_at_most_255_octets(cast: Cast, filling: str, word: str) -> None:
    client = JMAPClient(cast.alice)
    fields = "Content-Type: text/plain; charset=utf-8\r\n"
    email_id = add(client, message(body=f"{filling * 3000} {word} {filling * 3000}", fields=fields))
    _, preview = snippet(client, email_id, {"body": word})
    assert preview is not None
    assert f"<mark>{word}</mark>" in preview
    assert preview.startswith("…")
    assert preview.endswith("…")
    assert 150 <= len(preview.encode()) <= 255


@pytest.mark.rfc("8621", "5")
def test_a_long_match_is_cut(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    phrase = " ".join(["word"] * 100)
    email_id = add(client, message(body=phrase))
    _, preview = snippet(client, email_id, {"body": f'"{phrase}"'})
    assert preview is not None
    assert preview.startswith("<mark>word word")
    assert preview.endswith("</mark>…")
    assert len(preview.encode()) <= 255


@pytest.mark.rfc("8621", "5")
def test_the_piece_with_most_of_the_words_is_shown(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    body = f"silver {'lorem ' * 100} golden {'lorem ' * 100} silver and golden {'lorem ' * 100}"
    email_id = add(client, message(body=body))
    _, preview = snippet(client, email_id, {"body": "golden silver"})
    assert preview is not None
    assert "<mark>silver</mark> and <mark>golden</mark>" in preview


@pytest.mark.rfc("8621", "5")
def test_html_becomes_plain_text(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    body = "<style>tea { }</style><p>A <b>pot</b> of <i>tea</i> &amp; milk</p>"
    email_id = add(client, message(body=body, fields="Content-Type: text/html; charset=utf-8\r\n"))
    assert snippet(client, email_id, {"body": "tea"}) == (None, "A pot of <mark>tea</mark> &amp; milk")


@pytest.mark.rfc("8621", "5.1")
def test_several_emails_each_once(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    ids = [add(client, message(number, body="tea")) for number in range(3)]
    asked = [ids[2], "e999999", ids[0], ids[2], "x", "m1"]
    answer = client.call("SearchSnippet/get", {"filter": {"body": "tea"}, "emailIds": asked})
    assert [each["emailId"] for each in answer["list"]] == [ids[2], ids[0]]
    assert sorted(answer["notFound"]) == ["e999999", "m1", "x"]
    nothing = client.call("SearchSnippet/get", {"filter": None, "emailIds": []})
    assert (nothing["list"], nothing["notFound"]) == ([], None)


@pytest.mark.rfc("8621", "5.2")
def test_snippets_of_what_a_query_found(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    add(client, message(1, body="tea"))
    add(client, message(2, body="milk"))
    condition = {"text": "tea"}
    answers = client.request(
        ["Email/query", {"accountId": client.account_id, "filter": condition}, "0"],
        [
            "SearchSnippet/get",
            {
                "accountId": client.account_id,
                "filter": condition,
                "#emailIds": {"resultOf": "0", "name": "Email/query", "path": "/ids"},
            },
            "1",
        ],
    )["methodResponses"]
    assert [each["preview"] for each in answers[1][1]["list"]] == ["<mark>tea</mark>"]


@pytest.mark.rfc("8621", "5.1")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"filter": {"shape": "round"}, "emailIds": []}, "unsupportedFilter"),
        ({"filter": {"text": "w " + " ".join(f"w{n}" for n in range(200))}, "emailIds": []}, "unsupportedFilter"),
        ({"filter": {"operator": "OR", "conditions": [{"text": "a"}] * 60}, "emailIds": []}, "unsupportedFilter"),
        ({"filter": {"text": 5}, "emailIds": []}, "invalidArguments"),
        ({"filter": [], "emailIds": []}, "invalidArguments"),
        ({"filter": None, "emailIds": None}, "invalidArguments"),
        ({"filter": None}, "invalidArguments"),
        ({"filter": None, "emailIds": [], "properties": ["subject"]}, "invalidArguments"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(cast: Cast, arguments: dict[str, Any], error: str) -> None:
    assert JMAPClient(cast.alice).error("SearchSnippet/get", arguments) == {"type": error}


@pytest.mark.rfc("8621", "5.1")
def test_too_many_ids(cast: Cast) -> None:
    ids = [f"e{number}" for number in range(1, settings.JMAP_LIMITS["maxObjectsInGet"] + 2)]
    answer = JMAPClient(cast.alice).error("SearchSnippet/get", {"filter": None, "emailIds": ids})
    assert answer == {"type": "requestTooLarge"}


@pytest.mark.rfc("8621", "9.5")
def test_emails_of_another_account_are_not_found(cast: Cast) -> None:
    alice, bob, dora, charlie = map(JMAPClient, (cast.alice, cast.bob, cast.dora, cast.charlie))
    email_id = add(alice, message(body="tea"))
    asked = {"filter": {"body": "tea"}, "emailIds": [email_id]}
    stranger = charlie.call("SearchSnippet/get", asked)
    assert (stranger["list"], stranger["notFound"]) == ([], [email_id])
    for client in (bob, dora):
        shared = client.call("SearchSnippet/get", {**asked, "accountId": alice.account_id})
        assert [each["preview"] for each in shared["list"]] == ["<mark>tea</mark>"]
