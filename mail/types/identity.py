"""The type Identity (RFC 8621 §6), to be read: an identity for the owner's address, and one for each alias.

Mail clients ask for the identities as they connect, also where nothing is ever sent, and some give up without an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from accounts.access import MAIL_SCOPE
from jmapcore.protocol.registry import Capability
from jmapcore.protocol.schema import GET, ObjectType, Property, SetBy
from jmapcore.protocol.wire import Anything, Boolean, Id, ListOf, Nullable, String
from jmapcore.store.reading import Reading
from jmapcore.store.storage import Fetched, Storage
from mail.types.capability import MAIL

SUBMISSION = "urn:ietf:params:jmap:submission"

# The owner's address is number 1; an alias has the number of its way to the account, after that.
IDENTITIES = """
SELECT 1, person.name, account.name
FROM accounts_account account JOIN accounts_user person ON person.id = account.owner_id
WHERE account.id = %s
UNION ALL
SELECT target.id + 1, person.name, alias.address
FROM accounts_aliastarget target JOIN accounts_alias alias ON alias.id = target.alias_id
JOIN accounts_account account ON account.id = target.account_id
JOIN accounts_user person ON person.id = account.owner_id
WHERE target.account_id = %s
ORDER BY 1
"""


class IdentityStorage(Storage):
    """The addresses of an account; nothing is stored, so that the state is a digest of all of them."""

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """These identities, or all."""
        (rows,) = reading.run((IDENTITIES, (reading.account_id, reading.account_id)))
        records = {number: identity(number, name, email) for number, name, email in rows}
        state = hashlib.sha256(orjson.dumps(list(records.values()))).hexdigest()[:16]
        wanted = list(records)[:limit] if ids is None else [number for number in ids if number in records]
        return Fetched(
            {number: {name: records[number][name] for name in properties} for number in wanted},
            {"state": state},
        )


def identity(number: int, name: str, email: str) -> dict[str, Any]:
    """An Identity as on the wire, with every property (RFC 8621 §6)."""
    return {
        "id": f"i{number}",
        "name": name,
        "email": email,
        "replyTo": None,
        "bcc": None,
        "textSignature": "",
        "htmlSignature": "",
        "mayDelete": False,
    }


CAPABILITY = Capability(
    SUBMISSION,
    scope=MAIL_SCOPE,
    available=lambda access: access.may_send,
    opened_by=frozenset({MAIL}),
    advertised=False,
)

IDENTITY = ObjectType(
    name="Identity",
    capability=SUBMISSION,
    letter="i",
    methods=frozenset({GET}),
    storage=IdentityStorage(),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "name": Property(String(), set_by=SetBy.SERVER),
        "email": Property(String(), set_by=SetBy.SERVER),
        "replyTo": Property(Nullable(ListOf(Anything())), set_by=SetBy.SERVER),
        "bcc": Property(Nullable(ListOf(Anything())), set_by=SetBy.SERVER),
        "textSignature": Property(String(), set_by=SetBy.SERVER),
        "htmlSignature": Property(String(), set_by=SetBy.SERVER),
        "mayDelete": Property(Boolean(), set_by=SetBy.SERVER),
    },
)
