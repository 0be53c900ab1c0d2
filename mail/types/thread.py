"""The type Thread (RFC 8621 §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from jmapcore.protocol.schema import CHANGES, GET, ObjectType, Property, SetBy
from jmapcore.protocol.wire import Id, ListOf
from jmapcore.store.reading import Reading
from jmapcore.store.storage import Fetched, Storage
from mail.types.capability import MAIL

ALL = "SELECT id, email_ids_json FROM thread WHERE account_id = %s ORDER BY id LIMIT %s"
SOME = "SELECT id, email_ids_json FROM thread WHERE account_id = %s AND id = ANY(%b::int[])"


class ThreadStorage(Storage):
    """The table `thread`, whose rows carry the answer."""

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """These Threads, or all."""
        account_id = reading.account_id
        statement = (ALL, (account_id, limit)) if ids is None else (SOME, (account_id, list(ids)))
        (rows,) = reading.run(statement)
        form = '{"id":"t%d","emailIds":%s}' if "emailIds" in properties else '{"id":"t%d"}%.0s'
        return Fetched({row[0]: orjson.Fragment(form % row) for row in rows})


THREAD = ObjectType(
    name="Thread",
    capability=MAIL,
    letter="t",
    methods=frozenset({GET, CHANGES}),
    storage=ThreadStorage(),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "emailIds": Property(ListOf(Id(to="Email")), set_by=SetBy.SERVER),
    },
)
