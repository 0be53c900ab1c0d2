"""What may be submitted, and what may be undone: the checks of EmailSubmission/set (RFC 8621 §7.5), under the account's lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from accounts.addresses import normalise_address
from jmapcore.protocol.errors import ForbiddenSet, InvalidProperties, RateLimit, SetError, TooLarge
from jmapcore.protocol.wire import object_number
from jmapcore.store.plan import PlannedCreate, Record, SetPlan
from mail.message.originators import Originators
from mail.outbound.rates import allow
from mail.sending import is_mailbox, own_addresses
from mail.submissions import CANCELED, hold_back
from mail.types.envelope import Envelope, checked_envelope, envelope_of, release
from mail.types.errors import CannotUnsend, ForbiddenFrom, InvalidEmail

PENDING, FINAL, CANCELLED = "pending", "final", "canceled"
UNDO_STATUSES = frozenset({PENDING, FINAL, CANCELLED})

IDENTITIES = "SELECT id, email FROM identity WHERE account_id = %s AND id = ANY(%s::int[])"

HELD_BACK, ACCEPTED = object(), object()
"""Keys of `AccountWrite.kept`: blobs of the submissions that can be cancelled, and `Accepted` by the number of a new one."""


@dataclass(frozen=True, slots=True)
class Message:
    """The Email to be sent, read before the lock was taken; no `originators` where its header is too long to be read."""

    email_id: int
    thread_id: int
    blob_id: int
    size: int
    originators: Originators | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is sent, and when."""

    message: Message
    envelope: Envelope
    send_at: datetime


def check_submissions(plan: SetPlan) -> None:
    """Refuse what cannot be sent, and what cannot be undone; `AccountWrite.kept` tells the storage of the rest."""
    for create in list(plan.passing):
        # It would be sent and leave no trace; "the server … MAY forbid the client from manually destroying" (§7.5).
        plan.fail_destroy(create.id, ForbiddenSet("what this call sends cannot be destroyed by it"))
    _check_updates(plan)
    _check_creates(plan)


def _check_updates(plan: SetPlan) -> None:
    """ "pending" may become "canceled" as long as the message has left for nobody and is not leaving; nothing else may change."""
    asked = {number: update for number, update in plan.updates.items() if "undoStatus" in update.changed}
    pending = [number for number, update in asked.items() if update.old["undoStatus"] == PENDING]
    held = plan.write.kept.setdefault(HELD_BACK, {})
    held |= hold_back(plan.write, [number for number in pending if number not in held])
    for number, update in asked.items():
        if update.new["undoStatus"] != CANCELLED:
            plan.fail_update(number, InvalidProperties(["undoStatus"]))
        elif number not in held:
            plan.fail_update(number, CannotUnsend())
        else:
            # Who was refused for good before stays refused.
            status = {
                email: CANCELED if each["delivered"] == "queued" else each
                for email, each in update.old["deliveryStatus"].items()
            }
            update.new["deliveryStatus"] = update.reported["deliveryStatus"] = status


def _check_creates(plan: SetPlan) -> None:
    accepted: dict[int, Accepted] = plan.write.kept.setdefault(ACCEPTED, {})
    creates = {key: each for key, each in plan.creates.items() if each.id not in accepted}
    if not creates:
        return
    write = plan.write
    wanted = [object_number("i", each.record.get("identityId", "")) for each in creates.values()]
    (rows,) = write.run((IDENTITIES, (write.account_id, [number for number in wanted if number is not None])))
    identities = {f"i{number}": email for number, email in rows}
    own = own_addresses(write, _normal([*identities.values(), *_addresses(creates.values())]))
    now = datetime.now(UTC).replace(microsecond=0)
    for key, create in creates.items():
        identity = identities.get(create.record.get("identityId", ""))
        try:
            if identity is None:
                raise InvalidProperties(["identityId"])
            accepted[create.id] = _judged(create, identity, own, now)
        except SetError as error:
            plan.fail_create(key, error)
    _limit(plan, [key for key, create in creates.items() if create.id in accepted])


def _limit(plan: SetPlan, keys: Sequence[str]) -> None:
    """Refuse what would be too much for an hour, after everything else: what is refused anyway counts nothing."""
    accepted: dict[int, Accepted] = plan.write.kept[ACCEPTED]
    creates = [plan.creates[key] for key in keys]
    counts = [len(accepted[each.id].envelope["rcptTo"]) for each in creates]
    allowed = allow(plan.write, plan.access.user_id, counts)
    for key, create, is_allowed in zip(keys, creates, allowed, strict=True):
        if not is_allowed:
            del accepted[create.id]
            plan.fail_create(key, RateLimit())


def _addresses(creates: Iterable[PlannedCreate]) -> Iterable[str]:
    """Every address that has to be the account's."""
    for create in creates:
        if isinstance(create.prepared, Message) and create.prepared.originators is not None:
            yield from create.prepared.originators.authors()
        if create.record["envelope"] is not None:
            yield create.record["envelope"]["mailFrom"]["email"]


def _normal(addresses: Iterable[str]) -> list[str]:
    spelled = (normalise_address(address) for address in addresses)
    return [address for address in spelled if address is not None]


def _judged(create: PlannedCreate, identity: str, own: frozenset[str], now: datetime) -> Accepted:
    """Whether a message may be sent as it is asked to be. Raises `SetError`."""
    record: Record = create.record
    message = create.prepared
    if record["undoStatus"] == CANCELLED:
        raise InvalidProperties(["undoStatus"])
    # "This is server set on create": meli asks for "final" whenever it sends, and is told what it is.
    record["undoStatus"] = PENDING
    if not isinstance(message, Message) or f"e{message.email_id}" != record["emailId"]:
        raise InvalidProperties(["emailId"])
    if message.size > settings.MAIL_MAX_SIZE_SUBMISSION:
        raise TooLarge(maxSize=settings.MAIL_MAX_SIZE_SUBMISSION)
    if message.originators is None:
        raise InvalidEmail(properties=["headers"])
    problems = message.originators.problems(is_mailbox)
    if problems:
        raise InvalidEmail(properties=problems)
    if not all(normalise_address(address) in own for address in message.originators.authors()):
        raise ForbiddenFrom
    given = record["envelope"]
    envelope = checked_envelope(envelope_of(message.originators, identity) if given is None else given, own)
    return Accepted(message, envelope, release(envelope, now))
