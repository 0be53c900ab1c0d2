"""PushSubscription (RFC 8620 §7.2): a type of no account and no state, whose records belong to one credential."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from accounts.access import AccountAccess
from accounts.lasting import lasting
from jmapcore.protocol.errors import Forbidden, InvalidProperties, OverQuota, RateLimit, SetError
from jmapcore.protocol.registry import CORE
from jmapcore.protocol.schema import GET, SET, ObjectType, Property, SetBy
from jmapcore.protocol.wire import (
    Id,
    ListOf,
    Nullable,
    String,
    UTCDate,
    format_utc,
    object_id,
    parse_date,
)
from jmapcore.store.plan import PlannedCreate, PlannedUpdate, Record, SetPlan
from jmapcore.store.prepared import Statement
from jmapcore.store.reading import Reading
from jmapcore.store.storage import Fetched, Storage
from push.subscriptions.addresses import refuse_unreachable
from push.subscriptions.changing import MOST_IN_AN_HOUR, MOST_OF_A_USER, SubscriptionsWrite, changing
from push.subscriptions.store import Endpoint, Subscription, subscriptions_of
from push.subscriptions.types.email_push import UnsuitableConfigError, check_configs
from push.subscriptions.types.objects import SUBSCRIPTION_LETTER
from push.subscriptions.types.wire import EmailPushConfigs, PushKeys, PushUrl

if TYPE_CHECKING:
    from jmapcore.context import RequestContext
    from jmapcore.store.write import AccountWrite

LONGEST = timedelta(days=7)
"""Of a credential without an end: "SHOULD be at least 7 days in the future" (RFC 8620 §7.2)."""

SECRET_PROPERTIES = frozenset({"url", "keys"})

MOST_TYPES = 200


class PushSubscriptionStorage(Storage):
    """Subscriptions of the credential that asks, and of no other."""

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """The subscriptions of the caller's credential. Raises `Forbidden` where the URL or the keys are asked for.

        "If one of them is explicitly requested, the method call MUST be rejected with a "forbidden" error" (RFC 8620 §7.2.1).
        """
        if SECRET_PROPERTIES & set(properties):
            raise Forbidden("url and keys are never shown")
        caller = reading.caller
        assert caller is not None
        owner = lasting(reading.connection, caller.credential)
        found = {
            each.number: _record(each)
            for each in subscriptions_of(reading.connection, caller.user_id, owner.name)
            if ids is None or each.number in ids
        }
        return Fetched(
            {number: {name: record[name] for name in properties} for number, record in found.items()}
        )

    def prepare(
        self, context: RequestContext, access: AccountAccess, creates: Mapping[str, Record]
    ) -> tuple[dict[str, Any], dict[str, SetError]]:
        """Refuse URLs that lead to addresses that are not public; nothing of the database is locked meanwhile."""
        urls = {key: record.get("url") for key, record in creates.items()}
        unreachable = refuse_unreachable(context.connection, access.user_id, urls)
        return {}, {key: InvalidProperties(["url"]) for key in unreachable}

    @contextmanager
    def writing(
        self, context: RequestContext, access: AccountAccess, prelude: Sequence[Statement] = ()
    ) -> Iterator[AccountWrite]:
        """The block in which the caller's subscriptions are written."""
        with changing(context) as write:
            # What the engine asks of a write it finds here: connection and new_ids. A type without a state needs no more.
            yield cast("AccountWrite", write)

    def load(
        self, write: AccountWrite, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> dict[int, Record]:
        """These of the credential's subscriptions, with URL and keys, which a client may repeat in an update."""
        own = cast("SubscriptionsWrite", write).own
        return {number: {**_record(own[number]), **_secrets(own[number])} for number in ids if number in own}

    def apply(self, plan: SetPlan) -> None:
        """Write what the plan says."""
        write = cast("SubscriptionsWrite", plan.write)
        for create in plan.creates.values():
            record = create.record
            write.add(
                create.id,
                Endpoint(record["url"], record["keys"]),
                record["deviceClientId"],
                record["types"],
                record["emailPush"],
                None if record["expires"] is None else parse_date(record["expires"]),
            )
        for update in plan.updates.values():
            if update.id in write.own and update.changed:
                record = {**update.old, **update.new}
                write.change(
                    update.id,
                    record["types"],
                    record["emailPush"],
                    None if record["expires"] is None else parse_date(record["expires"]),
                    is_verified=record["verificationCode"] is not None,
                    # What was given is pushed at once where it was waited for, and looked at where more is asked for.
                    is_due=not update.changed.isdisjoint({"verificationCode", "types", "emailPush"}),
                )
        write.delete(plan.destroys)


def _record(subscription: Subscription) -> Record:
    """What /get shows. The code is there once the client has given it: it is what proves that the push arrived."""
    expires = subscription.expires_at
    return {
        "id": object_id(SUBSCRIPTION_LETTER, subscription.number),
        "deviceClientId": subscription.device_client_id,
        "verificationCode": subscription.code if subscription.is_verified else None,
        "expires": None if expires is None else format_utc(expires),
        "types": subscription.types,
        "emailPush": subscription.email_push,
    }


def _secrets(subscription: Subscription) -> Record:
    endpoint = subscription.endpoint()
    return {"url": endpoint and endpoint.url, "keys": endpoint and endpoint.keys}


def check_subscriptions(plan: SetPlan) -> None:
    """Refuse what cannot be, and bound how long subscriptions live and how many there are."""
    write = cast("SubscriptionsWrite", plan.write)
    for create in [*plan.creates.values(), *plan.passing]:
        _check_create(plan, write, create)
    for update in list(plan.updates.values()):
        _check_update(plan, write, update)
    fresh = [create for create in plan.creates.values() if create.record["verificationCode"] is None]
    stay = write.count_of_user - sum(1 for number in plan.destroys if number in write.own)
    for place, create in enumerate(fresh):
        # "The server MUST limit the number of push subscriptions any one user may have" (RFC 8620 §8.6).
        if stay + place >= MOST_OF_A_USER:
            plan.fail(create, OverQuota())
        # "The rate of creation MUST also be limited" (as above).
        elif write.created_lately + len(plan.passing) + place >= MOST_IN_AN_HOUR:
            plan.fail(create, RateLimit())


def _check_create(plan: SetPlan, write: SubscriptionsWrite, create: PlannedCreate) -> None:
    record = create.record
    # "This MUST be null (or omitted) when the subscription is created."
    invalid = ["verificationCode"] if record["verificationCode"] is not None else []
    invalid += _unsuitable(write, record["emailPush"])
    try:
        record["expires"] = _bounded(write, record["expires"])
    except ValueError:
        invalid.append("expires")
    if invalid:
        plan.fail(create, InvalidProperties(invalid))


def _check_update(plan: SetPlan, write: SubscriptionsWrite, update: PlannedUpdate) -> None:
    invalid = []
    if update.id not in write.own:
        # Of what the same call creates: the code is not known to anybody yet.
        if any(
            create.id == update.id and create.record["verificationCode"] for create in plan.creates.values()
        ):
            plan.fail_update(update.id, InvalidProperties(["verificationCode"]))
        return
    if "verificationCode" in update.changed:
        given = update.new["verificationCode"] or ""
        # "Attempts to update the subscription with an invalid verification code MUST be rejected by the server with an
        # "invalidProperties" SetError" (RFC 8620 §7.2.2).
        if not hmac.compare_digest(given.encode(), write.own[update.id].code.encode()):
            invalid.append("verificationCode")
    if "emailPush" in update.changed:
        invalid += _unsuitable(write, update.new["emailPush"])
    if "expires" in update.new:
        try:
            bounded = _bounded(write, update.new["expires"])
        except ValueError:
            invalid.append("expires")
        else:
            if bounded != update.new["expires"]:
                update.reported["expires"] = update.new["expires"] = bounded
    if invalid:
        plan.fail(update, InvalidProperties(invalid))


def _unsuitable(write: SubscriptionsWrite, configs: Mapping[str, Any] | None) -> list[str]:
    """["emailPush"] where that cannot be followed."""
    try:
        check_configs(write.connection, write.caller, configs or {})
    except UnsuitableConfigError:
        return ["emailPush"]
    return []


def _bounded(write: SubscriptionsWrite, expires: str | None) -> str | None:
    """When a subscription expires that is to expire then. Raises `ValueError` for a moment that is over.

    "When these credentials are not time bounded […], the server SHOULD set an expiry time for the push subscription if none is
    given and limit the expiry time if set too far in the future"; otherwise it "SHOULD NOT set or bound" it (RFC 8620 §7.2).
    """
    asked = None if expires is None else parse_date(expires)
    if asked is not None and asked <= write.now:
        raise ValueError("a moment that is over")
    latest = write.now + LONGEST
    if write.owner.has_end or (asked is not None and asked <= latest):
        return expires
    return format_utc(latest)


PUSH_SUBSCRIPTION = ObjectType(
    name="PushSubscription",
    capability=CORE,
    letter=SUBSCRIPTION_LETTER,
    methods=frozenset({GET, SET}),
    storage=PushSubscriptionStorage(),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "deviceClientId": Property(String(1_000, 1), set_by=SetBy.CREATE),
        "url": Property(PushUrl(), set_by=SetBy.CREATE, in_get=False),
        "keys": Property(Nullable(PushKeys()), None, set_by=SetBy.CREATE, in_get=False),
        "verificationCode": Property(Nullable(String(1_000)), None),
        "expires": Property(Nullable(UTCDate()), None),
        "types": Property(Nullable(ListOf(String(255, 1), MOST_TYPES)), None),
        "emailPush": Property(Nullable(EmailPushConfigs()), None),
    },
    check_set=check_subscriptions,
    has_account=False,
    has_state=False,
)
