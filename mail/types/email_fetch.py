"""Email/get (RFC 8621 §4.2): records are spliced from the JSON texts that the rows carry, without decoding them.

The message's octets are read only for header fields that are not stored and for body values, its structure only for bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

import orjson
from django.conf import settings

from jmapcore.blobs.content import in_batches
from jmapcore.blobs.prefixes import beginnings_sql, read_prefixes
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import InvalidArguments, RequestTooLarge
from jmapcore.store.database import Row, Statement
from jmapcore.store.reading import Reading
from jmapcore.store.storage import Fetched
from mail.fragments import STATIC_PROPERTIES
from mail.types.email_bodies import BodyRequest, Message
from mail.types.email_properties import stored_name
from mail.types.email_rows import THREADS_OF_RESULTS

COLUMNS = {
    "id": ("e.id", '"e', '"'),
    "threadId": ("e.thread_id::text", '"t', '"'),
    "receivedAt": ("(e.received_at AT TIME ZONE 'UTC')::text", '"', '"'),
    "size": ("e.size::text", "", ""),
    "keywords": ("e.keywords_json", "", ""),
    "mailboxIds": ("e.mailboxes_json", "", ""),
}
"""Metadata properties: the column, and what stands before and after it in the JSON text."""

_KEPT_PROPERTIES = 40
"""Properties of a plan that is kept, more than an Email has without `header:…` ones."""

MOST_HEADER_PROPERTIES = 500
"""`header:…` properties of one call, in `properties` and in `bodyProperties`: each is looked up for each Email or part."""

_OF_RESULTS = frozenset({"id", "threadId"})
"""Properties that the rows of a query tell."""

IDS = "SELECT id FROM email WHERE account_id = %s ORDER BY id LIMIT %s"

BEGINNINGS = beginnings_sql("email_static", "id", "blob_id")
BEGINNING_OCTETS = 65_536
FEW = 4
"""So many messages are read with a guess at what is needed of them, which most messages are smaller than."""

Run = Callable[[Statement], list[list[Row]]]


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """How the record of an Email is made for one list of properties.

    A row is: the metadata columns, then the static JSON if `static`, then blob id and structure if `made`. Of these, and of one
    text for each property of `made`, `pick` picks those that go between the texts of `frame`.
    """

    sql: str
    joined: bool
    frame: list[str]
    pick: Callable[[Sequence[Any]], tuple[Any, ...]]
    width: int
    """Metadata columns in a row."""
    received_at: int | None
    """Which of them is a moment."""
    static: bool
    made: tuple[str, ...]
    """Properties that are made from the message's structure or octets."""

    def statement(self, account_id: int, ids: Sequence[int]) -> Statement:
        """The statement that reads the rows of these Emails."""
        if self.joined:
            return self.sql, (account_id, account_id, list(ids))
        return self.sql, (account_id, list(ids))

    def fragment(self, row: Row, made: Sequence[str] = ()) -> orjson.Fragment:
        """The record of a row, as JSON."""
        pieces = [str(row[0]), *row[1 : self.width]]
        if self.received_at is not None:
            moment = pieces[self.received_at]
            pieces[self.received_at] = f"{moment[:10]}T{moment[11:19]}Z"
        if self.static:
            pieces += row[self.width].split("\n")
        if made:
            pieces += made
        # Put together from its pieces: four times as fast as a template.
        texts = self.frame.copy()
        texts[1::2] = self.pick(pieces)
        return orjson.Fragment("".join(texts))


def record_plan(properties: tuple[str, ...]) -> RecordPlan:
    """The plan for a list of properties; kept where it is short, as those are that clients use again."""
    return _kept_plan(properties) if len(properties) <= _KEPT_PROPERTIES else _plan(properties)


def _plan(properties: tuple[str, ...]) -> RecordPlan:
    stored = [stored_name(name) for name in properties]
    metadata = [name for name in COLUMNS if name == "id" or name in stored]
    static = any(name in STATIC_PROPERTIES for name in stored)
    made = tuple(
        name
        for name, real in zip(properties, stored, strict=True)
        if real not in COLUMNS and real not in STATIC_PROPERTIES
    )
    place = {name: index for index, name in enumerate(metadata)}
    if static:
        place |= {name: len(metadata) + index for index, name in enumerate(STATIC_PROPERTIES)}
    place |= {name: len(place) + index for index, name in enumerate(made)}
    frame, picked, end = [], [], "{"
    for name, real in zip(properties, stored, strict=True):
        _, before, after = COLUMNS.get(real, ("", "", ""))
        frame += [f"{end}{orjson.dumps(name).decode()}:{before}", ""]
        end = f"{after},"
        picked.append(place[name if name in made else real])
    frame.append(f"{end[:-1]}}}")
    columns = [COLUMNS[name][0] for name in metadata]
    columns += ["s.static_json"] if static else []
    columns += ["s.blob_id", "s.body_json"] if made else []
    joined = static or bool(made)
    sql = f"SELECT {', '.join(columns)} FROM email AS e"  # noqa: S608  # our own columns
    if joined:
        sql += " JOIN email_static AS s ON s.account_id = %s AND s.id = e.id"
    sql += " WHERE e.account_id = %s AND e.id = ANY(%b::int[])"
    return RecordPlan(
        sql=sql,
        joined=joined,
        frame=frame,
        pick=itemgetter(*picked) if len(picked) > 1 else lambda pieces: (pieces[picked[0]],),
        width=len(metadata),
        received_at=place.get("receivedAt"),
        static=static,
        made=made,
    )


_kept_plan = lru_cache(maxsize=256)(_plan)


def fetch_emails(
    reading: Reading,
    ids: Sequence[int] | None,
    properties: Sequence[str],
    arguments: Mapping[str, Any],
    limit: int,
) -> Fetched:
    """The records of these Emails, or of all. Raises `InvalidArguments`, `RequestTooLarge`."""
    plan = record_plan(tuple(properties))
    request = _body_request(plan.made, arguments)
    if ids is None:
        (rows,) = reading.run((IDS, (reading.account_id, limit)))
        ids = [row[0] for row in rows]
        if len(ids) >= limit:
            return Fetched(dict.fromkeys(ids))  # more than may be answered: the caller refuses
    threads = reading.kept.get(THREADS_OF_RESULTS)
    if threads is not None and _OF_RESULTS.issuperset(properties) and threads.keys() >= set(ids):
        return Fetched({number: plan.fragment((number, str(threads[number]))) for number in ids})
    statements = [plan.statement(reading.account_id, ids)]
    if request is not None and request.needs_octets and len(ids) <= FEW:
        account_id = reading.account_id
        statements.append((BEGINNINGS, (BEGINNING_OCTETS, account_id, account_id, list(ids))))
    rows, *beginnings = reading.run(*statements)
    if request is None:
        return Fetched({row[0]: plan.fragment(row) for row in rows})
    return Fetched(_with_made(reading, plan, request, rows, dict(beginnings[0]) if beginnings else {}))


def body_request(properties: Sequence[str], arguments: Mapping[str, Any]) -> BodyRequest | None:
    """What these properties and arguments want of bodies and header fields; None for nothing. Raises `InvalidArguments`."""
    return _body_request(record_plan(tuple(properties)).made, arguments)


def _body_request(made: tuple[str, ...], arguments: Mapping[str, Any]) -> BodyRequest | None:
    try:
        request = BodyRequest.parse(made, arguments)
    except ValueError as error:
        raise InvalidArguments(f"bodyProperties: {error}") from None
    if max(len(request.headers), len(request.body.header_properties)) > MOST_HEADER_PROPERTIES:
        raise InvalidArguments(f"more than {MOST_HEADER_PROPERTIES} header properties")
    return request if made else None


def _with_made(
    reading: Reading,
    plan: RecordPlan,
    request: BodyRequest,
    rows: Sequence[Row],
    beginnings: Mapping[int, bytes],
) -> dict[int, orjson.Fragment]:
    """The records of rows whose properties need the structure or the octets, in batches of bounded size."""
    records: dict[int, orjson.Fragment] = {}
    written = 0
    for batch in in_batches(_messages(request, rows), lambda each: each[1].octets):
        wanted: dict[int, int] = {}
        for _, message in batch:
            wanted[message.blob_id] = max(wanted.get(message.blob_id, 0), message.octets)
        raw = dict(beginnings)
        wanted = {
            blob_id: needed for blob_id, needed in wanted.items() if needed > len(raw.get(blob_id, b""))
        }
        if wanted:
            raw |= read_prefixes(reading.connection, reading.account_id, wanted)
        for row, message in batch:
            checkpoint()
            made = request.values(message, raw.get(message.blob_id, b""))
            written += sum(map(len, made))
            if written > settings.JMAP_MAX_SIZE_ANSWER:
                raise RequestTooLarge("the bodies are more than a response may hold")
            records[row[0]] = plan.fragment(row, made)
    return records


def _messages(request: BodyRequest, rows: Sequence[Row]) -> Iterator[tuple[Row, Message]]:
    for row in rows:
        checkpoint()
        yield row, request.message(row[-2], row[-1])


def load_properties(run: Run, account_id: int, ids: Sequence[int], names: Sequence[str]) -> dict[int, Any]:
    """Stored properties of these Emails, decoded: for a comparison with what a client sends."""
    plan = record_plan(("id", *(name for name in names if name in COLUMNS or name in STATIC_PROPERTIES)))
    (rows,) = run(plan.statement(account_id, ids))
    return {row[0]: orjson.loads(orjson.dumps(plan.fragment(row))) for row in rows}
