"""The objects that are pushed (RFC 8620 §7.1, §7.2.2, the EmailPush draft), as JSON, none larger than a push may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from jmapcore.context import account_wire_id
from jmapcore.protocol.wire import object_id
from push.subscriptions.message_encryption import MOST_PLAINTEXT_OCTETS

SUBSCRIPTION_LETTER = "p"

States = Mapping[int, Mapping[str, str]]
"""State strings by account and type."""


def verification(number: int, code: str) -> bytes:
    """A PushVerification object (RFC 8620 §7.2.2)."""
    return orjson.dumps(
        {
            "@type": "PushVerification",
            "pushSubscriptionId": object_id(SUBSCRIPTION_LETTER, number),
            "verificationCode": code,
        }
    )


def state_changes(changed: States, most: int = MOST_PLAINTEXT_OCTETS) -> Iterator[tuple[States, bytes]]:
    """StateChange objects (RFC 8620 §7.1) that together tell of these states, each with those that it tells of."""
    part: dict[int, dict[str, str]] = {}
    for account_id, states in changed.items():
        for type_name, state in states.items():
            grown = {**part, account_id: {**part.get(account_id, {}), type_name: state}}
            if part and len(_state_change(grown)) > most:
                yield part, _state_change(part)
                grown = {account_id: {type_name: state}}
            part = grown
    if part:
        yield part, _state_change(part)


def _state_change(changed: States) -> bytes:
    named = {account_wire_id(account_id): states for account_id, states in changed.items()}
    return orjson.dumps({"@type": "StateChange", "changed": named})


def email_pushes(
    account_id: int,
    state: str,
    emails: Sequence[tuple[int, Mapping[str, Any]]],
    most: int = MOST_PLAINTEXT_OCTETS,
) -> Iterator[tuple[int, bytes]]:
    """EmailPush objects with these Emails, several in one where they fit, each with the key of the last Email in it.

    "Properties MUST be added to this object in the order defined in the properties array […]. If adding a property would exceed
    the size limit for the push channel, the property MUST be omitted."
    """

    def encoded(these: Sequence[Mapping[str, Any]]) -> bytes:
        return orjson.dumps(
            {
                "@type": "EmailPush",
                "accountId": account_wire_id(account_id),
                "emails": these,
                "state": state,
            }
        )

    room = most - len(encoded([]))
    batch: list[Mapping[str, Any]] = []
    used = last = 0
    for key, email in emails:
        fitted, size = _fitted(email, room)
        if batch and used + 1 + size > room:
            yield last, encoded(batch)
            batch, used = [], 0
        used += size + (1 if batch else 0)
        batch.append(fitted)
        last = key
    if batch:
        yield last, encoded(batch)


def _fitted(email: Mapping[str, Any], room: int) -> tuple[Mapping[str, Any], int]:
    """Those properties of an Email, in their order, that go into so many octets, and how many these are."""
    fitted: dict[str, Any] = {}
    size = 2
    for name, value in email.items():
        needed = len(orjson.dumps({name: value})) - 2 + (1 if fitted else 0)
        if size + needed <= room:
            fitted[name] = value
            size += needed
    return fitted, size
