"""Short ways to bake toys through the API."""

from __future__ import annotations

from typing import Any

from tests.support.client import JMAPClient


def bake(client: JMAPClient, *names: str, **members: Any) -> list[str]:
    """The ids of new cakes of these names; `account_id` names another account than the client's own."""
    account_id = members.pop("account_id", client.account_id)
    create = {f"c{number}": {"name": name, **members} for number, name in enumerate(names)}
    created = client.call("ToyCake/set", {"accountId": account_id, "create": create})["created"]
    return [created[f"c{number}"]["id"] for number in range(len(names))]


def cake(client: JMAPClient, cake_id: str, *properties: str, account_id: str | None = None) -> dict[str, Any]:
    """A cake as /get gives it, with these properties or all, without its id."""
    arguments = {
        "accountId": account_id or client.account_id,
        "ids": [cake_id],
        "properties": list(properties) or None,
    }
    [record] = client.call("ToyCake/get", arguments)["list"]
    assert record.pop("id") == cake_id
    found: dict[str, Any] = record
    return found


def state(client: JMAPClient, account_id: str | None = None) -> str:
    """The state of ToyCake."""
    answer = client.call("ToyCake/get", {"accountId": account_id or client.account_id, "ids": []})
    found: str = answer["state"]
    return found


def set_cakes(client: JMAPClient, **arguments: Any) -> dict[str, Any]:
    """What ToyCake/set answers."""
    return client.call("ToyCake/set", arguments)
