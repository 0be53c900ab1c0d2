"""Wire types of a PushSubscription's properties."""

from __future__ import annotations

from typing import Any

import orjson

from jmapcore.fetching import FetchError, checked_url
from jmapcore.protocol.wire import (
    Anything,
    Id,
    ListOf,
    MapOf,
    Nullable,
    ObjectOf,
    String,
    WireError,
    WireType,
)
from push.subscriptions.message_encryption import parse_keys

URGENCIES = ("very-low", "low", "normal", "high")
"""RFC 8030 §5.3."""

MOST_CONFIG_OCTETS = 65_536
MOST_CONFIGS = 100
MOST_PROPERTIES = 200


class PushUrl(WireType):
    """An absolute https URL; "This MUST begin with "https://"" (RFC 8620 §7.2)."""

    def check(self, value: Any) -> Any:
        """The URL as it came."""
        if type(value) is not str:
            raise WireError("a URL is due")
        try:
            checked_url(value)
        except FetchError as error:
            raise WireError(error.reason) from None
        return value


class PushKeys(WireType):
    """The keys of RFC 8291: a point of P-256 and a secret."""

    _members = ObjectOf({"p256dh": String(200), "auth": String(200)}, ["p256dh", "auth"])

    def check(self, value: Any) -> Any:
        """The keys as they came."""
        keys = self._members.check(value)
        try:
            parse_keys(keys["p256dh"], keys["auth"])
        except ValueError as error:
            raise WireError(str(error)) from None
        return keys


class EmailPushConfigs(WireType):
    """Id[EmailPushConfig]; what the filter and the properties say is judged with the accounts at hand."""

    _configs = MapOf(
        Id(),
        ObjectOf(
            {
                "filter": Nullable(Anything()),
                "properties": ListOf(String(1_000), MOST_PROPERTIES),
                "urgency": String(choices=frozenset(URGENCIES)),
            },
            ["properties"],
        ),
    )

    def check(self, value: Any) -> Any:
        """The configurations with every member."""
        configs = self._configs.check(value)
        if len(configs) > MOST_CONFIGS or len(orjson.dumps(configs)) > MOST_CONFIG_OCTETS:
            raise WireError("that is too much")
        return {
            account_id: {
                "filter": config.get("filter"),
                "properties": config["properties"],
                "urgency": config.get("urgency", "normal"),
            }
            for account_id, config in configs.items()
        }
