"""JMAP over WebSocket (RFC 8887), over sockets to the real process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jmapcore.registry import registry
from tests.e2e.push.changes import change, states
from tests.support.cast import Cast, Person
from tests.support.client import CORE, MAIL, JMAPClient
from tests.support.push_process import PushProcess
from tests.support.web_socket import TEXT, WebSocketClient, frame

pytestmark = pytest.mark.e2e


def request(*calls: list[Any], **members: Any) -> dict[str, Any]:
    """A Request object as it goes over a WebSocket."""
    return {"@type": "Request", "using": [CORE, MAIL], "methodCalls": list(calls), **members}


def enabled(push: PushProcess, person: Person, **members: Any) -> WebSocketClient:
    """A connection that is told of changes; what follows on it comes after."""
    client = WebSocketClient.of(push.port, person)
    client.send({"@type": "WebSocketPushEnable", "dataTypes": None, **members})
    client.send(request(["Core/echo", {}, "0"], id="enabled"))
    return client


def behind_the_echo(client: WebSocketClient) -> list[dict[str, Any]]:
    """What came before the answer to the echo of `enabled`."""
    found: list[dict[str, Any]] = []
    while (message := client.receive()).get("requestId") != "enabled":
        found.append(message)
    return found


@pytest.mark.rfc("8887", "4.2")
def test_the_handshake_answers_the_subprotocol(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient(push.port, cast.alice.bearer, subprotocols=("other", "jmap")) as client:
        assert (client.refused, client.subprotocol) == (0, "jmap")


@pytest.mark.rfc("8887", "4.2")
@pytest.mark.parametrize("subprotocols", [(), ("soap",)])
def test_a_handshake_without_the_subprotocol_is_refused(
    push: PushProcess, cast: Cast, subprotocols: tuple[str, ...]
) -> None:
    with WebSocketClient(push.port, cast.alice.bearer, subprotocols=subprotocols) as client:
        assert client.refused == 400
        assert client.headers["content-type"] == "application/problem+json"


@pytest.mark.rfc("8887", "4.1")
@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc="])
def test_a_handshake_without_a_credential_that_is_good_is_refused(
    push: PushProcess, cast: Cast, authorization: str | None
) -> None:
    with WebSocketClient(push.port, authorization) as client:
        assert client.refused == 401
        assert "Bearer" in client.headers["www-authenticate"]
        assert json.loads(client.body)["status"] == 401


def test_a_url_with_very_many_variables_is_refused(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient(push.port, cast.alice.bearer, path="/jmap/websocket?" + "a=1&" * 60) as client:
        assert client.refused == 400


def test_another_path_is_not_found(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient(push.port, cast.alice.bearer, path="/jmap/eventsource") as client:
        assert client.refused == 404


@pytest.mark.rfc("8887", "4.1")
def test_basic_credentials_open_a_connection(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient(push.port, cast.alice.basic) as client:
        client.send(request(["Core/echo", {}, "0"]))
        assert client.receive()["methodResponses"] == [["Core/echo", {}, "0"]]


@pytest.mark.rfc("8887", "4.3.2")
@pytest.mark.rfc("8887", "4.3.3")
def test_a_response_has_the_bytes_of_http_and_the_id_of_its_request(push: PushProcess, cast: Cast) -> None:
    calls = [["Mailbox/get", {"accountId": cast.alice.account_id, "ids": None}, "é"]]
    http = JMAPClient(cast.alice).post({"using": [CORE, MAIL], "methodCalls": calls})
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.send(request(*calls, id="R1"))
        assert client.text().encode() == b'{"@type":"Response","requestId":"R1",' + http.content[1:]


@pytest.mark.rfc("8887", "4.3.3")
def test_a_request_without_an_id_is_answered_without_one(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.send(request(["Core/echo", {"hello": True}, "0"], createdIds={"one": "m1"}))
        answer = client.receive()
    assert set(answer) == {"@type", "methodResponses", "createdIds", "sessionState"}
    assert answer["createdIds"] == {"one": "m1"}


@pytest.mark.rfc("8887", "4.3.2")
def test_several_requests_are_under_way_at_once(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        for number in range(5):
            client.send(request(["Core/echo", {"number": number}, "0"], id=str(number)))
        answers = {message["requestId"]: message for message in (client.receive() for _ in range(5))}
    assert {name: each["methodResponses"][0][1]["number"] for name, each in answers.items()} == {
        str(number): number for number in range(5)
    }


@pytest.mark.rfc("8887", "4.3.4")
@pytest.mark.parametrize(
    ("message", "error", "request_id"),
    [
        ("{", "notJSON", None),
        ('{"@type":"Request","@type":"Request"}', "notJSON", None),
        ("[]", "notRequest", None),
        ("{}", "notRequest", None),
        ({"@type": "Response", "id": "a"}, "notRequest", "a"),
        ({"@type": "Request", "id": "b"}, "notRequest", "b"),
        ({"@type": "Request", "id": 7}, "notRequest", None),
        ({"@type": "Request", "id": "c", "using": ["urn:x"], "methodCalls": []}, "unknownCapability", "c"),
        ({"@type": "WebSocketPushEnable", "dataTypes": "Email", "id": "d"}, "notRequest", "d"),
        ({"@type": "WebSocketPushEnable", "dataTypes": None, "pushState": 5, "id": "e"}, "notRequest", "e"),
    ],
)
def test_what_is_no_request_is_answered_with_an_error_and_the_connection_stays(
    push: PushProcess, cast: Cast, message: Any, error: str, request_id: str | None
) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.send(message)
        answer = client.receive()
        assert (answer["@type"], answer["type"], answer["requestId"]) == (
            "RequestError",
            f"urn:ietf:params:jmap:error:{error}",
            request_id,
        )
        assert {"status", "detail"} <= set(answer)
        client.send(request(["Core/echo", {}, "0"]))
        assert client.receive()["@type"] == "Response"


@pytest.mark.rfc("8887", "4.3.2")
def test_the_limits_of_the_core_capability_hold(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.send(request(*[["Core/echo", {}, str(number)] for number in range(33)], id="many"))
        answer = client.receive()
        assert (answer["type"], answer["limit"]) == ("urn:ietf:params:jmap:error:limit", "maxCallsInRequest")
        client.send(request(["Core/echo", {"long": "x" * 10_000_000}, "0"], id="long"))
        answer = client.receive()
        assert (answer["type"], answer["limit"]) == ("urn:ietf:params:jmap:error:limit", "maxSizeRequest")


@pytest.mark.rfc("8887", "4.3.2")
def test_more_requests_at_once_than_the_limit_are_refused(push: PushProcess, cast: Cast) -> None:
    frames = [
        frame(TEXT, json.dumps(request(["Core/echo", {}, "0"], id=str(number))).encode())
        for number in range(40)
    ]
    with WebSocketClient.of(push.port, cast.alice) as client:
        client.raw(b"".join(frames))
        answers = [client.receive() for _ in range(40)]
    refused = [each for each in answers if each["@type"] == "RequestError"]
    assert {(each["limit"], each["status"]) for each in refused} == {("maxConcurrentRequests", 429)}
    assert len({each["requestId"] for each in answers}) == 40


@pytest.mark.rfc("8887", "4.3.5")
def test_nothing_is_pushed_before_it_is_enabled(push: PushProcess, cast: Cast) -> None:
    with WebSocketClient.of(push.port, cast.alice) as client, enabled(push, cast.alice) as other:
        assert behind_the_echo(other) == []
        change(cast.alice, "Email")
        assert other.receive()["@type"] == "StateChange"
        client.send(request(["Core/echo", {}, "0"]))
        assert client.receive()["@type"] == "Response"


@pytest.mark.rfc("8887", "4.3.5.1")
@pytest.mark.rfc("8887", "4.3.5.2")
@pytest.mark.rfc("8620", "7.1")
def test_a_change_is_pushed_with_the_states_that_get_gives(push: PushProcess, cast: Cast) -> None:
    with enabled(push, cast.alice) as client:
        assert behind_the_echo(client) == []
        change(cast.alice, "Mailbox", "EmailDelivery")
        told = client.receive()
    assert {key: value for key, value in told.items() if key != "pushState"} == {
        "@type": "StateChange",
        "changed": {cast.alice.account_id: told["changed"][cast.alice.account_id]},
    }
    assert set(told["changed"][cast.alice.account_id]) == {"Mailbox", "EmailDelivery"}
    assert told["changed"][cast.alice.account_id]["Mailbox"] == states(cast.alice, "Mailbox")["Mailbox"]
    assert told["pushState"]


@pytest.mark.rfc("8887", "4.3.5.2")
def test_only_the_wanted_types_are_pushed(push: PushProcess, cast: Cast) -> None:
    with enabled(push, cast.alice, dataTypes=["Thread", "Unheard"]) as client:
        behind_the_echo(client)
        change(cast.alice, "Mailbox")
        change(cast.alice, "Email", "Thread")
        assert list(client.receive()["changed"][cast.alice.account_id]) == ["Thread"]


@pytest.mark.rfc("8887", "4.3.5.2")
def test_a_push_state_brings_what_was_missed_at_once(push: PushProcess, cast: Cast) -> None:
    with enabled(push, cast.alice) as client:
        behind_the_echo(client)
        change(cast.alice, "Mailbox")
        push_state = client.receive()["pushState"]
    change(cast.alice, "Email", "Thread")
    with enabled(push, cast.alice, pushState=push_state) as client:
        [told] = behind_the_echo(client)
        assert set(told["changed"][cast.alice.account_id]) == {"Email", "Thread"}
        push_state = told["pushState"]
    with enabled(push, cast.alice, pushState=push_state) as client:
        assert behind_the_echo(client) == []


@pytest.mark.rfc("8887", "4.3.5.2")
def test_a_push_state_that_was_never_issued_brings_everything(push: PushProcess, cast: Cast) -> None:
    change(cast.alice, "Mailbox")
    with enabled(push, cast.alice, pushState="nonsense") as client:
        [told] = behind_the_echo(client)
    assert set(told["changed"][cast.alice.account_id]) == {
        name for name, each in registry.types.items() if each.has_state and each.has_account
    }


@pytest.mark.rfc("8887", "4.3.5.3")
def test_disabled_push_tells_nothing_more(push: PushProcess, cast: Cast) -> None:
    with enabled(push, cast.alice) as client, enabled(push, cast.alice) as other:
        behind_the_echo(client)
        behind_the_echo(other)
        client.send({"@type": "WebSocketPushDisable"})
        client.send(request(["Core/echo", {}, "0"], id="disabled"))
        assert client.receive()["requestId"] == "disabled"
        change(cast.alice, "Email")
        assert other.receive()["@type"] == "StateChange"
        client.send(request(["Core/echo", {}, "0"], id="after"))
        assert client.receive()["requestId"] == "after"


@pytest.mark.rfc("8887", "4.3.5")
@pytest.mark.rfc("8620", "7.1")
def test_accounts_of_others_are_pushed_to_who_was_granted_them_and_to_nobody_else(
    push: PushProcess, cast: Cast
) -> None:
    with enabled(push, cast.bob) as bob, enabled(push, cast.charlie) as charlie:
        behind_the_echo(bob)
        behind_the_echo(charlie)
        change(cast.alice, "Email")
        assert list(bob.receive()["changed"]) == [cast.alice.account_id]
        change(cast.charlie, "Email")
        assert list(charlie.receive()["changed"]) == [cast.charlie.account_id]


def test_a_change_over_a_web_socket_reaches_its_own_connection(push: PushProcess, cast: Cast) -> None:
    create = {"accountId": cast.alice.account_id, "create": {"one": {"name": "One"}}}
    with enabled(push, cast.alice) as client:
        behind_the_echo(client)
        client.send(request(["Mailbox/set", create, "0"], id="set"))
        messages = [client.receive() for _ in range(2)]
    by_type = {message["@type"]: message for message in messages}
    assert (
        by_type["StateChange"]["changed"][cast.alice.account_id]["Mailbox"]
        == by_type["Response"]["methodResponses"][0][1]["newState"]
    )
