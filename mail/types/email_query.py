"""Email/query, and what /queryChanges needs of it (RFC 8621 §4.4).

A window of the results is read without the rest of them wherever the order of the rows is the order of the results.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from jmapcore.protocol.collation import COLLATIONS
from jmapcore.protocol.errors import UnsupportedFilter
from jmapcore.protocol.schema import Argument, Filter, Sort
from jmapcore.protocol.wire import Boolean, Id, ListOf, String, UnsignedInt, WireType, parse_date
from jmapcore.store.database import Row
from jmapcore.store.query import Comparator, Query, Window, WindowRequest, take_window
from jmapcore.store.reading import Reading
from mail.message.subject import base_subject
from mail.types.email_rows import THREADS_OF_RESULTS, Selection
from mail.types.email_scan import scan, scanned_conditions
from mail.types.email_searched import search
from mail.types.email_selection import Compiler
from mail.types.wire import HeaderCondition, Keyword, ReceivedBound

THREAD_CONDITIONS = frozenset(
    {
        "allInThreadHaveKeyword",
        "someInThreadHaveKeyword",
        "noneInThreadHaveKeyword",
    }
)

MAX_CONDITIONS = 50
"""Conditions of one filter: each is a subquery, in a plan that the database keeps."""

MAX_COUNTED = 50
"""Emails whose places are counted one by one; for more, all results are read."""

OF_THE_SAME_THREADS = """
    SELECT x.email_id FROM email AS e JOIN email_mailbox AS x ON x.account_id = %s AND x.thread_id = e.thread_id
    WHERE e.account_id = %s AND e.id = ANY(%b::int[])"""
AFFECTED = """
    SELECT DISTINCT x.email_id FROM email_mailbox AS x WHERE x.account_id = %s AND x.thread_id IN (
        SELECT e.thread_id FROM email AS e WHERE e.account_id = %s AND e.id = ANY(%b::int[])
        UNION
        SELECT l.object FROM change_log AS l
        WHERE l.account_id = %s AND l.type = 'Thread' AND l.modseq > (
            SELECT min(f.modseq) FROM change_log AS f
            WHERE f.account_id = %s AND f.type = 'Email' AND f.modseq > %s))"""
"""A write records what becomes of Emails before what becomes of their Threads."""


def _immutable(kind: WireType) -> Filter:
    return Filter(kind, mutable=False)


FILTERS = {
    "inMailbox": Filter(Id(to="Mailbox")),
    "inMailboxOtherThan": Filter(ListOf(Id(to="Mailbox"))),
    "before": _immutable(ReceivedBound()),
    "after": _immutable(ReceivedBound()),
    "minSize": _immutable(UnsignedInt()),
    "maxSize": _immutable(UnsignedInt()),
    "allInThreadHaveKeyword": Filter(Keyword()),
    "someInThreadHaveKeyword": Filter(Keyword()),
    "noneInThreadHaveKeyword": Filter(Keyword()),
    "hasKeyword": Filter(Keyword()),
    "notKeyword": Filter(Keyword()),
    "hasAttachment": _immutable(Boolean()),
    "text": _immutable(String()),
    "from": _immutable(String()),
    "to": _immutable(String()),
    "cc": _immutable(String()),
    "bcc": _immutable(String()),
    "subject": _immutable(String()),
    "body": _immutable(String()),
    "header": _immutable(HeaderCondition()),
}


def _first_correspondent(name: str) -> Sort:
    """By the first address's name, or its address where there is no name, or nothing (RFC 8621 §4.4.2)."""

    def key(record: Mapping[str, Any]) -> str:
        for address in record[name] or ():
            return str(address["name"] or address["email"])
        return ""

    return Sort((name,), key, text=True, mutable=False)


def _by_subject(record: Mapping[str, Any]) -> str:
    return base_subject(record["subject"] or "")


def _by_sent_at(record: Mapping[str, Any]) -> Any:
    return None if record["sentAt"] is None else parse_date(record["sentAt"])


_KEYWORD_ARGUMENT = {"keyword": Argument(Keyword())}

SORTS = {
    "receivedAt": Sort(mutable=False),
    "size": Sort(mutable=False),
    "from": _first_correspondent("from"),
    "to": _first_correspondent("to"),
    "subject": Sort(("subject",), _by_subject, text=True, mutable=False),
    "sentAt": Sort(("sentAt",), _by_sent_at, mutable=False),
    "hasKeyword": Sort(arguments=_KEYWORD_ARGUMENT),
    "allInThreadHaveKeyword": Sort(arguments=_KEYWORD_ARGUMENT),
    "someInThreadHaveKeyword": Sort(arguments=_KEYWORD_ARGUMENT),
}
"""Those without `needs` are sorted by the database."""


def check_conditions(query: Query) -> None:
    """Raises `UnsupportedFilter` for a filter of too many conditions."""
    if sum(1 for _ in query.conditions()) > MAX_CONDITIONS:
        raise UnsupportedFilter(f"more than {MAX_CONDITIONS} conditions")


def select(reading: Reading, query: Query) -> Selection:
    """A query as SQL; what SQL cannot decide is scanned first. Raises `UnsupportedFilter`."""
    check_conditions(query)
    searched = search(reading, query)
    return Compiler(reading.account_id, query, scan(reading, query, searched), searched).selection()


def results(reading: Reading, query: Query) -> list[int]:
    """The ids of all Emails that match, in order."""
    selection = select(reading, query)
    (rows,) = reading.run(selection.rows())
    return _ids(selection, query, rows)


def matching(reading: Reading, query: Query, numbers: Collection[int]) -> list[int]:
    """Which of these Emails match the filter; each is looked up, and no other. Raises `UnsupportedFilter`."""
    check_conditions(query)
    ids = list(numbers)
    searched = search(reading, query, ids)
    compiler = Compiler(reading.account_id, query, scan(reading, query, searched, ids), searched)
    (rows,) = reading.run(compiler.among(ids).rows())
    found = {row[0] for row in rows}
    return [number for number in ids if number in found]


def window(reading: Reading, query: Query, request: WindowRequest) -> Window:
    """The part of the results that is asked for. Raises `AnchorNotFound`."""
    selection = select(reading, query)
    if not selection.keys and request.anchor is None and request.position >= 0:
        if selection.source.collapsed or not query.arguments.get("collapseThreads"):
            return _window_of_rows(reading, selection, request)
        if not request.calculate_total and (found := _collapsed_window(reading, selection, query, request)):
            return found
    (rows,) = reading.run(selection.rows())
    return take_window(_ids(selection, query, rows), request)


def places(reading: Reading, query: Query, numbers: Collection[int]) -> tuple[list[tuple[int, int]], int]:
    """Where these Emails are in the results, and the number of all results; counted, where these are the rows of an index.

    It is what is read last of a snapshot.
    """
    selection = select(reading, query)
    newest_first = [text for text, _ in selection.order] == [
        f"{selection.source.received} DESC",
        f"{selection.source.id} DESC",
    ]
    each_row = selection.source.collapsed or not query.arguments.get("collapseThreads")
    positions = selection.positions(reading.account_id, list(numbers))
    if not newest_first or not each_row or positions is None or len(numbers) > MAX_COUNTED:
        (rows,) = reading.run_last(selection.rows())
        ids = _ids(selection, query, rows)
        return [(index, number) for index, number in enumerate(ids) if number in numbers], len(ids)
    sql, parameters = selection.total or selection.count()
    found, totals = reading.run_last(positions, (sql, list(parameters)))
    return [(row[0], row[1]) for row in found], totals[0][0] if totals else 0


def _window_of_rows(reading: Reading, selection: Selection, request: WindowRequest) -> Window:
    """Each row is a result, in order: the database gives the window alone."""
    if request.calculate_total and selection.source.is_read_whole:
        (rows,) = reading.run(selection.rows(request.limit, request.position, counted=True))
        if rows:
            return Window([row[0] for row in rows], request.position, rows[0][-1])
    statements = [selection.rows(request.limit, request.position)]
    if request.calculate_total:
        sql, parameters = selection.total or selection.count()
        statements.append((sql, list(parameters)))
    found = reading.run(*statements)
    # Most who list Emails ask for their Threads next.
    reading.kept.setdefault(THREADS_OF_RESULTS, {}).update([row[:2] for row in found[0]])
    total = None
    if request.calculate_total:
        total = found[1][0][0] if found[1] else 0
    return Window([row[0] for row in found[0]], request.position, total)


def _collapsed_window(
    reading: Reading, selection: Selection, query: Query, request: WindowRequest
) -> Window | None:
    """A window near the beginning of collapsed results; None where the first rows do not fill it."""
    end = request.position + request.limit
    limit = 2 * end + 50
    (rows,) = reading.run(selection.rows(limit))
    ids = _ids(selection, query, rows)
    if len(ids) < end and len(rows) == limit:
        return None
    return Window(ids[request.position : end], request.position, None)


def _ids(selection: Selection, query: Query, rows: Sequence[Row]) -> list[int]:
    """The results in rows of a selection: sorted where the database could not, collapsed on request (§4.4.3)."""
    ordered: Sequence[Any] = rows
    if selection.keys:
        ordered = _sorted(query.sort, rows)
    if not query.arguments.get("collapseThreads") or selection.source.collapsed:
        return [row[0] for row in ordered]
    first: dict[int, int] = {}
    for row in ordered:
        first.setdefault(row[1], row[0])
    return list(first.values())


def _sorted(sort: Sequence[Comparator], rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Rows in the order of a sort; those that it finds equal stay in the order of receivedAt."""
    columns = [_keys(comparator, [row[2 + place] for row in rows]) for place, comparator in enumerate(sort)]
    ordered = list(zip((row[0] for row in rows), (row[1] for row in rows), *columns, strict=True))
    for place in reversed(range(len(sort))):
        ordered.sort(key=lambda row, column=2 + place: row[column], reverse=not sort[place].ascending)  # type: ignore[misc]  # a default binds the column
    return ordered


def _keys(comparator: Comparator, values: Sequence[Any]) -> list[Any]:
    """The sort keys of one comparator; null comes before everything."""
    declared = comparator.declared
    if declared.key is None:
        return list(values)
    (name,) = declared.needs
    plain = [declared.key({name: orjson.loads(value)}) for value in values]
    if declared.text:
        collate = COLLATIONS[comparator.collation]
        return [collate(text) for text in plain]
    return [(value is not None, value or 0) for value in plain]


def affected(reading: Reading, query: Query, since: int, changed: Collection[int]) -> set[int]:
    """The Emails whose place hangs on the changed ones: where Threads matter, those of the Threads that changed.

    A destroyed Email no longer says which Thread was its own; the changes of Threads do. Where nothing but collapseThreads looks
    at Threads, it is for each the first that matches, of those that did not change: no other one was in the results, or is.
    """
    names = {condition.name for condition in query.conditions()} | {each.name for each in query.sort}
    looks_at_threads = not names.isdisjoint(THREAD_CONDITIONS)
    if not query.arguments.get("collapseThreads") and not looks_at_threads:
        return set()
    account_id = reading.account_id
    (rows,) = reading.run((OF_THE_SAME_THREADS, (account_id, account_id, list(changed))))
    found = {row[0] for row in rows}
    if not found.issuperset(changed):
        # Some are gone, and only the log knows which Threads were theirs.
        (rows,) = reading.run(
            (AFFECTED, (account_id, account_id, list(changed), account_id, account_id, since))
        )
        found = {row[0] for row in rows}
    others = sorted(found.difference(changed))
    if not others or looks_at_threads or scanned_conditions(query):
        return set(others)
    selection = Compiler(account_id, query, {}, search(reading, query)).among(others)
    (rows,) = reading.run(selection.rows())
    return set(_ids(selection, query, rows))
