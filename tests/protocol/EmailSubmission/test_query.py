"""EmailSubmission/get, changes, query and queryChanges (RFC 8621 §7.1 to §7.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.protocol.EmailSubmission.sending import draft, envelope, get, identity, submitted
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8621", "7.3")


def three(client: JMAPClient) -> list[str]:
    """Submissions that are due in 2 hours, 3 hours and 1 hour, of three Emails, the last with another identity."""
    made = client.call("Identity/set", {"create": {"other": {"email": client.person.address}}})
    other = made["created"]["other"]["id"]
    found = []
    for place, (hours, of) in enumerate([(2, identity(client)), (3, identity(client)), (1, other)]):
        held = envelope(client, "bob@example.org", HOLDFOR=str(3_600 * hours))
        email = draft(client, number=place)
        found.append(submitted(client, email, envelope=held, identityId=of))
    return found


def ids(client: JMAPClient, condition: Any = None, *sort: dict[str, Any]) -> list[str]:
    """What a query finds."""
    found: list[str] = client.call(
        "EmailSubmission/query", {"filter": condition, "sort": list(sort) or None}
    )["ids"]
    return found


def later(hours: float) -> str:
    """A UTCDate in so many hours."""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_without_a_filter_it_finds_all(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    made = three(client)
    assert ids(client) == made


def test_each_condition(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    two, most, one = three(client)
    whole = {each: get(client, each) for each in (two, most, one)}
    client.call("EmailSubmission/set", {"update": {most: {"undoStatus": "canceled"}}})
    assert ids(client, {"identityIds": [whole[one]["identityId"]]}) == [one]
    assert ids(client, {"identityIds": []}) == []
    assert ids(client, {"emailIds": [whole[two]["emailId"], whole[one]["emailId"], "e999999"]}) == [two, one]
    assert ids(client, {"threadIds": [whole[most]["threadId"], "x"]}) == [most]
    assert ids(client, {"undoStatus": "canceled"}) == [most]
    assert ids(client, {"undoStatus": "pending"}) == [two, one]
    assert ids(client, {"undoStatus": "sent"}) == []
    assert ids(client, {"before": later(1.5)}) == [one]
    assert ids(client, {"after": later(1.5)}) == [two, most]
    assert ids(client, {}) == [two, most, one]


def test_before_is_without_and_after_with_the_moment_itself(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    two, most, one = three(client)
    moment = get(client, two)["sendAt"]
    assert (ids(client, {"before": moment}), ids(client, {"after": moment})) == ([one], [two, most])


@pytest.mark.rfc("8620", "5.5")
def test_conditions_are_combined(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    two, most, one = three(client)
    early, late = {"before": later(1.5)}, {"after": later(2.5)}
    other = {"identityIds": [get(client, one)["identityId"]]}
    for operator, conditions, expected in (
        ("AND", [early, other], [one]),
        ("AND", [early, late], []),
        ("OR", [early, late], [most, one]),
        ("NOT", [early, late], [two]),
        ("AND", [], [two, most, one]),
        ("OR", [], []),
        ("NOT", [], [two, most, one]),
        ("AND", [{"operator": "NOT", "conditions": [late]}, {"undoStatus": "pending"}], [two, one]),
    ):
        assert ids(client, {"operator": operator, "conditions": conditions}) == expected, (
            operator,
            conditions,
        )


@pytest.mark.parametrize("name", ["sendAt", "sentAt"])
def test_by_the_moment(cast: Cast, name: str) -> None:
    client = JMAPClient(cast.alice)
    two, most, one = three(client)
    assert ids(client, None, {"property": name}) == [one, two, most]
    assert ids(client, None, {"property": name, "isAscending": False}) == [most, two, one]


@pytest.mark.parametrize("name", ["emailId", "threadId"])
def test_by_the_email(cast: Cast, name: str) -> None:
    client = JMAPClient(cast.alice)
    made = three(client)
    assert ids(client, None, {"property": name}) == made
    assert ids(client, None, {"property": name, "isAscending": False}) == made[::-1]


def test_equal_ones_are_sorted_by_what_comes_next(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email, other = draft(client, number=1), draft(client, number=2)
    held = [envelope(client, "bob@example.org", HOLDFOR=seconds) for seconds in ("7200", "3600")]
    late, early = (submitted(client, email, envelope=each) for each in held)
    last = submitted(client, other)
    assert ids(client, None, {"property": "emailId"}, {"property": "sendAt"}) == [early, late, last]


@pytest.mark.rfc("8620", "5.5")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"filter": {"subject": "x"}}, "unsupportedFilter"),
        ({"filter": {"before": "tomorrow"}}, "invalidArguments"),
        ({"filter": {"emailIds": "e1"}}, "invalidArguments"),
        ({"sort": [{"property": "undoStatus"}]}, "unsupportedSort"),
    ],
)
def test_what_cannot_be_queried(cast: Cast, arguments: dict[str, Any], error: str) -> None:
    assert JMAPClient(cast.alice).error("EmailSubmission/query", arguments) == {"type": error}


@pytest.mark.rfc("8620", "5.5")
def test_a_window_of_the_results(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    two, most, _ = three(client)
    by_moment = [{"property": "sendAt"}]
    window = {"sort": by_moment, "position": 1, "limit": 1, "calculateTotal": True}
    answer = client.call("EmailSubmission/query", window)
    assert (answer["ids"], answer["position"], answer["total"]) == ([two], 1, 3)
    anchored = {"sort": by_moment, "anchor": most, "anchorOffset": -1}
    assert client.call("EmailSubmission/query", anchored)["ids"] == [two, most]


@pytest.mark.rfc("8621", "7.4")
def test_changes_of_a_query(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    two, _, _ = three(client)
    pending = {"filter": {"undoStatus": "pending"}, "sort": [{"property": "sendAt"}]}
    before = client.call("EmailSubmission/query", pending)
    client.call("EmailSubmission/set", {"update": {two: {"undoStatus": "canceled"}}})
    first = submitted(client, draft(client, number=9))
    answer = client.call(
        "EmailSubmission/queryChanges",
        {**pending, "sinceQueryState": before["queryState"], "calculateTotal": True},
    )
    assert (before["canCalculateChanges"], answer["removed"]) == (True, [two])
    assert (answer["added"], answer["total"]) == ([{"id": first, "index": 0}], 3)


@pytest.mark.rfc("8621", "7.2")
def test_changes(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    state = client.call("EmailSubmission/get", {"ids": []})["state"]
    two, most, one = three(client)
    client.call("EmailSubmission/set", {"update": {two: {"undoStatus": "canceled"}}, "destroy": [most]})
    answer = client.call("EmailSubmission/changes", {"sinceState": state})
    assert (answer["created"], answer["updated"], answer["destroyed"]) == ([two, one], [], [])
    again = client.call("EmailSubmission/changes", {"sinceState": answer["newState"]})
    assert (again["created"], again["updated"], again["destroyed"]) == ([], [], [])


@pytest.mark.rfc("8621", "7.1")
def test_some_properties_by_ids(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    answer = client.call(
        "EmailSubmission/get",
        {"ids": [submission, "s999999", "e1"], "properties": ["undoStatus", "dsnBlobIds"]},
    )
    assert answer["list"] == [{"id": submission, "undoStatus": "pending", "dsnBlobIds": []}]
    assert answer["notFound"] == ["s999999", "e1"]
