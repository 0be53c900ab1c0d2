"""Short ways to subscribe, to verify and to have pushes delivered."""

from __future__ import annotations

from typing import Any

from jmapcore.store.database import connection, run
from push.subscriptions import notices
from push.subscriptions.delivery import deliver_due
from tests.support.client import JMAPClient
from tests.support.push_receiver import ClientKeys, Receiver

NOW_DUE = """
    UPDATE push_subscription SET due_at = least(due_at, now()), not_before = now()
    WHERE user_id = %s AND due_at IS NOT NULL"""
ROWS = "SELECT number, due_at IS NULL, failures, gap_seconds FROM push_subscription WHERE user_id = %s ORDER BY id"


def call(client: JMAPClient, method: str, **arguments: Any) -> dict[str, Any]:
    """What a method of PushSubscription answers, by name or as an error; it has no accountId."""
    [[_, answer, _]] = client.request([f"PushSubscription/{method}", arguments, "c"])["methodResponses"]
    found: dict[str, Any] = answer
    return found


def create(client: JMAPClient, url: str, **members: Any) -> dict[str, Any]:
    """What is answered of a new subscription."""
    answer = call(client, "set", create={"s": {"deviceClientId": "device", "url": url, **members}})
    assert answer["notCreated"] is None, answer
    made: dict[str, Any] = answer["created"]["s"]
    return made


def refused(client: JMAPClient, **members: Any) -> dict[str, Any]:
    """The SetError of a new subscription."""
    given = {"deviceClientId": "device", "url": "https://127.0.0.1/", **members}
    answer = call(client, "set", create={"s": given})
    assert answer["created"] is None, answer
    error: dict[str, Any] = answer["notCreated"]["s"]
    return error


def update(client: JMAPClient, subscription_id: str, **patch: Any) -> Any:
    """What /set answers of an update: null or an object, or the SetError."""
    answer = call(client, "set", update={subscription_id: patch})
    return (answer["updated"] or answer["notUpdated"])[subscription_id]


def subscribe(
    client: JMAPClient, receiver: Receiver, keys: ClientKeys | None = None, **members: Any
) -> tuple[str, str]:
    """A verified subscription: its id and its URL. Nothing was pushed to it but the code."""
    url = receiver.subscribe()
    if keys is not None:
        members["keys"] = keys.wire
    made = create(client, url, **members)
    deliver(client)
    [verification] = receiver.objects(url, keys)
    assert update(client, made["id"], verificationCode=verification["verificationCode"]) is None
    deliver(client)
    receiver.pushed[:] = [each for each in receiver.pushed if f"{receiver.url}{each.path}" != url]
    return made["id"], url


def deliver(client: JMAPClient) -> None:
    """Have everything pushed that waits for the person, without the distance that pushes keep."""
    notices.look_up()
    with connection() as lent:
        run(lent, (NOW_DUE, (client.person.user.pk,)))
    deliver_due()


def rows(client: JMAPClient) -> list[Any]:
    """The person's rows: number, whether nothing is due, failures in a row, the gap."""
    with connection() as lent:
        [result] = run(lent, (ROWS, (client.person.user.pk,)))
        return result.fetchall()


def states(client: JMAPClient, *types: str) -> dict[str, str]:
    """The states of types in the client's account."""
    return {name: client.call(f"{name}/get", {"ids": []})["state"] for name in types}
