"""Random calls of two users against a naive model, and two writers at once."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from jmapcore.store.database import connection, read
from tests.protocol.toys.bakery import bake, cake, state
from tests.protocol.toys.model import Model, Player
from tests.support.cast import Cast
from tests.support.client import JMAPClient

CALLS = 25


def resolved(value: Any, ids: dict[str, str]) -> Any:
    """A value with the ids that stand for its creation ids."""
    return ids.get(value[1:], value) if type(value) is str and value[:1] == "#" else value


def learn(model: Model, user: str, arguments: dict[str, Any], answer: dict[str, Any]) -> None:
    """Do in the model what the server says that it has done."""
    ids = {key: made["id"] for key, made in (answer["created"] or {}).items()}
    gone = set(answer["destroyed"] or [])
    for key, made in ids.items():
        given = {name: resolved(value, ids) for name, value in arguments["create"][key].items()}
        if made not in gone:
            model.created(user, made, given)
    for key, patch in arguments["update"].items():
        target = resolved(key, ids)
        if key in (answer["notUpdated"] or {}):
            continue
        assert target in answer["updated"]
        model.updated(user, target, {name: resolved(value, ids) for name, value in patch.items()})
    for target in gone - set(ids.values()):
        model.destroyed(target)
    asked = {resolved(key, ids) for key in arguments["destroy"]}
    assert gone | set(answer["notDestroyed"] or {}) >= {key for key in asked if key[:1] != "#"}
    assert len(arguments["create"]) == len(ids) + len(answer["notCreated"] or {})


def log_of(account: int) -> tuple[int, list[int]]:
    """The account's newest number, and the numbers in its log."""
    with connection() as lent:
        [newest], entries = read(
            lent,
            account,
            ("SELECT modseq FROM account_state WHERE account_id = %s", (account,)),
            ("SELECT modseq FROM change_log WHERE account_id = %s ORDER BY modseq", (account,)),
        )
    return newest[0], [row[0] for row in entries]


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize("seed", range(8))
def test_random_calls_do_what_a_naive_model_does(cast: Cast, seed: int) -> None:
    clients = [JMAPClient(cast.alice), JMAPClient(cast.bob)]
    model = Model()
    player = Player(seed, model)
    refusals: Counter[str] = Counter()
    for _ in range(CALLS):
        client = player.dice.choice(clients)
        user = client.person.address
        arguments = player.call()
        answer = client.call("ToyCake/set", {"accountId": cast.alice.account_id, **arguments})
        learn(model, user, arguments, answer)
        for refused in ("notCreated", "notUpdated", "notDestroyed"):
            refusals.update(error["type"] for error in (answer[refused] or {}).values())
        model.check()
        candles = player.candles()
        lighter = player.dice.choice(clients)
        lit = lighter.call("ToyCandle/set", {"accountId": cast.alice.account_id, **candles})
        model.lit(candles, lit)
        assert set(lit["destroyed"] or []) == set(candles["destroy"])
        assert set(candles["create"]) - set(lit["created"] or {}) == {
            key for key, given in candles["create"].items() if given["cakeId"] not in model.cakes
        }
        burning = lighter.call("ToyCandle/get", {"accountId": cast.alice.account_id})
        assert {record["id"]: record for record in burning["list"]} == model.candles
        for each in clients:
            shown = each.call("ToyCake/get", {"accountId": cast.alice.account_id})
            assert {record["id"]: record for record in shown["list"]} == model.shown(each.person.address)
            assert shown["state"] == answer["newState"] or lit["created"]
    assert refusals.keys() >= {"alreadyExists", "invalidProperties"}
    assert refusals.keys() <= {
        "alreadyExists", "invalidProperties", "notFound", "willDestroy", "cakeHasCakeOnTop", "invalidPatch",
    }  # fmt: skip
    newest, numbers = log_of(cast.alice.account.pk)
    assert numbers == list(range(1, newest + 1))


@pytest.mark.rfc("8620", "5.3")
def test_two_writers_at_once_lose_nothing(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    [shared] = bake(alice, "Shared")
    start = state(alice)
    ready = threading.Barrier(4)
    failures: list[Any] = []

    def write(client: JMAPClient, mark: str) -> None:
        ready.wait(20)
        try:
            for number in range(10):
                responses = client.request(
                    ["ToyCake/set", {
                        "accountId": cast.alice.account_id,
                        "create": {"n": {"name": f"{mark}{number}"}},
                        "update": {shared: {f"toppings/{mark}{number}": True}},
                    }, "0"],
                )["methodResponses"]  # fmt: skip
                if responses[0][0] != "ToyCake/set" or responses[0][1]["updated"] != {shared: None}:
                    failures.append(responses)
        except Exception as error:  # noqa: BLE001  # told to the test below
            failures.append(error)

    writers = [(alice, "a"), (alice, "b"), (bob, "c"), (bob, "d")]
    # The clients of the threads look at no shadow: the shadow follows once they are done.
    threads = [threading.Thread(target=write, args=(Quiet(client.person), mark)) for client, mark in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(cake(alice, shared, "toppings")["toppings"]) == 40
    newest, numbers = log_of(cast.alice.account.pk)
    assert numbers == list(range(1, newest + 1))
    changes = alice.call("ToyCake/changes", {"sinceState": start})
    assert (len(changes["created"]), changes["updated"]) == (40, [shared])


class Quiet(JMAPClient):
    """A client behind which nobody looks."""

    @staticmethod
    def _looked_at(response: Any) -> Any:
        return response


@pytest.mark.rfc("8620", "5.3")
def test_of_writers_that_ask_for_the_same_state_one_wins(cast: Cast) -> None:
    alice = JMAPClient(cast.alice)
    [shared] = bake(alice, "Shared", weight=0)
    now = state(alice)
    ready = threading.Barrier(4)
    answers: list[str] = []

    def write(weight: int) -> None:
        client = Quiet(cast.alice)
        ready.wait(20)
        arguments = {"ifInState": now, "update": {shared: {"weight": weight}}}
        [[name, answer, _]] = client.responses("ToyCake/set", arguments)
        answers.append(name if name != "error" else answer["type"])

    threads = [threading.Thread(target=write, args=(weight,)) for weight in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == ["ToyCake/set", "stateMismatch", "stateMismatch", "stateMismatch"]
