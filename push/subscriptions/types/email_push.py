"""EmailPushConfig (draft-ietf-jmap-emailpush): which of the new Emails to push, and what of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from accounts.access import AccountAccess, Caller
from jmapcore.context import account_number, opens
from jmapcore.protocol.dispatch import checked_arguments
from jmapcore.protocol.errors import MethodError
from jmapcore.protocol.registry import Arrivals
from jmapcore.protocol.schema import GET, ObjectType
from jmapcore.registry import registry
from jmapcore.standard.get import requested_properties
from jmapcore.store.database import Connection
from jmapcore.store.query import Query, parse_filter
from jmapcore.store.reading import Reading

EMAIL_PUSH = "urn:ietf:params:jmap:emailpush"

Config = Mapping[str, Any]
"""An EmailPushConfig with all of its members."""


class UnsuitableConfigError(Exception):
    """An EmailPushConfig that names no account of the caller's, or asks for what Email/query and Email/get do not have."""


def arrivals() -> Arrivals | None:
    """The type of objects that arrive here, if any does."""
    return registry.arrivals[0] if registry.arrivals else None


def is_available(access: AccountAccess) -> bool:
    """Whether an account has objects that arrive."""
    found = arrivals()
    return found is not None and registry.capabilities[registry.types[found.type_name].capability].available(
        access
    )


def access_of(caller: Caller, account_id: str) -> AccountAccess | None:
    """The account of a configuration, where the caller has the capability in it."""
    capability = registry.capabilities[EMAIL_PUSH]
    number = account_number(account_id)
    for access in caller.accounts:
        if access.account_id == number and opens(capability, caller) and capability.available(access):
            return access
    return None


def check_configs(connection: Connection, caller: Caller, configs: Mapping[str, Config]) -> None:
    """Raise `UnsuitableConfigError` for configurations that could not be followed: they are tried on no Email at all."""
    for account_id, config in configs.items():
        access = access_of(caller, account_id)
        if access is None:
            raise UnsuitableConfigError(account_id)
        try:
            select(Reading(connection, access), config, [])
            records(Reading(connection, access), config, [])
        except MethodError as error:
            raise UnsuitableConfigError(error.reason) from error


def select(reading: Reading, config: Config, numbers: Sequence[int]) -> list[int]:
    """Which of these Emails the filter lets through. Raises `MethodError` for a filter that is none."""
    declared = _declared()
    query = Query(declared, parse_filter(declared, config["filter"], lambda text: text), ())
    found: list[int] = declared.storage.matching(reading, query, numbers)
    return found


def records(reading: Reading, config: Config, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The properties that a configuration asks for of these Emails, in its order. Raises `MethodError`."""
    declared = _declared()
    asked = list(dict.fromkeys(config["properties"]))
    properties = requested_properties(declared, asked)
    arguments = checked_arguments({}, declared.arguments.get(GET, {}))
    fetched = declared.storage.fetch(reading, list(numbers), properties, arguments, len(numbers) + 1)
    decoded = {number: orjson.loads(orjson.dumps(record)) for number, record in fetched.records.items()}
    # "Each object has the properties […] that were requested": the id too is there only then.
    return {
        number: {name: record[name] for name in asked if name in record} for number, record in decoded.items()
    }


def _declared() -> ObjectType:
    found = arrivals()
    assert found is not None
    return registry.types[found.type_name]
