"""What there is to tell a subscription: the states that have changed since it was told last, and what has arrived."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.access import AccountAccess, Caller
from jmapcore.protocol.errors import MethodError
from jmapcore.store.database import Connection, read
from jmapcore.store.reading import Reading
from jmapcore.store.states import TypeMark, marks, states_statement
from push.subscriptions.message_encryption import to_base64url
from push.subscriptions.store import Claimed, Progress, Subscription
from push.subscriptions.types import email_push
from push.subscriptions.types.objects import email_pushes, state_changes, verification
from push.visibility import visible_types

logger = logging.getLogger("push.subscriptions")

STATE_CHANGE_SECONDS = 7 * 86_400
EMAIL_PUSH_SECONDS = 86_400
VERIFICATION_SECONDS = 86_400
"""How long the push service may keep a message for a device that is away (TTL, RFC 8030 §5.2)."""

MOST_ARRIVALS = 50
"""Of one account in one go: after a long silence the older ones are no news."""

NEWEST = "SELECT modseq, epoch FROM account_state WHERE account_id = %s"
ARRIVED = """
    SELECT object, modseq FROM change_log
    WHERE account_id = %s AND type = %s AND modseq > %s AND modseq <= %s AND object > 0 ORDER BY modseq DESC LIMIT %s"""


@dataclass(frozen=True, slots=True)
class Message:
    """One push: its plaintext, what the push service is told of it, and what the client knows once it is delivered."""

    body: bytes
    ttl: int
    urgency: str
    topic: str | None = None
    """A message that the push service still holds is replaced by a newer one of the same topic (RFC 8030 §5.4)."""
    sent: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    arrived: Mapping[int, int] = field(default_factory=dict)
    is_verification: bool = False


@dataclass(slots=True)
class Pending:
    """The messages that are due, and what is noted when all of them are delivered."""

    messages: list[Message]
    done: Progress

    def progress(self, claimed: Claimed, delivered: Iterable[Message]) -> Progress:
        """What is noted where only these of the messages are delivered: what the others tell of stays as it was."""
        sent = {account: dict(states) for account, states in self.done.sent.items()}
        arrived = dict(self.done.arrived)
        known = {id(message) for message in delivered}
        # The undelivered ones first: of one account several pushes may tell, in order.
        for message in self.messages:
            if id(message) not in known:
                for account_id, states in message.sent.items():
                    before = claimed.sent.get(str(account_id), {})
                    for type_name in states:
                        sent[str(account_id)][type_name] = before.get(type_name, "")
                for account_id in message.arrived:
                    arrived[str(account_id)] = claimed.arrived.get(str(account_id), 0)
        for message in self.messages:
            if id(message) in known:
                for account_id, modseq in message.arrived.items():
                    arrived[str(account_id)] = max(arrived[str(account_id)], modseq)
        return Progress(sent, self.done.seen, arrived)


def pending(connection: Connection, claimed: Claimed, caller: Caller) -> Pending:
    """What a subscription waits for. Before it is verified that is the code, and nothing else ever."""
    accounts = {access.account_id: _Account(connection, caller, access) for access in caller.accounts}
    done = Progress(
        sent={str(number): account.states for number, account in accounts.items()},
        seen={str(number): account.newest for number, account in accounts.items()},
        arrived={str(number): account.arrived_up_to for number, account in accounts.items()},
    )
    subscription = claimed.subscription
    if not subscription.is_verified:
        if subscription.is_code_sent:
            return Pending([], Progress(claimed.sent, {}, claimed.arrived))
        # From here on what changes is noticed, and told of once the code is echoed.
        return Pending([_verification(subscription)], done)
    messages = _state_changes(claimed, accounts)
    if subscription.email_push:
        for account_id, config in subscription.email_push.items():
            access = email_push.access_of(caller, account_id)
            if access is not None:
                messages += _email_pushes(connection, claimed, accounts[access.account_id], config)
    return Pending(messages, done)


class _Account:
    """Where an account stands, for a caller: the numbers are those of before anything else is read of it."""

    def __init__(self, connection: Connection, caller: Caller, access: AccountAccess) -> None:
        self.access = access
        account_id = access.account_id
        newest, types = read(connection, account_id, (NEWEST, (account_id,)), states_statement(account_id))
        epoch, self.marks = marks(types)
        self.newest = f"{newest[0][1]}-{newest[0][0]}" if newest else ""
        visible = visible_types(caller, access)
        self.states = {name: mark.state for name, mark in self.marks.items() if name in visible}
        arrivals = email_push.arrivals()
        delivery = self.marks.get(arrivals.delivery_type) if arrivals is not None else None
        self.arrived_up_to = delivery.modseq if delivery is not None else 0
        self.epoch = epoch


def _verification(subscription: Subscription) -> Message:
    body = verification(subscription.number, subscription.code)
    return Message(body, VERIFICATION_SECONDS, "high", is_verification=True)


def _state_changes(claimed: Claimed, accounts: Mapping[int, _Account]) -> list[Message]:
    """StateChange objects of what has changed "since the last StateChange object was pushed" (RFC 8620 §7.1)."""
    wanted = claimed.subscription.types
    changed: dict[int, dict[str, str]] = {}
    has_arrival = False
    arrivals = email_push.arrivals()
    for account_id, account in accounts.items():
        before = claimed.sent.get(str(account_id), {})
        moved = {name: state for name, state in account.states.items() if before.get(name) != state}
        has_arrival |= arrivals is not None and arrivals.delivery_type in moved
        # "Other types are omitted from the TypeState object."
        told = {name: state for name, state in moved.items() if wanted is None or name in wanted}
        if told:
            changed[account_id] = told
    return [
        Message(
            body,
            STATE_CHANGE_SECONDS,
            # What the user does on one device need not wake the others.
            "normal" if has_arrival else "low",
            _topic(claimed.subscription, part),
            sent=part,
        )
        for part, body in state_changes(changed)
    ]


def _topic(subscription: Subscription, part: Mapping[int, Mapping[str, str]]) -> str:
    """Of the same states the newest message says all that the older one did; 32 characters that say nothing (RFC 8030 §5.4)."""
    names = sorted(f"{account_id}/{name}" for account_id, states in part.items() for name in states)
    text = "\n".join([subscription.code, *names])
    return to_base64url(hashlib.sha256(text.encode()).digest())[:32]


def _email_pushes(
    connection: Connection, claimed: Claimed, account: _Account, config: email_push.Config
) -> list[Message]:
    """EmailPush objects of what has arrived in an account since it was told of last, and gets through the filter."""
    arrivals = email_push.arrivals()
    account_id = account.access.account_id
    since = claimed.arrived.get(str(account_id))
    until = account.arrived_up_to
    if arrivals is None or since is None or since >= until:
        return []
    log = (ARRIVED, (account_id, arrivals.delivery_type, since, until, MOST_ARRIVALS))
    [rows] = read(connection, account_id, log)
    positions: dict[int, int] = dict(reversed(rows))
    reading = Reading(connection, account.access)
    try:
        chosen = set(email_push.select(reading, config, list(positions)))
        # "The state string for the Email data type": of before the records are read.
        records = email_push.records(reading, config, [each for each in positions if each in chosen])
    except MethodError as error:
        # What was accepted may be refused later, where a search would take too long.
        logger.warning("subscription %d: no EmailPush: %s", claimed.subscription.id, error.type)
        return []
    state = account.marks.get(arrivals.type_name) or TypeMark(account.epoch, 0, 0)
    emails: list[tuple[int, Mapping[str, Any]]] = [
        (modseq, records[number]) for number, modseq in positions.items() if number in records
    ]
    return [
        Message(body, EMAIL_PUSH_SECONDS, str(config["urgency"]), arrived={account_id: modseq})
        for modseq, body in email_pushes(account_id, state.state, emails)
    ]
