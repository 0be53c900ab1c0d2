"""VacationResponse/get and /set (RFC 8621 §8)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import provisioning
from tests.support.cast import Cast
from tests.support.client import CORE, MAIL, JMAPClient

VACATION_RESPONSE = "urn:ietf:params:jmap:vacationresponse"
OFF = {
    "id": "singleton",
    "isEnabled": False,
    "fromDate": None,
    "toDate": None,
    "subject": None,
    "textBody": None,
    "htmlBody": None,
}


def get(client: JMAPClient) -> dict[str, Any]:
    """The one object."""
    (found,) = client.call("VacationResponse/get", {"ids": None})["list"]
    assert isinstance(found, dict)
    return found


@pytest.mark.rfc("8621", "8.1")
def test_there_is_exactly_one_from_the_start(cast: Cast) -> None:
    answer = JMAPClient(cast.alice).call("VacationResponse/get", {"ids": None})
    assert (answer["list"], answer["notFound"]) == ([OFF], [])


@pytest.mark.rfc("8621", "8.1")
def test_its_id_is_singleton_and_no_other(cast: Cast) -> None:
    asked = {"ids": ["singleton", "v1", "singleton"], "properties": ["isEnabled"]}
    answer = JMAPClient(cast.alice).call("VacationResponse/get", asked)
    assert (answer["list"], answer["notFound"]) == ([{"id": "singleton", "isEnabled": False}], ["v1"])


@pytest.mark.rfc("8621", "8.2")
def test_all_of_it_is_the_clients(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    wanted = {
        "isEnabled": True,
        "fromDate": "2030-01-01T00:00:00Z",
        "toDate": "2030-02-01T00:00:00Z",
        "subject": "Away until February, Zoë",
        "textBody": "I am away.\nBack soon.",
        "htmlBody": "<p>I am away.</p>",
    }
    answer = client.call("VacationResponse/set", {"update": {"singleton": wanted}})
    assert answer["updated"] == {"singleton": None}
    assert get(client) == {"id": "singleton", **wanted}


@pytest.mark.rfc("8621", "8.2")
def test_null_takes_away_again(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    client.call("VacationResponse/set", {"update": {"singleton": {"isEnabled": True, "subject": "Away"}}})
    client.call("VacationResponse/set", {"update": {"singleton": {"isEnabled": None, "subject": None}}})
    assert get(client) == OFF


@pytest.mark.rfc("8621", "8.2")
def test_fractions_of_a_second_are_dropped(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    client.call("VacationResponse/set", {"update": {"singleton": {"toDate": "2030-02-01T00:00:00.500Z"}}})
    assert get(client)["toDate"] == "2030-02-01T00:00:00Z"


@pytest.mark.rfc("8621", "8.2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("isEnabled", "yes"),
        ("fromDate", "2030-01-01"),
        ("toDate", "2030-01-01T00:00:00+01:00"),
        ("subject", "Away\r\nBcc: everybody@example.org"),
        ("textBody", 5),
        ("htmlBody", "x" * 1_000_001),
        ("body", "x"),
    ],
)
def test_what_cannot_be_names_its_property(cast: Cast, name: str, value: Any) -> None:
    client = JMAPClient(cast.alice)
    answer = client.call("VacationResponse/set", {"update": {"singleton": {name: value}}})
    assert answer["notUpdated"] == {"singleton": {"type": "invalidProperties", "properties": [name]}}
    assert get(client) == OFF


@pytest.mark.rfc("8620", "5.3")
def test_it_is_neither_created_nor_destroyed(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    answer = client.call(
        "VacationResponse/set", {"create": {"new": {"isEnabled": True}}, "destroy": ["singleton"]}
    )
    assert answer["notCreated"] == {"new": {"type": "singleton"}}
    assert answer["notDestroyed"] == {"singleton": {"type": "singleton"}}
    assert (answer["newState"], get(client)) == (answer["oldState"], OFF)


@pytest.mark.rfc("8621", "8.2")
def test_a_change_changes_the_state_and_nothing_changes_none(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    first = client.call("VacationResponse/set", {"update": {"singleton": {"isEnabled": True}}})
    second = client.call("VacationResponse/set", {"update": {"singleton": {"isEnabled": True}}})
    state = client.call("VacationResponse/get", {"ids": None})["state"]
    assert first["oldState"] != first["newState"] == second["oldState"] == second["newState"] == state


@pytest.mark.rfc("8621", "1.3.3")
def test_the_session_promises_it_where_the_caller_may_send(cast: Cast) -> None:
    session = JMAPClient(cast.bob).session()
    promised = {
        name: each["accountCapabilities"].get(VACATION_RESPONSE) for name, each in session["accounts"].items()
    }
    assert session["capabilities"][VACATION_RESPONSE] == {}
    assert promised == {cast.bob.account_id: {}, cast.alice.account_id: None}


@pytest.mark.rfc("8621", "1.4")
def test_a_grant_to_send_as_opens_it(cast: Cast) -> None:
    client = JMAPClient(cast.bob)
    there = {"accountId": cast.alice.account_id, "ids": None}
    assert client.error("VacationResponse/get", there) == {"type": "accountNotSupportedByMethod"}
    provisioning.grant_access(cast.alice.account, cast.bob.user, may_send_as=True)
    assert client.call("VacationResponse/get", there)["list"] == [OFF]


@pytest.mark.parametrize("using", [[CORE, MAIL], [CORE, VACATION_RESPONSE]])
def test_mail_opens_it_too(cast: Cast, using: list[str]) -> None:
    call = ["VacationResponse/get", {"accountId": cast.alice.account_id, "ids": None}, "0"]
    (answer,) = JMAPClient(cast.alice).request(call, using=using)["methodResponses"]
    assert answer[0] == "VacationResponse/get"
