"""`verify_account`: recompute all that is derived, compare it with what is stored, and set it right if asked.

Two independent views: SQL says what follows from the memberships (`mail.expectations`), and parsing the raw messages
again says what follows from them. Neither uses the code that maintains the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from psycopg.pq import TransactionStatus

from jmapcore.blobs.unreferenced import schedule
from jmapcore.store.database import SET_ACCOUNT, Connection, Row, execute
from jmapcore.store.write import AccountWrite, account_write
from mail import email_search
from mail.expectations import (
    DEAD_REFERENCES,
    EXPECTATIONS,
    TREE,
    WITHOUT_MAILBOX,
    WITHOUT_STATIC,
    Expectation,
    unswept_blobs,
)
from mail.fragments import FORMAT
from mail.ingest import ADD_REFERENCES
from mail.messages import StoredMessage, stored_messages
from mail.verify_sending import repair_sending, sending_differences
from mail.verify_usage import repair_usage, usage_differences

REFERENCES_OF = "SELECT hash, thread_id FROM thread_ref WHERE account_id = %s AND thread_id = ANY(%s::int[])"
SAVE_STATIC = """
    UPDATE email_static AS s SET static_json = n.static_json, body_json = n.body_json, format = %s
    FROM unnest(%s::int[], %s::int[], %s::text[], %s::text[]) AS n (id, blob_id, static_json, body_json)
    WHERE s.account_id = %s AND s.id = n.id AND s.blob_id = n.blob_id RETURNING s.id"""
SAVE_SIZES = """
    UPDATE email AS e SET size = n.size FROM unnest(%s::int[], %s::int[]) AS n (id, size)
    WHERE e.account_id = %s AND e.id = n.id"""
DROP_REFERENCES = """
    DELETE FROM thread_ref AS r USING unnest(%s::bigint[], %s::int[]) AS d (hash, thread_id)
    WHERE r.account_id = %s AND r.hash = d.hash AND r.thread_id = d.thread_id"""
SAVE_MAILBOX_IDS = """
    UPDATE email SET mailbox_ids = string_to_array(%s, ' ')::int[] WHERE account_id = %s AND id = %s"""
HOME = """
    SELECT id FROM mailbox WHERE account_id = %s ORDER BY role IS DISTINCT FROM 'inbox', id LIMIT 1"""


@dataclass(slots=True)
class RawDifferences:
    """What parsing the messages again found wrong, ready to be repaired."""

    found: list[str] = field(default_factory=list)
    static: list[StoredMessage] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    references: list[tuple[int, int]] = field(default_factory=list)
    search: list[StoredMessage] = field(default_factory=list)


def verify(account_id: int, connection: Connection, *, repair: bool = False) -> list[str]:
    """List each difference between what is stored for an account's mail and what its messages and memberships say.

    With `repair` they are set right in one write, and clients are told of what they can see. Lost or altered bytes of a
    message cannot be repaired, nor loops in the tree of mailboxes: they are listed again the next time.
    """
    with _snapshot(account_id, connection):
        raw = _compare_raw(account_id, connection)
        found = [
            *raw.found,
            *_compare_rows(account_id, connection),
            *sending_differences(account_id, connection),
            *usage_differences(account_id, connection),
        ]
    if repair and found:
        with account_write(account_id, connection) as write:
            _repair_raw(write, raw)
            repair_sending(write)
            _repair_rows(write)
            repair_usage(write)
    return found


@contextmanager
def _snapshot(account_id: int, connection: Connection) -> Iterator[None]:
    """One consistent view of the account, however long the reading takes, without holding up its writers."""
    own = connection.info.transaction_status == TransactionStatus.IDLE and connection.autocommit
    if own:
        execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        execute(connection, SET_ACCOUNT, (str(account_id),))
        yield
    finally:
        if own:
            connection.rollback()


def _rows(connection: Connection, account_id: int, sql: str) -> list[Row]:
    return connection.execute(sql, {"account": account_id}).fetchall()


def _compare_raw(account_id: int, connection: Connection) -> RawDifferences:
    raw = RawDifferences()
    for batch in stored_messages(connection, account_id):
        threads = list({message.thread_id for message in batch})
        known = set(execute(connection, REFERENCES_OF, (account_id, threads)).fetchall())
        for message in batch:
            _compare_message(message, known, raw)
        _compare_search(account_id, connection, batch, raw)
    return raw


def _compare_search(
    account_id: int, connection: Connection, batch: list[StoredMessage], raw: RawDifferences
) -> None:
    """What the messages are found by; the database decides which texts are the same tsvector."""
    parsed = {message.id: message for message in batch if message.prepared and message.format == FORMAT}
    texts = [message.prepared.search for message in parsed.values() if message.prepared]
    sql, parameters = email_search.different(account_id, list(parsed), texts)
    for (email_id,) in execute(connection, sql, parameters).fetchall():
        raw.found.append(f"email e{email_id}: email_search is not what its message says")
        raw.search.append(parsed[email_id])


def _compare_message(message: StoredMessage, known: set[Row], raw: RawDifferences) -> None:
    where = f"email e{message.id}"
    if message.prepared is None:
        raw.found.append(f"{where}: the bytes of blob b{message.blob_id} are lost or altered")
        return
    prepared = message.prepared
    if message.size != prepared.size:
        raw.found.append(f"{where}: size is {message.size} and must be {prepared.size}")
        raw.sizes[message.id] = prepared.size
    if message.format == FORMAT and (message.static_json, message.body_json) != (
        message.expected_static_json,
        prepared.body_json,
    ):
        raw.found.append(f"{where}: email_static is not what its message says")
        raw.static.append(message)
    for name in prepared.reference_hashes:
        pair = (name, message.thread_id)
        if pair not in known:
            raw.found.append(f"thread t{message.thread_id}: the reference {name} of {where} is missing")
            raw.references.append(pair)
            known.add(pair)


def _compare_rows(account_id: int, connection: Connection) -> list[str]:
    found = [
        f"email e{email_id}: its mailboxes are not sorted, existing ones, at least one"
        for email_id, _ in _rows(connection, account_id, WITHOUT_MAILBOX)
    ]
    found += [
        f"email e{row[0]}: there is no email_static" for row in _rows(connection, account_id, WITHOUT_STATIC)
    ]
    for expectation in EXPECTATIONS:
        for *values, expected in _rows(connection, account_id, expectation.differences()):
            what = ", ".join(
                f"{name}={value}" for name, value in zip(expectation.columns, values, strict=True)
            )
            found.append(f"{expectation.table}: {'missing' if expected else 'wrong'}: {what}")
    found += [
        f"thread t{row[1]}: is dead and has the reference {row[0]}"
        for row in _rows(connection, account_id, DEAD_REFERENCES)
    ]
    found += [
        f"email_search: is there without its email e{row[0]}"
        for row in _rows(connection, account_id, email_search.DEAD)
    ]
    found += [
        f"blob b{row[0]}: is not referred to, and no sweep is due"
        for row in _rows(connection, account_id, unswept_blobs())
    ]
    return found + _loops(dict(cast("list[tuple[int, int | None]]", _rows(connection, account_id, TREE))))


def _loops(parents: dict[int, int | None]) -> list[str]:
    """ "There MUST NOT be a loop" (RFC 8621 §2, parentId)."""
    found = []
    for mailbox_id in parents:
        seen, above = {mailbox_id}, parents[mailbox_id]
        while above is not None and above not in seen:
            seen.add(above)
            above = parents.get(above)
        if above is not None:
            found.append(f"mailbox m{mailbox_id}: its parents form a loop")
    return found


def _repair_raw(write: AccountWrite, raw: RawDifferences) -> None:
    """Write what parsing said, where the row is still the one that was parsed."""
    if raw.static:
        for row in save_static(write, raw.static):
            write.updated("Email", row[0])
    if raw.sizes:
        write.run((SAVE_SIZES, (list(raw.sizes), list(raw.sizes.values()), write.account_id)))
        for email_id in raw.sizes:
            write.updated("Email", email_id)
    if raw.search:
        texts = [message.prepared.search for message in raw.search if message.prepared]
        write.run(email_search.save(write.account_id, [message.id for message in raw.search], texts))
    add_references(write, raw.references)


def save_static(write: AccountWrite, messages: list[StoredMessage]) -> list[Row]:
    """Write email_static anew from parsed messages; the ids of rows that were still there. Records nothing."""
    parsed = [(message, message.prepared) for message in messages if message.prepared is not None]
    columns = (
        [message.id for message, _ in parsed],
        [message.blob_id for message, _ in parsed],
        [message.expected_static_json for message, _ in parsed],
        [prepared.body_json for _, prepared in parsed],
    )
    return write.run((SAVE_STATIC, (FORMAT, *columns, write.account_id)))[0]


def add_references(write: AccountWrite, pairs: list[tuple[int, int]]) -> None:
    """Add (hash, Thread) references that are missing."""
    if pairs:
        names, threads = zip(*pairs, strict=True)
        write.run(ADD_REFERENCES.of(write.account_id, list(zip(names, threads, strict=True))))


def _repair_rows(write: AccountWrite) -> None:
    connection, account_id = write.connection, write.account_id
    for (email_id,) in _rows(connection, account_id, WITHOUT_STATIC):
        # Nothing says which message it was: without its row it cannot be read, nor shown.
        write.run(("DELETE FROM email WHERE account_id = %s AND id = %s", (account_id, email_id)))
        write.destroyed("Email", email_id)
    for email_id, mailbox_ids in _rows(connection, account_id, WITHOUT_MAILBOX):
        kept = mailbox_ids or [row[0] for row in write.run((HOME, (account_id,)))[0]]
        write.run((SAVE_MAILBOX_IDS, (" ".join(map(str, kept)), account_id, email_id)))
        write.updated("Email", email_id)
    for expectation in EXPECTATIONS:
        _repair(write, expectation)
    lost = [row[0] for row in _rows(connection, account_id, email_search.DEAD)]
    if lost:
        write.run((email_search.DROP, (account_id, lost)))
    dead = _rows(connection, account_id, DEAD_REFERENCES)
    if dead:
        names, threads = zip(*dead, strict=True)
        write.run((DROP_REFERENCES, (list(names), list(threads), account_id)))
    schedule(write, [row[0] for row in _rows(connection, account_id, unswept_blobs())])


def _repair(write: AccountWrite, expectation: Expectation) -> None:
    """Bring one table up to date, row by row, and record what a client sees of it."""
    differences = _rows(write.connection, write.account_id, expectation.differences())
    size = len(expectation.key)
    wrong = {row[:size]: row for row in differences if not row[-1]}
    missing = {row[:size]: row for row in differences if row[-1]}
    for key in wrong.keys() | missing.keys():
        if expectation.owned:
            if key in wrong:
                _write_row(write, _delete(expectation), key)
            if key in missing:
                _write_row(write, _insert(expectation), missing[key][:-1])
        elif key in missing:
            _write_row(write, _update(expectation), (*missing[key][size:-1], *key))
        if expectation.type_name is None:
            continue
        if key in wrong and key in missing:
            write.updated(expectation.type_name, key[0], volatile=expectation.volatile)
        elif key in missing:
            write.created(expectation.type_name, key[0])
        else:
            write.destroyed(expectation.type_name, key[0])


def _write_row(write: AccountWrite, sql: str, values: tuple[Any, ...]) -> None:
    write.connection.execute(sql, (*values, write.account_id))


def _delete(expectation: Expectation) -> str:
    key = " AND ".join(f"{column} = %s" for column in expectation.key)
    return f"DELETE FROM {expectation.table} WHERE {key} AND account_id = %s"  # noqa: S608  # our own names


def _insert(expectation: Expectation) -> str:
    columns, marks = ", ".join(expectation.columns), "%s, " * len(expectation.columns)
    return f"INSERT INTO {expectation.table} ({columns}, account_id) VALUES ({marks}%s)"  # noqa: S608  # our own names


def _update(expectation: Expectation) -> str:
    values = ", ".join(f"{column} = %s" for column in expectation.values)
    key = " AND ".join(f"{column} = %s" for column in expectation.key)
    return f"UPDATE {expectation.table} SET {values} WHERE {key} AND account_id = %s"  # noqa: S608  # our own names
