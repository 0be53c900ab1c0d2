"""Writing the subscriptions of a credential: one user's at a time, in a transaction of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from psycopg.pq import TransactionStatus

from accounts.access import Caller
from accounts.lasting import Lasting, lasting
from jmapcore.protocol.wire import MAX_OBJECT_ID
from jmapcore.store.database import Connection, run
from jmapcore.store.prepared import Statement
from push.subscriptions import notices, store
from push.subscriptions.store import Endpoint, Subscription
from push.subscriptions.vapid_keys import current_key

if TYPE_CHECKING:
    from jmapcore.context import RequestContext

MOST_OF_A_USER = 15
MOST_IN_AN_HOUR = 10

CODE_OCTETS = 24
""""This MUST contain sufficient entropy to avoid the client being able to guess the code via brute force" (RFC 8620 §7.2.2)."""

LOCK = "SELECT now() FROM accounts_user WHERE id = %s FOR NO KEY UPDATE"
NUMBERS = "SELECT s.number FROM push_subscription AS s WHERE s.user_id = %s"
DELETE_EXPIRED = "DELETE FROM push_subscription WHERE user_id = %s AND expires_at <= now()"
CREATED_LATELY = """
    SELECT count(*) FROM push_creation WHERE user_id = %s AND created_at > now() - interval '1 hour'"""
NOTE_CREATIONS = "INSERT INTO push_creation (user_id) SELECT %s FROM generate_series(1, %s)"


class SubscriptionsWrite:
    """An open write of one user's subscriptions; made by `changing` alone."""

    def __init__(
        self,
        connection: Connection,
        caller: Caller,
        owner: Lasting,
        now: datetime,
        numbers: Iterable[int],
        own: Iterable[Subscription],
        created_lately: int,
    ) -> None:
        self.connection = connection
        self.caller = caller
        self.owner = owner
        self.now = now
        self.own = {each.number: each for each in own}
        """The subscriptions of the credential, by number."""
        self.created_lately = created_lately
        self._numbers = set(numbers)
        self.count_of_user = len(self._numbers)
        self.statements: list[Statement] = []
        self.is_due = False
        """Somebody has to push something."""

    def new_ids(self, count: int) -> list[int]:
        """Numbers that no subscription of the user has: random, so that they tell nothing."""
        made: list[int] = []
        while len(made) < count:
            number = secrets.randbelow(MAX_OBJECT_ID) + 1
            if number not in self._numbers:
                self._numbers.add(number)
                made.append(number)
        return made

    def add(
        self,
        number: int,
        endpoint: Endpoint,
        device_client_id: str,
        types: list[str] | None,
        email_push: dict[str, Any] | None,
        expires_at: datetime | None,
    ) -> None:
        """Add a subscription; the push with its code is due at once."""
        parameters = (
            self.caller.user_id,
            number,
            self.owner.name,
            endpoint.sealed(),
            device_client_id,
            _json(types),
            _json(email_push),
            expires_at,
            current_key().number,
            secrets.token_urlsafe(CODE_OCTETS),
        )
        self.statements += [(store.INSERT, parameters), (NOTE_CREATIONS, (self.caller.user_id, 1))]
        self.is_due = True

    def change(
        self,
        number: int,
        types: list[str] | None,
        email_push: dict[str, Any] | None,
        expires_at: datetime | None,
        *,
        is_verified: bool,
        is_due: bool,
    ) -> None:
        """Change a subscription of the credential; `is_due` has it looked at soon."""
        due = is_due and is_verified
        parameters = (
            _json(types),
            _json(email_push),
            expires_at,
            is_verified,
            due,
            self.caller.user_id,
            number,
        )
        self.statements.append((store.UPDATE, parameters))
        self.is_due |= due

    def delete(self, numbers: Iterable[int]) -> None:
        """Delete subscriptions, and with them their URLs and keys."""
        if found := [number for number in numbers if number in self.own]:
            self.statements.append((store.DELETE, (self.caller.user_id, found)))


@contextmanager
def changing(context: RequestContext) -> Iterator[SubscriptionsWrite]:
    """Open the write of the caller's subscriptions: no other one of the same user is open meanwhile. Commits at the end."""
    connection, caller = context.connection, context.caller
    owner = lasting(connection, caller.credential)
    user = (caller.user_id,)
    # Made before, where there is none yet: that is a write of its own.
    current_key()
    try:
        results = run(
            connection,
            ("BEGIN", ()),
            (LOCK, user),
            (DELETE_EXPIRED, user),
            (NUMBERS, user),
            (store.OF_USER, (caller.user_id, owner.name)),
            (CREATED_LATELY, user),
        )
        _, locked, _, numbers, own, lately = [result.fetchall() for result in results]
        write = SubscriptionsWrite(
            connection,
            caller,
            owner,
            locked[0][0] if locked else datetime.now(UTC),
            [row[0] for row in numbers],
            map(store.subscription, own),
            lately[0][0],
        )
        yield write
        run(connection, *write.statements, ("COMMIT", ()))
    except BaseException:
        if connection.info.transaction_status != TransactionStatus.IDLE:
            connection.rollback()
        raise
    if write.is_due:
        notices.wake()


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
