"""What is pushed to a subscription, and what becomes of it by the answers (RFC 8620 §7.2, RFC 8030, RFC 8291, RFC 8292)."""

from __future__ import annotations

import threading
import time
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from jmapcore.store.database import connection, run
from push.subscriptions import notices, store
from push.subscriptions.delivery import deliver_available, deliver_due
from push.tasks import deliver as deliver_task
from push.tasks import sweep_subscriptions
from tests.protocol.PushSubscription.subscribing import (
    call,
    create,
    deliver,
    rows,
    states,
    subscribe,
    update,
)
from tests.support.cast import Cast
from tests.support.client import JMAPClient
from tests.support.push_receiver import ClientKeys, Receiver, octets_of

VAPID = "urn:ietf:params:jmap:webpush-vapid"


@pytest.fixture
def alice(cast: Cast) -> JMAPClient:
    """A client with Alice's app password."""
    return JMAPClient(cast.alice, cast.alice.basic)


def change(client: JMAPClient, name: str = "New") -> None:
    """Make a mailbox."""
    client.call("Mailbox/set", {"create": {"m": {"name": name}}})


@pytest.mark.rfc("8620", "7.2.2")
def test_the_code_comes_first_and_nothing_else_until_it_is_echoed(
    alice: JMAPClient, receiver: Receiver
) -> None:
    url = receiver.subscribe()
    made = create(alice, url)
    deliver_task()
    change(alice, "A")
    deliver(alice)
    sweep_subscriptions()
    deliver(alice)
    [pushed] = receiver.to(url)
    code = pushed.json().pop("verificationCode")
    assert pushed.json() == {
        "@type": "PushVerification",
        "pushSubscriptionId": made["id"],
        "verificationCode": code,
    }
    assert len(octets_of(code)) >= 16
    assert update(alice, made["id"], verificationCode=code) is None
    deliver(alice)
    # What happened between the code and its echo is told of now.
    _, changed = receiver.objects(url)
    assert changed == {"@type": "StateChange", "changed": {alice.account_id: states(alice, "Mailbox")}}


@pytest.mark.rfc("8620", "7.1")
@pytest.mark.rfc("8620", "7.2")
def test_a_change_is_pushed_with_the_states_that_get_answers(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver)
    change(alice)
    deliver(alice)
    [pushed] = receiver.to(url)
    assert pushed.json() == {"@type": "StateChange", "changed": {alice.account_id: states(alice, "Mailbox")}}
    assert pushed.headers["Content-Type"] == "application/json"
    assert "Content-Encoding" not in pushed.headers
    assert 0 < int(pushed.headers["TTL"]) <= 7 * 86_400
    assert pushed.headers["Urgency"] == "low"
    assert len(pushed.headers["Topic"]) == 32
    deliver(alice)
    assert len(receiver.to(url)) == 1


@pytest.mark.rfc("8620", "7.2")
def test_a_burst_is_one_push_of_the_newest_states(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver)
    for number in range(5):
        change(alice, f"New {number}")
        notices.look_up()
    deliver_due()
    assert receiver.objects(url) == [
        {"@type": "StateChange", "changed": {alice.account_id: states(alice, "Mailbox")}}
    ]
    # Pushes keep their distance: what comes right after one waits, and is told of together.
    change(alice, "B")
    notices.look_up()
    deliver_due()
    change(alice, "C")
    notices.look_up()
    deliver_due()
    assert len(receiver.to(url)) == 1
    deliver(alice)
    assert receiver.objects(url)[1]["changed"] == {alice.account_id: states(alice, "Mailbox")}
    topics = [pushed.headers["Topic"] for pushed in receiver.to(url)]
    assert topics[0] == topics[1]


@pytest.mark.rfc("8620", "7.2")
def test_only_the_types_that_are_asked_for_are_told_of(alice: JMAPClient, receiver: Receiver) -> None:
    identifier, url = subscribe(alice, receiver, types=["Identity", "Mailbox", "Unknown"])
    [identity] = alice.call("Identity/get", {"ids": None})["list"]
    alice.call("Identity/set", {"update": {identity["id"]: {"name": "A"}}})
    deliver(alice)
    assert receiver.objects(url)[0]["changed"] == {alice.account_id: states(alice, "Identity")}
    assert update(alice, identifier, types=["Email"]) is None
    change(alice)
    deliver(alice)
    assert len(receiver.to(url)) == 1
    assert update(alice, identifier, types=[]) is None
    change(alice, "B")
    deliver(alice)
    assert update(alice, identifier, types=None) is None
    deliver(alice)
    assert len(receiver.to(url)) == 1
    change(alice, "C")
    deliver(alice)
    assert receiver.objects(url)[1]["changed"] == {alice.account_id: states(alice, "Mailbox")}


@pytest.mark.rfc("8620", "7.1")
def test_every_account_that_the_user_sees_is_told_of_and_no_other(
    cast: Cast, alice: JMAPClient, receiver: Receiver
) -> None:
    bob, charlie = JMAPClient(cast.bob), JMAPClient(cast.charlie)
    _, of_bob = subscribe(bob, receiver)
    _, of_charlie = subscribe(charlie, receiver)
    change(alice)
    for client in (bob, charlie):
        deliver(client)
    [told] = receiver.objects(of_bob)
    assert told["changed"] == {alice.account_id: states(alice, "Mailbox")}
    assert receiver.to(of_charlie) == []
    cast.bob.user.grants.all().delete()
    change(alice, "B")
    deliver(bob)
    assert len(receiver.to(of_bob)) == 1


def test_a_credential_of_another_scope_is_told_nothing_of_mail(cast: Cast, receiver: Receiver) -> None:
    from accounts.access import CONTACTS_SCOPE
    from accounts.credentials import create_access_token

    _, token = create_access_token(cast.alice.user, scopes=[CONTACTS_SCOPE])
    narrow = JMAPClient(cast.alice, f"Bearer {token}")
    _, url = subscribe(narrow, receiver)
    change(JMAPClient(cast.alice))
    deliver(narrow)
    assert receiver.to(url) == []
    assert rows(narrow)[0][1:3] == (True, 0)


@pytest.mark.rfc("8291", "4")
@pytest.mark.rfc("8620", "7.2")
def test_what_is_pushed_is_encrypted_with_the_keys(alice: JMAPClient, receiver: Receiver) -> None:
    keys = ClientKeys()
    _, url = subscribe(alice, receiver, keys)
    change(alice)
    deliver(alice)
    [pushed] = receiver.to(url)
    assert pushed.headers["Content-Encoding"] == "aes128gcm"
    assert pushed.headers["Content-Type"] == "application/json"
    assert b"StateChange" not in pushed.body
    assert pushed.json(keys)["changed"] == {alice.account_id: states(alice, "Mailbox")}


@pytest.mark.rfc("8292", "2")
@pytest.mark.rfc("8292", "3")
@pytest.mark.rfc("9749", "3")
@pytest.mark.rfc("9749", "4")
def test_each_push_is_signed_with_the_key_of_the_session(
    alice: JMAPClient, receiver: Receiver, settings: Any
) -> None:
    settings.PUSH_CONTACT = "mailto:postmaster@example.org"
    _, url = subscribe(alice, receiver)
    change(alice)
    deliver(alice)
    [pushed] = receiver.to(url)
    public = alice.session()["capabilities"][VAPID]["applicationServerKey"]
    scheme, _, parameters = pushed.headers["Authorization"].partition(" ")
    given = dict(each.strip().split("=", 1) for each in parameters.split(","))
    assert (scheme, given["k"]) == ("vapid", public)
    head, claims, signature = given["t"].split(".")
    assert orjson.loads(octets_of(head)) == {"typ": "JWT", "alg": "ES256"}
    said = orjson.loads(octets_of(claims))
    assert (said["aud"], said["sub"]) == (receiver.url, "mailto:postmaster@example.org")
    assert time.time() < said["exp"] <= time.time() + 86_400
    raw = octets_of(signature)
    verifier = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets_of(public))
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    verifier.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize("status", [404, 410])
def test_a_receiver_that_is_gone_ends_the_subscription(
    alice: JMAPClient, receiver: Receiver, status: int
) -> None:
    _, url = subscribe(alice, receiver)
    receiver.answers[url.removeprefix(receiver.url)] = [(status, {})]
    change(alice)
    deliver(alice)
    assert (len(receiver.to(url)), rows(alice)) == (1, [])
    assert call(alice, "get", ids=None)["list"] == []


@pytest.mark.rfc("8620", "7.2")
def test_too_many_makes_pushes_rarer(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver)
    receiver.answers[url.removeprefix(receiver.url)] = [(429, {"Retry-After": "120"}), (429, {}), (201, {})]
    change(alice)
    gaps = []
    for _ in range(2):
        deliver(alice)
        gaps.append((rows(alice)[0][3], wait(alice)))
    assert gaps[0][0] < gaps[1][0]
    assert 110 < gaps[0][1] <= 120
    change(alice, "B")
    notices.look_up()
    deliver_due()
    assert len(receiver.to(url)) == 2
    deliver(alice)
    assert receiver.objects(url)[2]["changed"] == {alice.account_id: states(alice, "Mailbox")}
    assert rows(alice)[0][1] is True
    assert 0 < rows(alice)[0][3] < gaps[1][0]


def wait(client: JMAPClient) -> float:
    """In how many seconds the person's one subscription is due."""
    sql = "SELECT extract(epoch FROM due_at - now())::float8 FROM push_subscription WHERE user_id = %s"
    with connection() as lent:
        [result] = run(lent, (sql, (client.person.user.pk,)))
        return float(result.fetchall()[0][0])


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize("status", [500, 503, 307, 400])
def test_failures_are_tried_again_after_growing_gaps(
    alice: JMAPClient, receiver: Receiver, status: int
) -> None:
    _, url = subscribe(alice, receiver)
    elsewhere = {"Location": receiver.subscribe()}
    receiver.answers[url.removeprefix(receiver.url)] = [(status, elsewhere)] * 3 + [(201, {})]
    change(alice)
    gaps = []
    for _ in range(3):
        deliver(alice)
        gaps.append(wait(alice))
    assert gaps[0] * 1.2 < gaps[1]
    assert gaps[1] * 1.2 < gaps[2]
    assert rows(alice)[0][2] == 3
    deliver(alice)
    assert [each["changed"] for each in receiver.objects(url)] == [
        {alice.account_id: states(alice, "Mailbox")}
    ] * 4
    assert rows(alice)[0][1:3] == (True, 0)
    assert receiver.to(elsewhere["Location"]) == []


def test_a_receiver_that_always_refuses_loses_its_subscription(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver)
    receiver.answers[url.removeprefix(receiver.url)] = [(403, {})]
    change(alice)
    for _ in range(8):
        deliver(alice)
    assert (len(receiver.to(url)), rows(alice)) == (5, [])


def test_a_receiver_that_fails_for_long_keeps_its_subscription(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver)
    receiver.answers[url.removeprefix(receiver.url)] = [(500, {})]
    change(alice)
    for _ in range(8):
        deliver(alice)
    assert (len(receiver.to(url)), rows(alice)[0][2]) == (8, 8)


@pytest.mark.rfc("8620", "8.6")
def test_the_code_is_not_pushed_for_ever(alice: JMAPClient, receiver: Receiver) -> None:
    url = receiver.subscribe("", 500)
    create(alice, url)
    for _ in range(8):
        deliver(alice)
    assert (len(receiver.to(url)), rows(alice)) == (5, [])
    refused = receiver.subscribe("", 400)
    create(alice, refused)
    deliver(alice)
    assert (len(receiver.to(refused)), rows(alice)) == (1, [])


@pytest.mark.rfc("8620", "8.6")
def test_a_url_that_turns_to_an_address_inside_gets_nothing(
    alice: JMAPClient, receiver: Receiver, settings: Any
) -> None:
    _, url = subscribe(alice, receiver)
    settings.FETCH_ALLOWED_NETWORKS = ()
    change(alice)
    for _ in range(5):
        deliver(alice)
    assert (receiver.to(url), rows(alice)) == ([], [])


def test_nobody_answers(alice: JMAPClient, receiver: Receiver) -> None:
    create(alice, "https://127.0.0.1:1/")
    deliver(alice)
    assert rows(alice)[0][1:3] == (False, 1)


@pytest.mark.rfc("8620", "7.2")
def test_what_was_lost_is_found_by_the_sweep(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver)
    change(alice)
    notices.notices.__init__()  # type: ignore[misc]  # the process that committed is gone
    deliver(alice)
    assert receiver.to(url) == []
    sweep_subscriptions()
    deliver(alice)
    assert receiver.objects(url)[0]["changed"] == {alice.account_id: states(alice, "Mailbox")}
    sweep_subscriptions()
    assert rows(alice)[0][1] is True


@pytest.mark.rfc("8620", "7.2")
def test_an_account_that_was_restored_is_told_of(cast: Cast, alice: JMAPClient, receiver: Receiver) -> None:
    from jmapcore.lifecycle import renew_epoch

    _, url = subscribe(alice, receiver, types=["Mailbox"])
    with connection() as lent:
        renew_epoch(cast.alice.account.pk, lent)
    sweep_subscriptions()
    deliver(alice)
    assert receiver.objects(url)[0]["changed"] == {alice.account_id: states(alice, "Mailbox")}


def test_two_workers_push_once(alice: JMAPClient, receiver: Receiver, settings: Any) -> None:
    settings.PUSH_PROCESSES = 2
    _, url = subscribe(alice, receiver)
    change(alice)
    notices.look_up()
    until = time.monotonic() + 30
    workers = [threading.Thread(target=deliver_available, args=(until,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(receiver.to(url)) == 1
    assert rows(alice)[0][1] is True


def test_what_changes_during_a_push_is_pushed_after_it(alice: JMAPClient, receiver: Receiver) -> None:
    url = receiver.subscribe("slow")
    receiver.hold.set()
    made = create(alice, url)
    deliver(alice)
    code = receiver.objects(url)[0]["verificationCode"]
    assert update(alice, made["id"], verificationCode=code) is None
    deliver(alice)
    receiver.hold.clear()
    change(alice, "A")
    notices.look_up()
    worker = threading.Thread(target=deliver_due)
    worker.start()
    until = time.monotonic() + 20
    while len(receiver.to(url)) < 2 and time.monotonic() < until:
        threading.Event().wait(0.01)
    change(alice, "B")
    assert notices.look_up() is True
    receiver.hold.set()
    worker.join()
    deliver(alice)
    pushed = receiver.objects(url)
    assert len(pushed) == 3
    assert pushed[1]["changed"] != pushed[2]["changed"] == {alice.account_id: states(alice, "Mailbox")}


def test_a_worker_that_died_is_followed_by_another(alice: JMAPClient, receiver: Receiver) -> None:
    _, url = subscribe(alice, receiver)
    change(alice)
    notices.look_up()
    with connection() as lent:
        [claimed] = [
            each for each in store.claim(lent, 64) if each.subscription.user_id == alice.person.user.pk
        ]
    deliver(alice)
    assert receiver.to(url) == []
    with connection() as lent:
        run(lent, ("UPDATE push_subscription SET leased_until = now() WHERE lease = %s", (claimed.lease,)))
    deliver(alice)
    assert len(receiver.to(url)) == 1


def test_a_large_map_of_states_goes_in_several_pushes(alice: JMAPClient, receiver: Receiver) -> None:
    from push.subscriptions.types.objects import state_changes

    many = {account: {f"Type{n}": "x" * 20 for n in range(10)} for account in range(1, 31)}
    parts = list(state_changes(many))
    assert len(parts) > 2
    assert all(len(body) <= 3_993 for _, body in parts)
    together: dict[str, Any] = {}
    for _, body in parts:
        for account, types in orjson.loads(body)["changed"].items():
            together.setdefault(account, {}).update(types)
    assert together == {f"a{account}": types for account, types in many.items()}


def test_url_and_keys_are_sealed_where_they_are_stored(alice: JMAPClient, receiver: Receiver) -> None:
    keys = ClientKeys()
    url = receiver.subscribe()
    create(alice, url, keys=keys.wire)
    with connection() as lent:
        sql = "SELECT push_subscription::text FROM push_subscription WHERE user_id = %s"
        [result] = run(lent, (sql, (alice.person.user.pk,)))
        [[text]] = result.fetchall()
        [sealed] = run(
            lent, (sql.replace("push_subscription::text", "sealed_endpoint"), (alice.person.user.pk,))
        )
        octets = bytes(sealed.fetchall()[0][0])
    for secret in (url, keys.wire["auth"]):
        assert secret not in text
        assert secret.encode() not in octets
