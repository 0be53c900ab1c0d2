"""Whatever a client sends, PushSubscription answers with an error of the RFC's, and nobody else notices."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from push.subscriptions import notices
from push.subscriptions.delivery import deliver_due
from tests.protocol.PushSubscription.subscribing import call, rows, subscribe
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.push_receiver import Receiver

STRANGE: list[Any] = [
    True,
    -1,
    1e300,
    "",
    "\0",
    "#x",
    [],
    [None],
    {},
    {"": None},
    {"#": {}},
    "x" * 3_000,
    "\ud7ff￿",
]
MEMBERS = [
    "deviceClientId",
    "url",
    "keys",
    "verificationCode",
    "expires",
    "types",
    "emailPush",
    "id",
    "frosting",
]


@pytest.mark.rfc("8620", "7.2.1")
@pytest.mark.rfc("8620", "7.2.2")
@pytest.mark.parametrize("name", MEMBERS)
def test_no_strange_value_makes_it_fail(cast: Cast, receiver: Receiver, name: str) -> None:
    alice = JMAPClient(cast.alice)
    made, _ = subscribe(alice, receiver)
    for strange in STRANGE:
        given = {"deviceClientId": "d", "url": "https://127.0.0.1:1/", name: strange}
        answer = call(alice, "set", create={"s": given}, update={made: {name: strange}})
        assert answer.get("type") not in {"serverFail", "serverUnavailable"}, (strange, answer)
        for error in [*(answer.get("notCreated") or {}).values(), *(answer.get("notUpdated") or {}).values()]:
            assert error["type"] in {"invalidProperties", "invalidPatch", "rateLimit", "overQuota"}, (
                strange,
                error,
            )


def test_patches_into_configurations(cast: Cast, receiver: Receiver) -> None:
    alice = JMAPClient(cast.alice)
    made, _ = subscribe(alice, receiver, emailPush={alice.account_id: {"properties": ["id"]}})
    path = f"emailPush/{alice.account_id}"
    patches: list[tuple[str, Any, str]] = [
        (f"{path}/urgency", "loud", "invalidProperties"),
        (f"{path}/properties", None, "invalidProperties"),
        (f"{path}/filter/x", 1, "invalidPatch"),
        ("emailPush/a0", {"properties": []}, "invalidProperties"),
        ("types/0", "x", "invalidPatch"),
        ("keys/auth", "x", "invalidPatch"),
    ]
    for pointer, value, expected in patches:
        answer = call(alice, "set", update={made: {pointer: value}})
        assert answer["notUpdated"][made]["type"] == expected, (pointer, answer)
    assert call(alice, "set", update={made: {path: None}})["updated"] == {made: None}
    assert call(alice, "get", ids=[made], properties=["emailPush"])["list"] == [{"id": made, "emailPush": {}}]


@pytest.mark.rfc("8620", "8.6")
def test_slow_receivers_hold_nobody_up(cast: Cast, receiver: Receiver) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob, cast.bob.basic)
    slow = [receiver.subscribe("slow") for _ in range(8)]
    _, quick = subscribe(bob, receiver)
    many = {f"s{n}": {"deviceClientId": "d", "url": url} for n, url in enumerate(slow)}
    assert call(alice, "set", create=many)["notCreated"] is None
    worker = threading.Thread(target=deliver_due)
    worker.start()
    waited = threading.Event()
    for _ in range(1_000):
        if all(receiver.to(url) for url in slow):
            break
        waited.wait(0.01)
    # All of them are waited for; who comes now is served by the same process.
    bob.call("Mailbox/set", {"create": {"m": {"name": "New"}}})
    notices.look_up()
    for _ in range(1_000):
        if receiver.to(quick):
            break
        waited.wait(0.01)
    assert len(receiver.to(quick)) == 1
    receiver.hold.set()
    worker.join()
    receiver.hold.clear()


def test_another_process_that_pushes_is_not_joined(cast: Cast, receiver: Receiver) -> None:
    alice = JMAPClient(cast.alice)
    url = receiver.subscribe("slow")
    answer = call(alice, "set", create={"s": {"deviceClientId": "d", "url": url}})
    assert answer["notCreated"] is None
    worker = threading.Thread(target=deliver_due)
    worker.start()
    waited = threading.Event()
    for _ in range(1_000):
        if receiver.to(url):
            break
        waited.wait(0.01)
    # The place is taken: this one leaves at once.
    assert deliver_due() == {}
    receiver.hold.set()
    worker.join()
    receiver.hold.clear()
    assert rows(alice)[0][1] is True
