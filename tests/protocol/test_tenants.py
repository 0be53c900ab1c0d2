"""Every method of every registered type: an account that the caller may not see is not there."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from jmapcore.protocol.registry import Method
from jmapcore.protocol.schema import REQUIRED
from jmapcore.protocol.wire import (
    Boolean,
    Id,
    Int,
    ListOf,
    MapOf,
    Nullable,
    ObjectOf,
    String,
    UTCDate,
    WireType,
)
from jmapcore.registry import registry
from jmapcore.store.database import connection, read
from tests.support.cast import Cast, Person
from tests.support.client import JMAPClient

METHODS = [
    method
    for method in registry.methods.values()
    if method.arguments is not None and "accountId" in method.arguments
]
COPIES = [
    method for method in METHODS if method.arguments is not None and "fromAccountId" in method.arguments
]
# "If the accountId … cannot be found, the method call is rejected with an "invalidArguments" error" (RFC 9007 §2.1).
INVALID_WHERE_NOT_FOUND = frozenset({"MDN/send", "MDN/parse"})
NOWHERE = ["a0", "a999999999", "a2147483648", "A1", "b1", "1", "singleton"]


def named(method: Method) -> str:
    return method.name


def not_found(method: Method) -> dict[str, Any]:
    """What a method answers where there is no such account."""
    return {"type": "invalidArguments" if method.name in INVALID_WHERE_NOT_FOUND else "accountNotFound"}


def sample(wire: WireType) -> Any:
    """A value of a type, as small as it can be."""
    match wire:
        case Nullable():
            return None
        case Boolean():
            return False
        case Int():
            return max(wire.low, 0)
        case Id():
            return "x1"
        case UTCDate():
            return "2020-01-01T00:00:00Z"
        case String():
            return min(wire.choices) if wire.choices else "x" * max(wire.min_octets, 1)
        case ListOf():
            return [sample(wire.of)]
        case MapOf():
            return {sample(wire.key): sample(wire.of)}
        case ObjectOf():
            return {name: sample(wire.members[name]) for name in wire.required}
        case _:
            return {}


def arguments(method: Method, account_id: str, source: str = "a0") -> dict[str, Any]:
    """Arguments that a method must have, all of the right type; `source` is the fromAccountId of those that copy."""
    declared = method.arguments or {}
    given = {
        name: sample(each.type)
        for name, each in declared.items()
        if each.default is REQUIRED and not each.type.nullable
    }
    if method in COPIES:
        given["fromAccountId"] = source
    return {**given, "accountId": account_id}


def everything(person: Person) -> list[Any]:
    """The state of an account and of all its types."""
    account = person.account.pk
    with connection() as lent:
        return read(
            lent,
            account,
            ("SELECT modseq, next_id FROM account_state WHERE account_id = %s", (account,)),
            ("SELECT type, modseq FROM type_state WHERE account_id = %s ORDER BY type", (account,)),
        )


@pytest.mark.rfc("8621", "9.5")
@pytest.mark.rfc("8620", "3.6.2")
@pytest.mark.parametrize("method", METHODS, ids=named)
def test_an_account_of_another_tenant_is_not_found(cast: Cast, method: Method) -> None:
    charlie = JMAPClient(cast.charlie)
    before = everything(cast.alice), everything(cast.charlie)
    accounts = [cast.alice.account_id, cast.bob.account_id, *NOWHERE]
    calls = [[method.name, arguments(method, each, charlie.account_id), "c"] for each in accounts]
    answers = charlie.request(*calls)["methodResponses"]
    assert answers == [["error", not_found(method), "c"]] * len(calls)
    assert (everything(cast.alice), everything(cast.charlie)) == before
    assert cast.alice.address not in orjson.dumps(answers).decode()


@pytest.mark.rfc("8620", "5.4")
@pytest.mark.parametrize("method", COPIES, ids=named)
def test_nothing_is_copied_out_of_an_account_of_another_tenant(cast: Cast, method: Method) -> None:
    charlie = JMAPClient(cast.charlie)
    given = arguments(method, charlie.account_id, cast.alice.account_id)
    assert charlie.error(method.name, given) == {"type": "fromAccountNotFound"}


@pytest.mark.rfc("8621", "9.5")
@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_colleague_without_a_grant_sees_no_account_either(cast: Cast, method: Method) -> None:
    given = arguments(method, cast.bob.account_id, cast.alice.account_id)
    assert JMAPClient(cast.alice).error(method.name, given) == not_found(method)


@pytest.mark.rfc("8620", "3.9")
@pytest.mark.rfc("8620", "3.6.2")
@pytest.mark.parametrize("method", METHODS, ids=named)
def test_an_argument_that_the_method_does_not_have_is_invalid(cast: Cast, method: Method) -> None:
    alice = JMAPClient(cast.alice)
    given = {**arguments(method, alice.account_id), "frosting": None}
    assert alice.error(method.name, given) == {"type": "invalidArguments"}


@pytest.mark.rfc("8620", "3.9")
@pytest.mark.rfc("8620", "3.6.2")
@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_missing_account_is_invalid(cast: Cast, method: Method) -> None:
    given = arguments(method, "")
    del given["accountId"]
    answers = JMAPClient(cast.alice).request([method.name, given, "c"])["methodResponses"]
    assert answers == [["error", {"type": "invalidArguments"}, "c"]]


STRANGE: list[Any] = [
    None,
    True,
    -1,
    1e300,
    "",
    "\0",
    "#x",
    [],
    [None],
    [[]],
    {},
    {"": None},
    {"#": {}},
    "x" * 300,
]


@pytest.mark.rfc("8620", "3.9")
@pytest.mark.parametrize("method", METHODS, ids=named)
def test_no_strange_argument_makes_a_method_fail(cast: Cast, method: Method) -> None:
    alice = JMAPClient(cast.alice)
    given = arguments(method, alice.account_id)
    for name in method.arguments or {}:
        calls = [[method.name, {**given, name: strange}, "c"] for strange in STRANGE]
        for answered, answer, _ in alice.request(*calls)["methodResponses"]:
            assert answered != "error" or answer["type"] not in {"serverFail", "serverUnavailable"}, (
                name,
                answer,
            )
