"""How Mailboxes are fetched, queried and written. An account has some thousands at most, so a query reads them all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from jmapcore.protocol.schema import Unique
from jmapcore.protocol.wire import object_number
from jmapcore.store.database import Row, Statement
from jmapcore.store.kept import KeptRecords
from jmapcore.store.plan import Record, SetPlan
from jmapcore.store.query import Query, matches, sorted_records
from jmapcore.store.reading import Reading
from jmapcore.store.storage import Fetched, Storage
from jmapcore.store.write import AccountWrite
from mail.mailboxes import MailboxRow, create_mailboxes, destroy_mailboxes, subscribe, update_mailboxes
from mail.membership import KNOWN_MAILBOXES

if TYPE_CHECKING:
    from accounts.access import AccountAccess

SELECT = """
    SELECT m.id, m.name, m.parent_id, m.role, m.sort_order, m.total_emails, m.unread_emails, m.total_threads,
        m.unread_threads, coalesce(u.is_subscribed, false)
    FROM mailbox AS m LEFT JOIN mailbox_user AS u ON u.account_id = %s AND u.user_id = %s AND u.mailbox_id = m.id
    WHERE m.account_id = %s"""
ALL = f"{SELECT} ORDER BY m.id LIMIT %s"
SOME = f"{SELECT} AND m.id = ANY(%b::int[]) ORDER BY m.id"
EXISTING = "SELECT id FROM mailbox WHERE account_id = %s AND id = ANY(%b::int[])"
WITH_NAMES = "SELECT id, parent_id, name FROM mailbox WHERE account_id = %s AND name = ANY(%b::text[])"
WITH_ROLES = "SELECT id, role FROM mailbox WHERE account_id = %s AND role = ANY(%b::text[])"

_RIGHTS = (
    "mayReadItems",
    "mayAddItems",
    "mayRemoveItems",
    "maySetSeen",
    "maySetKeywords",
    "mayCreateChild",
    "mayRename",
    "mayDelete",
    "maySubmit",
)
_READER = {name: name == "mayReadItems" for name in _RIGHTS}
_OWNER = dict.fromkeys(_RIGHTS, True)
_OWNER_OF_INBOX = {**_OWNER, "mayDelete": False}


def my_rights(access: AccountAccess, record: Mapping[str, Any]) -> dict[str, bool]:
    """Mailbox.myRights: what the caller may do with a mailbox (RFC 8621 §2)."""
    return _rights(access, record["role"])


def _rights(access: AccountAccess, role: str | None) -> dict[str, bool]:
    if access.is_read_only:
        return _READER
    return _OWNER_OF_INBOX if role == "inbox" else _OWNER


def _wire(number: int | None) -> str | None:
    return None if number is None else f"m{number}"


def _record(access: AccountAccess, row: Row) -> Record:
    """A Mailbox with all its properties, from a row of `SELECT`."""
    role = row[3]
    return {
        "id": f"m{row[0]}",
        "name": row[1],
        "parentId": None if row[2] is None else f"m{row[2]}",
        "role": role,
        "sortOrder": row[4],
        "totalEmails": row[5],
        "unreadEmails": row[6],
        "totalThreads": row[7],
        "unreadThreads": row[8],
        "myRights": _rights(access, role),
        "isSubscribed": row[9],
    }


_kept = KeptRecords()


class MailboxStorage(Storage):
    """The tables `mailbox` and `mailbox_user`."""

    def fetch(
        self,
        reading: Reading,
        ids: Sequence[int] | None,
        properties: Sequence[str],
        arguments: Mapping[str, Any],
        limit: int,
    ) -> Fetched:
        """These mailboxes, or all, which most clients ask for with every look at the account."""
        access = reading.access
        key = (access, limit, *properties)
        if ids is None and key in _kept:
            kept = _kept.at(key, reading.mark("Mailbox").state)
            if kept is not None:
                return Fetched(kept)
        (rows,) = reading.run(self._select(access, ids, limit))
        records: dict[int, Any] = {row[0]: _record(access, row) for row in rows}
        if rows and len(properties) < len(records[rows[0][0]]):
            records = {
                number: {name: record[name] for name in properties} for number, record in records.items()
            }
        if ids is None:
            records = {number: orjson.Fragment(orjson.dumps(record)) for number, record in records.items()}
            _kept.keep(key, reading.mark("Mailbox").state, records)
        return Fetched(records)

    @staticmethod
    def _select(access: AccountAccess, ids: Sequence[int] | None, limit: int | None) -> Statement:
        parameters = (access.account_id, access.user_id, access.account_id)
        if ids is None:
            return ALL, (*parameters, limit)
        return SOME, (*parameters, list(ids))

    def prelude(
        self, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> Sequence[Statement]:
        """These mailboxes, as `load` reads them."""
        return [self._select(access, ids, None)]

    def load(
        self, write: AccountWrite, access: AccountAccess, ids: Sequence[int], names: Collection[str]
    ) -> dict[int, Record]:
        """These mailboxes under the lock, with every property: the checks look at several."""
        (rows,) = write.prelude
        return {row[0]: _record(access, row) for row in rows}

    def existing(self, write: AccountWrite, ids: Collection[int]) -> set[int]:
        """Which of these mailboxes exist."""
        seen: frozenset[int] = write.kept.get(KNOWN_MAILBOXES, frozenset())
        if seen.issuperset(ids):
            return set(ids)
        (rows,) = write.run((EXISTING, (write.account_id, list(ids))))
        return {row[0] for row in rows}

    def unique_values(
        self, plan: SetPlan, unique: Unique, records: Sequence[Record]
    ) -> dict[tuple[Any, ...], int]:
        """The mailboxes with one of the names, or one of the roles, of these records."""
        if unique.properties == ("role",):
            (rows,) = plan.write.run(
                (WITH_ROLES, (plan.write.account_id, [record["role"] for record in records]))
            )
            return {(role,): number for number, role in rows}
        names = list({record["name"] for record in records})
        (rows,) = plan.write.run((WITH_NAMES, (plan.write.account_id, names)))
        return {(_wire(parent), name): number for number, parent, name in rows}

    def apply(self, plan: SetPlan) -> None:
        """Write the plan through `mail.mailboxes`, which keeps the counts."""
        write, user_id = plan.write, plan.access.user_id
        for subscribed in (True, False):
            created = {
                create.id: _row(create.record)
                for create in plan.creates.values()
                if create.record["isSubscribed"] == subscribed
            }
            create_mailboxes(write, created, user_id if subscribed else None)
        updates = {number: update for number, update in plan.updates.items() if update.changed}
        rows = {
            number: _row({**update.old, **update.new})
            for number, update in updates.items()
            if update.changed != {"isSubscribed"}
        }
        if rows:
            update_mailboxes(write, rows)
        subscriptions = {
            number: update.new["isSubscribed"]
            for number, update in updates.items()
            if "isSubscribed" in update.changed
        }
        if subscriptions:
            subscribe(write, user_id, subscriptions)
        passing = {create.id for create in plan.passing}
        destroy_mailboxes(write, [number for number in plan.destroys if number not in passing])

    def results(self, reading: Reading, query: Query) -> list[int]:
        """The mailboxes that match, in order, as a tree on request (RFC 8621 §2.3)."""
        (rows,) = reading.run(self._select(reading.access, None, None))
        records = [{**_record(reading.access, row), "": row[0], "parent": row[2]} for row in rows]
        ordered = sorted_records(sorted(records, key=_by_name), query.sort)
        if query.arguments.get("sortAsTree"):
            ordered = _as_tree(ordered)
        found = [record for record in ordered if matches(query.filter, record)]
        if query.arguments.get("filterAsTree"):
            found = _with_all_ancestors(found, records)
        return [record[""] for record in found]

    def affected(self, reading: Reading, query: Query, since: int, changed: Collection[int]) -> set[int]:
        """In a tree, what lies below a mailbox goes where it goes."""
        if not (query.arguments.get("sortAsTree") or query.arguments.get("filterAsTree")):
            return set()
        (rows,) = reading.run(self._select(reading.access, None, None))
        children: dict[int | None, list[int]] = {}
        for row in rows:
            children.setdefault(row[2], []).append(row[0])
        found: set[int] = set()
        pending = list(changed)
        while pending:
            below = [number for number in children.get(pending.pop(), ()) if number not in found]
            found.update(below)
            pending.extend(below)
        return found


def _row(record: Mapping[str, Any]) -> MailboxRow:
    parent = record["parentId"]
    return MailboxRow(
        name=record["name"],
        parent_id=None if parent is None else object_number("m", parent),
        role=record["role"],
        sort_order=record["sortOrder"],
    )


def _by_name(record: Mapping[str, Any]) -> tuple[str, int]:
    """What decides between mailboxes that the sort finds equal."""
    return record["name"], record[""]


def _as_tree(ordered: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each mailbox before its children, which stay in the order they came in (sortAsTree)."""
    children: dict[int | None, list[Mapping[str, Any]]] = {}
    for record in ordered:
        children.setdefault(record["parent"], []).append(record)
    tree: list[Mapping[str, Any]] = []
    pending = children.get(None, [])[::-1]
    while pending:
        record = pending.pop()
        tree.append(record)
        pending.extend(children.get(record[""], [])[::-1])
    return tree


def _with_all_ancestors(
    found: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Those of which every ancestor was found too (filterAsTree)."""
    parents = {record[""]: record["parent"] for record in records}
    kept = {record[""] for record in found}

    def whole(number: int | None) -> bool:
        while number is not None:
            if number not in kept:
                return False
            number = parents[number]
        return True

    return [record for record in found if whole(record[""])]
