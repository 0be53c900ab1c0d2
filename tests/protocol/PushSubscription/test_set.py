"""PushSubscription/get and /set (RFC 8620 §7.2): whose they are, what is kept of them, how many there may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.credentials import create_app_password
from tests.protocol.PushSubscription.subscribing import (
    call,
    create,
    deliver,
    refused,
    rows,
    subscribe,
    update,
)
from tests.support.cast import Cast, basic
from tests.support.client import JMAPClient
from tests.support.push_receiver import ClientKeys, Receiver


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    """A client with Alice's app password, which has no end."""
    return JMAPClient(cast.alice, cast.alice.basic)


def moment(text: str) -> datetime:
    """The moment of a UTCDate."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def stamp(**later: int) -> str:
    """A UTCDate so much later than now."""
    return (datetime.now(UTC) + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.rfc("8620", "7.2.2")
def test_a_new_subscription_answers_what_the_client_did_not_say(
    alice: JMAPClient, receiver: Receiver
) -> None:
    url = receiver.subscribe()
    made = create(alice, url, types=None)
    expires = moment(made.pop("expires"))
    assert abs(expires - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)
    identifier = made.pop("id")
    assert made == {"keys": None, "verificationCode": None, "emailPush": None}
    answer = call(alice, "get", ids=[identifier, "p1"])
    assert answer["notFound"] == ["p1"]
    assert answer.keys() == {"list", "notFound"}
    assert answer["list"] == [
        {
            "id": identifier,
            "deviceClientId": "device",
            "verificationCode": None,
            "expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "types": None,
            "emailPush": None,
        }
    ]


@pytest.mark.rfc("8620", "7.2.1")
@pytest.mark.parametrize("name", ["url", "keys"])
def test_url_and_keys_are_never_shown(alice: JMAPClient, receiver: Receiver, name: str) -> None:
    create(alice, receiver.subscribe())
    assert call(alice, "get", ids=None, properties=[name]) == {"type": "forbidden"}
    assert call(alice, "get", ids=None, properties=["id", name]) == {"type": "forbidden"}
    assert call(alice, "get", ids=[], properties=["nothing"]) == {"type": "invalidArguments"}


@pytest.mark.rfc("8620", "7.2.1")
@pytest.mark.rfc("8620", "7.2.2")
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get", {"accountId": "a1", "ids": None}),
        ("set", {"accountId": "a1"}),
        ("set", {"ifInState": "x"}),
        ("set", {"create": []}),
    ],
)
def test_there_is_no_account_and_no_state(alice: JMAPClient, method: str, arguments: dict[str, Any]) -> None:
    assert call(alice, method, **arguments) == {"type": "invalidArguments"}
    answer = call(alice, "set")
    assert answer.keys() == {"created", "updated", "destroyed", "notCreated", "notUpdated", "notDestroyed"}


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "https://user@127.0.0.1/x",
        "https://user:secret@push.example/",
        "https://",
        "https:///x",
        "https://push.example/#part",
        "https://push.example:0/",
        "https://push.example:port/",
        "https://push.example/ x",
        "https://push.example\\@127.0.0.1/",
        "https://pu sh.example/",
        "https://[::1/",
        "https://127.1/",
        "https://2130706433/",
        "https://münchen.example/",
        "HTTPS//push.example",
        f"https://push.example/{'x' * 2048}",
        "file:///etc/passwd",
        "",
        7,
        None,
    ],
)
def test_a_url_is_https_and_a_host_alone(alice: JMAPClient, url: Any) -> None:
    assert refused(alice, url=url) == {"type": "invalidProperties", "properties": ["url"]}


@pytest.mark.rfc("8620", "8.6")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "172.31.255.255",
        "192.168.0.1",
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[ff02::1]",
    ],
)
def test_a_url_leads_to_public_addresses(alice: JMAPClient, host: str) -> None:
    assert refused(alice, url=f"https://{host}/") == {"type": "invalidProperties", "properties": ["url"]}
    assert rows(alice) == []


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"p256dh": "x", "auth": "y"},
        {"p256dh": ClientKeys().wire["p256dh"]},
        {**ClientKeys().wire, "auth": "AAAA"},
        {**ClientKeys().wire, "p256dh": "BA" + "A" * 85},
        {**ClientKeys().wire, "more": "x"},
        "keys",
    ],
)
def test_keys_are_a_point_and_a_secret(alice: JMAPClient, receiver: Receiver, keys: Any) -> None:
    error = refused(alice, url=receiver.subscribe(), keys=keys)
    assert error == {"type": "invalidProperties", "properties": ["keys"]}


@pytest.mark.rfc("8620", "7.2")
def test_keys_may_be_padded(alice: JMAPClient, receiver: Receiver) -> None:
    wire = ClientKeys().wire
    made = create(
        alice, receiver.subscribe(), keys={"p256dh": wire["p256dh"] + "=", "auth": wire["auth"] + "=="}
    )
    assert "keys" not in made


@pytest.mark.rfc("8620", "7.2")
def test_everything_that_is_wrong_is_named(alice: JMAPClient) -> None:
    error = refused(
        alice,
        url="x",
        deviceClientId=None,
        keys=1,
        verificationCode=1,
        expires="soon",
        types="all",
        frosting=1,
    )
    names = ["deviceClientId", "expires", "frosting", "keys", "types", "url", "verificationCode"]
    assert error == {"type": "invalidProperties", "properties": names}


@pytest.mark.rfc("8620", "7.2")
def test_the_code_is_not_the_clients_to_choose(alice: JMAPClient, receiver: Receiver) -> None:
    error = refused(alice, url=receiver.subscribe(), verificationCode="mine")
    assert error == {"type": "invalidProperties", "properties": ["verificationCode"]}
    create(alice, receiver.subscribe(), verificationCode=None)


@pytest.mark.rfc("8620", "7.2.2")
def test_url_and_keys_are_immutable(alice: JMAPClient, receiver: Receiver) -> None:
    keys = ClientKeys()
    url = receiver.subscribe()
    made = create(alice, url, keys=keys.wire)
    invalid = {"type": "invalidProperties", "properties": ["keys", "url"]}
    assert update(alice, made["id"], url=receiver.subscribe(), keys=None) == invalid
    error = update(alice, made["id"], deviceClientId="other")
    assert error == {"type": "invalidProperties", "properties": ["deviceClientId"]}
    assert update(alice, made["id"], url=url, keys=keys.wire, deviceClientId="device") is None


@pytest.mark.rfc("8620", "7.2.2")
def test_without_the_right_code_nothing_is_verified(alice: JMAPClient, receiver: Receiver) -> None:
    url = receiver.subscribe()
    made = create(alice, url)
    deliver(alice)
    [verification] = receiver.objects(url)
    invalid = {"type": "invalidProperties", "properties": ["verificationCode"]}
    for wrong in ("x", "", verification["verificationCode"] + " ", "ü"):
        assert update(alice, made["id"], verificationCode=wrong) == invalid
    assert update(alice, made["id"], verificationCode=verification["verificationCode"]) is None
    [shown] = call(alice, "get", ids=None)["list"]
    assert shown["verificationCode"] == verification["verificationCode"]
    assert update(alice, made["id"], verificationCode=None) == invalid
    assert update(alice, made["id"], verificationCode=verification["verificationCode"]) is None


@pytest.mark.rfc("8620", "7.2.2")
def test_a_subscription_is_renewed_up_to_seven_days(alice: JMAPClient, receiver: Receiver) -> None:
    made = create(alice, receiver.subscribe(), expires=stamp(days=2))
    assert "expires" not in made
    later = stamp(days=3)
    assert update(alice, made["id"], expires=later) is None
    answered = update(alice, made["id"], expires=stamp(days=30))
    assert answered.keys() == {"expires"}
    assert abs(moment(answered["expires"]) - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)
    assert update(alice, made["id"], expires=None).keys() == {"expires"}
    invalid = {"type": "invalidProperties", "properties": ["expires"]}
    assert update(alice, made["id"], expires=stamp(seconds=-10)) == invalid
    assert refused(alice, url=receiver.subscribe(), expires=stamp(seconds=-10)) == invalid


@pytest.mark.rfc("8620", "7.2")
def test_what_the_client_asks_for_is_not_bounded_where_its_credential_ends(
    cast: Cast, receiver: Receiver
) -> None:
    with_token = JMAPClient(cast.alice)
    assert create(with_token, receiver.subscribe())["expires"] is None
    assert "expires" not in create(with_token, receiver.subscribe(), expires=stamp(days=300))


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.rfc("8620", "7.2.1")
def test_each_credential_sees_its_own_alone(cast: Cast, alice: JMAPClient, receiver: Receiver) -> None:
    _, other = create_app_password(cast.alice.user, "other")
    made = create(alice, receiver.subscribe())["id"]
    strangers = [
        JMAPClient(cast.alice),
        JMAPClient(cast.alice, basic(cast.alice.address, other)),
        JMAPClient(cast.bob),
        JMAPClient(cast.charlie),
    ]
    for client in strangers:
        assert call(client, "get", ids=None) == {"list": [], "notFound": []}
        assert call(client, "get", ids=[made]) == {"list": [], "notFound": [made]}
        assert update(client, made, types=[]) == {"type": "notFound"}
        assert call(client, "set", destroy=[made])["notDestroyed"] == {made: {"type": "notFound"}}
    assert len(call(alice, "get", ids=None)["list"]) == 1


@pytest.mark.rfc("8620", "7.2")
def test_a_destroyed_subscription_is_erased(alice: JMAPClient, receiver: Receiver) -> None:
    made, url = subscribe(alice, receiver)
    answer = call(alice, "set", destroy=[made, "p1"])
    assert (answer["destroyed"], answer["notDestroyed"]) == ([made], {"p1": {"type": "notFound"}})
    assert rows(alice) == []
    alice.call("Mailbox/set", {"create": {"m": {"name": "New"}}})
    deliver(alice)
    assert receiver.to(url) == []


@pytest.mark.rfc("8620", "8.6")
def test_ten_are_made_in_an_hour(alice: JMAPClient, receiver: Receiver) -> None:
    many = {f"s{n:02}": {"deviceClientId": "d", "url": receiver.subscribe()} for n in range(12)}
    answer = call(alice, "set", create=many)
    assert len(answer["created"]) == 10
    assert answer["notCreated"] == {"s10": {"type": "rateLimit"}, "s11": {"type": "rateLimit"}}
    for identifier in [each["id"] for each in answer["created"].values()]:
        call(alice, "set", destroy=[identifier])
    assert refused(alice, url=receiver.subscribe()) == {"type": "rateLimit"}


@pytest.mark.rfc("8620", "8.6")
def test_a_user_has_fifteen(cast: Cast, alice: JMAPClient, receiver: Receiver) -> None:
    from push.models import PushCreation

    with_token = JMAPClient(cast.alice)
    for client, count in ((alice, 10), (with_token, 5)):
        many = {f"s{n}": {"deviceClientId": "d", "url": receiver.subscribe()} for n in range(count)}
        assert call(client, "set", create=many)["notCreated"] is None
        PushCreation.objects.filter(user=cast.alice.user).delete()
    assert refused(alice, url=receiver.subscribe()) == {"type": "overQuota"}
    gone = call(alice, "get", ids=None)["list"][0]["id"]
    new = {"s": {"deviceClientId": "d", "url": receiver.subscribe()}}
    assert call(alice, "set", create=new, destroy=[gone])["notCreated"] is None
    assert len(rows(alice)) == 15
    create(JMAPClient(cast.bob), receiver.subscribe())


@pytest.mark.rfc("8620", "8.6")
def test_refused_hosts_count_as_made(alice: JMAPClient, receiver: Receiver) -> None:
    many = {f"s{n}": {"deviceClientId": "d", "url": f"https://10.0.0.{n}/"} for n in range(11)}
    answer = call(alice, "set", create=many)
    assert sorted(error["type"] for error in answer["notCreated"].values()) == ["invalidProperties"] * 10 + [
        "rateLimit"
    ]
    assert refused(alice, url=receiver.subscribe()) == {"type": "rateLimit"}


def test_what_one_call_makes_and_destroys_is_nowhere(alice: JMAPClient, receiver: Receiver) -> None:
    url = receiver.subscribe()
    answer = call(alice, "set", create={"s": {"deviceClientId": "d", "url": url}}, destroy=["#s"])
    assert answer["destroyed"] == [answer["created"]["s"]["id"]]
    deliver(alice)
    assert (rows(alice), receiver.to(url)) == ([], [])
