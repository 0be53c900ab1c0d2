"""What the tests of this directory change, and what they compare with."""

from __future__ import annotations

from jmapcore.store.database import connection
from jmapcore.store.write import account_write
from tests.support.cast import Person
from tests.support.client import JMAPClient


def change(person: Person, *types: str) -> None:
    """Advance the states of some types of somebody's account, in one write."""
    with connection() as lent, account_write(person.account.pk, lent) as write:
        for name in types:
            write.touched(name)


def states(person: Person, *types: str) -> dict[str, str]:
    """The states that /get gives at this moment."""
    client = JMAPClient(person)
    return {name: client.call(f"{name}/get", {"ids": []})["state"] for name in types}
