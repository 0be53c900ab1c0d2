"""The type Mailbox (RFC 8621 §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmapcore.protocol.collation import unicode_casemap
from jmapcore.protocol.schema import (
    STANDARD_METHODS,
    Argument,
    Filter,
    ObjectType,
    Property,
    SetBy,
    Sort,
    Unique,
)
from jmapcore.protocol.wire import Anything, Boolean, Id, Int, Nullable, String, UnsignedInt
from mail.types.capability import MAIL
from mail.types.mailbox_checks import check_mailboxes
from mail.types.mailbox_storage import MailboxStorage, my_rights
from mail.types.wire import MailboxName

ROLES = frozenset(
    {
        "all",
        "archive",
        "drafts",
        "flagged",
        "important",
        "inbox",
        "junk",
        "memos",
        "scheduled",
        "sent",
        "snoozed",
        "subscribed",
        "trash",
    }
)
"""The mailbox attributes of IANA's registry that say what a mailbox is for, in lower case."""


def _count() -> Property:
    return Property(UnsignedInt(), 0, SetBy.SERVER, volatile=True)


def _equal(name: str) -> Filter:
    def matches(record: Mapping[str, Any], value: Any) -> bool:
        return bool(record[name] == value)

    kind = {"parentId": Nullable(Id(to="Mailbox")), "role": Nullable(String()), "isSubscribed": Boolean()}
    return Filter(kind[name], (name,), matches)


def _name_contains(record: Mapping[str, Any], value: str) -> bool:
    return unicode_casemap(value) in unicode_casemap(record["name"])


def _has_any_role(record: Mapping[str, Any], value: bool) -> bool:
    return (record["role"] is not None) == value


MAILBOX = ObjectType(
    name="Mailbox",
    capability=MAIL,
    letter="m",
    methods=STANDARD_METHODS - {"copy"},
    storage=MailboxStorage(),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "name": Property(MailboxName()),
        "parentId": Property(Nullable(Id(to="Mailbox")), None),
        "role": Property(Nullable(String(choices=ROLES)), None),
        "sortOrder": Property(Int(0, 2**31 - 1), 0),
        "totalEmails": _count(),
        "unreadEmails": _count(),
        "totalThreads": _count(),
        "unreadThreads": _count(),
        "myRights": Property(Anything(), set_by=SetBy.SERVER, computed=my_rights),
        # "This SHOULD default to … true for any new Mailboxes created by the user themself."
        "isSubscribed": Property(Boolean(), True, per_user=True, writable_read_only=True),
    },
    filters={
        "parentId": _equal("parentId"),
        "name": Filter(String(), ("name",), _name_contains),
        "role": _equal("role"),
        "hasAnyRole": Filter(Boolean(), ("role",), _has_any_role),
        "isSubscribed": _equal("isSubscribed"),
    },
    sorts={
        "sortOrder": Sort(("sortOrder",)),
        "name": Sort(("name",), text=True),
        "parentId": Sort(("parentId",)),
    },
    default_sort=("sortOrder", "name"),
    unique=(
        Unique(("parentId", "name")),
        Unique(("role",), error="invalidProperties", ignore_null="role"),
    ),
    arguments={
        "set": {"onDestroyRemoveEmails": Argument(Boolean(), False)},
        "query": {
            "sortAsTree": Argument(Boolean(), False, mutable=True),
            "filterAsTree": Argument(Boolean(), False, mutable=True),
        },
    },
    check_set=check_mailboxes,
    open_to_read_only=True,
)
