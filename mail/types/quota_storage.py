"""Where Quotas come from: the account's own from its counters, those of sums from what was copied into the account.

They are there for clients that know the type they limit, Email. Sums are shown in an administrator's own account, to the
administrator alone, whoever else may read the account (RFC 9425 §8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jmapcore.quotas import SHARED
from jmapcore.store.database import Row, Statement
from jmapcore.store.plan import Record
from jmapcore.store.query import Query, matches, sorted_records
from jmapcore.store.reading import Reading
from jmapcore.store.storage import Fetched, Storage
from jmapcore.store.usage import OBJECTS, OCTETS
from mail.types.capability import MAIL

OWN = """
    SELECT used_octets, octets_limit, octets_soft, octets_warn, used_objects, objects_limit, objects_soft, objects_warn
    FROM account_state WHERE account_id = %s"""
EVERYTHING = "all accounts"
"""The name of what everything may hold together, which has none of its own."""

_SCOPES = {"domain": "domain", "tenant": "domain", "server": "global"}
_OF = {
    "account": "of this account",
    "domain": "of all accounts in the domain {name}",
    "tenant": "of all accounts of {name}, in whichever of its domains",
    "server": "of all accounts of this service",
}
_WHAT = {"octets": "The size of all messages", "count": "The number of messages"}


def _everything_hidden(number: int) -> bool:
    return True


def _shared(number: int) -> bool:
    return number > OBJECTS


class QuotaStorage(Storage):
    """The Quotas that a caller may see; never written by clients."""

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """These Quotas, or all."""
        found = _quotas(reading)
        wanted = found if ids is None else [number for number in ids if number in found]
        return Fetched({number: {name: found[number][name] for name in properties} for number in wanted})

    def results(self, reading: Reading, query: Query) -> list[int]:
        """An account has few: all are judged."""
        records = [{**record, "": number} for number, record in _quotas(reading).items()]
        found = [record for record in records if matches(query.filter, record)]
        return [record[""] for record in sorted_records(found, query.sort)]

    def hidden(self, reading: Reading) -> Callable[[int], bool] | None:
        """Everything from clients that do not know Emails, sums from those who are guests in the account."""
        if MAIL not in reading.using:
            return _everything_hidden
        return None if reading.access.is_personal else _shared


def _quotas(reading: Reading) -> dict[int, Record]:
    """What the caller may see, by number, in ascending order."""
    if MAIL not in reading.using:
        # "the server MUST NOT return Quota objects for which there are no types recognised by the client" (RFC 9425 §4.1)
        return {}
    own: Statement = (OWN, (reading.account_id,))
    sums: list[Statement] = [(SHARED, (reading.account_id,))] if reading.access.is_personal else []
    [row], *shared = reading.run(own, *sums)
    name = reading.access.name
    found = {
        number: _record(number, "account", resource, (name, *values))
        for number, resource, values in ((OCTETS, "octets", row[:4]), (OBJECTS, "count", row[4:]))
        if values[1] is not None
    }
    for rows in shared:
        found |= {
            number: _record(number, scope, resource, values) for scope, _, resource, number, *values in rows
        }
    return dict(sorted(found.items()))


def _record(number: int, scope: str, resource: str, values: Sequence[Any] | Row) -> Record:
    name, used, hard, soft, warn = values
    name = name or EVERYTHING
    return {
        "id": f"q{number}",
        "resourceType": resource,
        "used": max(0, used),
        "hardLimit": hard,
        "scope": _SCOPES.get(scope, scope),
        "name": name,
        "types": ["Email"],
        "warnLimit": warn,
        "softLimit": soft,
        "description": _description(scope, resource, name, soft is not None),
    }


def _description(scope: str, resource: str, name: str, has_soft_limit: bool) -> str:
    text = f"{_WHAT[resource]} {_OF[scope].format(name=name)}."
    if has_soft_limit:
        text += " From the soft limit on, users can add nothing while mail still comes in; at the hard limit nothing is taken."
    return text
