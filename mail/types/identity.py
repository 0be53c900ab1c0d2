"""The type Identity (RFC 8621 §6): those given with the addresses of the account, and those that users add."""

from __future__ import annotations

from accounts.addresses import normalise_address
from jmapcore.protocol.errors import ForbiddenSet, OverQuota
from jmapcore.protocol.schema import CHANGES, GET, SET, ObjectType, Property, SetBy
from jmapcore.protocol.wire import Boolean, Id, String
from jmapcore.store.model_storage import ModelStorage
from jmapcore.store.plan import SetPlan
from mail.models import Identity
from mail.sending import own_addresses_statement
from mail.types.capability import SUBMISSION
from mail.types.errors import ForbiddenFrom
from mail.types.wire import ADDRESSES, Line

MAX_IDENTITIES = 200
"""Of one account, given ones not counted in."""
MAX_SIZE_SIGNATURE = 100_000
"""Octets: with all of them an answer of Identity/get stays within what a response may hold."""

COUNT = "SELECT count(*) FROM identity WHERE account_id = %s AND may_delete"


def check_identities(plan: SetPlan) -> None:
    """Given identities stay; new ones are of addresses that the account may send as, in their normal spelling."""
    for number, destroy in list(plan.destroys.items()):
        if destroy.old.get("mayDelete") is False:
            plan.fail_destroy(number, ForbiddenSet("it goes with its address"))
    if not plan.creates:
        return
    spelled = {key: normalise_address(create.record["email"]) for key, create in plan.creates.items()}
    addresses = [address for address in spelled.values() if address is not None]
    account_id = plan.write.account_id
    ((count,),), own = plan.write.run((COUNT, (account_id,)), own_addresses_statement(account_id, addresses))
    mine = {row[0] for row in own}
    room = MAX_IDENTITIES - count + len(plan.destroys)
    for key, create in list(plan.creates.items()):
        address = spelled[key]
        if address is None or address not in mine:
            plan.fail_create(key, ForbiddenFrom())
            continue
        create.record["email"] = address
        room -= 1
        if room < 0:
            plan.fail_create(key, OverQuota(f"more than {MAX_IDENTITIES} identities"))


IDENTITY = ObjectType(
    name="Identity",
    capability=SUBMISSION,
    letter="i",
    methods=frozenset({GET, CHANGES, SET}),
    storage=ModelStorage(Identity),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "name": Property(Line(), ""),
        "email": Property(Line(), set_by=SetBy.CREATE),
        "replyTo": Property(ADDRESSES, None),
        "bcc": Property(ADDRESSES, None),
        "textSignature": Property(String(MAX_SIZE_SIGNATURE), ""),
        "htmlSignature": Property(String(MAX_SIZE_SIGNATURE), ""),
        "mayDelete": Property(Boolean(), True, SetBy.SERVER),
    },
    check_set=check_identities,
)
