"""SearchSnippet/get (RFC 8621 §5): why an Email was found, for a person to see. There is no state, and nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings

from jmapcore.blobs.content import in_batches
from jmapcore.blobs.prefixes import read_prefixes
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import RequestTooLarge
from jmapcore.protocol.registry import Method, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Anything, Id, ListOf
from jmapcore.standard.ids import not_found, numbers, wire_id
from jmapcore.store.database import Row
from jmapcore.store.query import Condition, FilterNode, Query, parse_filter
from jmapcore.store.reading import Reading
from mail.fragments import STATIC_PROPERTIES
from mail.message.scan import Message
from mail.message.structure import load_parts
from mail.search.lexemes import Field
from mail.search.message_text import body_texts
from mail.search.snippets import marked_subject, preview
from mail.search.terms import FIELDS, Term
from mail.search.words import Words
from mail.search_languages import words_for
from mail.types.capability import MAIL
from mail.types.email import EMAIL
from mail.types.email_query import check_conditions
from mail.types.email_searched import search_texts

if TYPE_CHECKING:
    from jmapcore.context import RequestContext

SUBJECT = STATIC_PROPERTIES.index("subject")
ROWS = """
    SELECT s.id, s.blob_id, s.static_json, s.body_json FROM email_static AS s
    WHERE s.account_id = %s AND s.id = ANY(%b::int[])"""


def get_snippets(context: RequestContext, values: dict[str, Any]) -> list[Response]:
    """The snippets of Emails for a filter; those of Emails that do not match it are null (RFC 8621 §5.1)."""
    access = context.account(values["accountId"], MAIL)
    limit = settings.JMAP_LIMITS["maxObjectsInGet"]
    if len(values["emailIds"]) > limit:
        raise RequestTooLarge(f"more than {limit} ids")
    query = Query(EMAIL, parse_filter(EMAIL, values["filter"], context.resolve_id), ())
    check_conditions(query)
    words = words_for(access.search_languages)
    terms = wanted_terms(query, words)
    found, unknown = numbers(context, EMAIL, values["emailIds"])
    wanted = list(dict.fromkeys(found.values()))
    snippets = _snippets(context.reading(access), wanted, terms, words)
    shown = [
        {"emailId": wire_id(EMAIL, number), **snippets[number]} for number in wanted if number in snippets
    ]
    missing = (text for text, number in found.items() if number not in snippets)
    others = not_found(values["emailIds"], unknown, missing)
    response = {"accountId": values["accountId"], "list": shown, "notFound": others or None}
    return [("SearchSnippet/get", response)]


def wanted_terms(query: Query, words: Words) -> dict[Field, list[Term]]:
    """The terms to mark in the subject and in the body: of all conditions that look there, but for those under a NOT."""
    texts = search_texts(query, words)
    terms: dict[Field, dict[Term, None]] = {Field.SUBJECT: {}, Field.BODY: {}}
    for condition in _affirmed(query.filter):
        if id(condition) in texts:
            for field in terms.keys() & set(FIELDS[condition.name]):
                terms[field].update(dict.fromkeys(texts[id(condition)].terms))
    return {field: list(found) for field, found in terms.items()}


def _affirmed(node: FilterNode | None, *, denied: bool = False) -> Iterator[Condition]:
    """The conditions that are not under a NOT, or under a NOT of a NOT."""
    if isinstance(node, Condition):
        if not denied:
            yield node
    elif node is not None:
        for each in node.conditions:
            yield from _affirmed(each, denied=denied != (node.operator == "NOT"))


def _snippets(
    reading: Reading, ids: Sequence[int], terms: Mapping[Field, Sequence[Term]], words: Words
) -> dict[int, dict[str, Any]]:
    """The snippets of those of the Emails that exist."""
    (rows,) = reading.run((ROWS, (reading.account_id, ids)))
    snippets: dict[int, dict[str, Any]] = {}
    items: Iterable[_Item] = map(_with_parts, rows) if terms[Field.BODY] else ((row, None, 0) for row in rows)
    for batch in in_batches(items, itemgetter(2)):
        wanted = {row[1]: octets for row, _, octets in batch if octets}
        raw = read_prefixes(reading.connection, reading.account_id, wanted) if wanted else {}
        for row, parts, _ in batch:
            checkpoint()
            subject = orjson.loads(row[2].split("\n")[SUBJECT])
            texts = body_texts(Message(raw.get(row[1], b""), parts[0], parts)) if parts else ()
            snippets[row[0]] = {
                "subject": marked_subject(subject, terms[Field.SUBJECT], words) if subject else None,
                "preview": preview(texts, terms[Field.BODY], words),
            }
    return snippets


_Item = tuple[Row, Any, int]
"""A row, the parts of its message where they are looked at, and how many octets are needed of it."""


def _with_parts(row: Row) -> _Item:
    parts = load_parts(orjson.loads(row[3]))
    ends = (part.body_end for part in parts if part.type.startswith(("text/", "message/")))
    return row, parts, max(ends, default=0)


SEARCH_SNIPPET_GET = Method(
    "SearchSnippet/get",
    MAIL,
    get_snippets,
    {
        "accountId": Argument(Id()),
        "filter": Argument(Anything(), None),
        "emailIds": Argument(ListOf(Id(to="Email"))),
    },
)
