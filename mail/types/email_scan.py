"""The filter `header` of Email/query (RFC 8621 §4.4.1), which no index serves.

The Emails that the rest of the filter leaves are gone through page by page: what the rows carry decides, and only a field that
is not stored is looked up in the message itself, within a bounded time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from jmapcore.blobs.prefixes import read_prefixes
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import UnsupportedFilter
from jmapcore.store.query import Condition, Operator, Query
from jmapcore.store.reading import Reading
from mail.fragments import STATIC_PROPERTIES
from mail.message.headers import as_text
from mail.message.scan import Fields, header_fields
from mail.types.email_rows import conjuncts
from mail.types.email_searched import Searched
from mail.types.email_selection import Compiler

PAGE = 2_000
SECONDS = 10.0
"""How long one query may scan."""

LINES = "SELECT id, static_json FROM email_static WHERE account_id = %s AND id = ANY(%b::int[])"
HEADER_PLACES = """
    SELECT s.id, s.blob_id, (s.root ->> 9)::int, (s.root ->> 10)::int FROM (
        SELECT id, blob_id, body_json::json -> 0 AS root FROM email_static
        WHERE account_id = %s AND id = ANY(%b::int[])) AS s"""

SCANNED = frozenset({"header"})

_STORED_FIELDS = {
    "from": "from",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "sender": "sender",
    "reply-to": "replyTo",
    "subject": "subject",
    "message-id": "messageId",
    "in-reply-to": "inReplyTo",
    "references": "references",
}
_TOKEN = re.compile(r"""(['"])((?:\\.|(?!\1).)+)\1(?=\s|\Z)|(\S+)""", re.DOTALL)
_ESCAPE = re.compile(r"\\(['\"\\])")


def needles(text: str) -> list[str]:
    """The words and quoted phrases of a search text, without case; all of them must be found (RFC 8621 §4.4.1)."""
    found = []
    for match in _TOKEN.finditer(text):
        phrase = match[3] if match[2] is None else _ESCAPE.sub(r"\1", match[2])
        found.append(" ".join(phrase.casefold().split()))
    return [needle for needle in found if needle]


def haystack(value: Any) -> str:
    """What is searched of a stored property: names and addresses, the subject, or message ids in their angle brackets."""
    if value is None:
        return ""
    if type(value) is str:
        return " ".join(value.casefold().split())
    texts = [
        f"<{item}>" if type(item) is str else f"{item['name'] or ''} <{item['email']}>" for item in value
    ]
    return " ".join(" ".join(texts).casefold().split())


def scanned_conditions(query: Query) -> list[Condition]:
    """The conditions of a query that need a scan."""
    return [condition for condition in query.conditions() if condition.name in SCANNED]


def scan(
    reading: Reading, query: Query, searched: Searched, among: Sequence[int] | None = None
) -> dict[int, list[int]]:
    """The Emails that match each condition that needs a scan, by the condition's identity; `among` these alone, where given.

    Raises `UnsupportedFilter` where the account is too large to be gone through in time.
    """
    wanted = scanned_conditions(query)
    if not wanted:
        return {}
    matchers = [_Matcher(condition) for condition in wanted]
    deadline = time.monotonic() + SECONDS
    ids = _candidates(reading, query, searched, among)
    for start in range(0, len(ids), PAGE):
        checkpoint()
        page = ids[start : start + PAGE]
        (rows,) = reading.run((LINES, (reading.account_id, page)))
        fields = _fields(reading, page) if any(matcher.field is not None for matcher in matchers) else {}
        for row in rows:
            lines = row[1].split("\n")
            for matcher in matchers:
                if matcher.matches(lines, fields.get(row[0], [])):
                    matcher.found.append(row[0])
        if time.monotonic() > deadline:
            raise UnsupportedFilter("too many messages for a search in header fields")
    return {id(matcher.condition): matcher.found for matcher in matchers}


def _candidates(reading: Reading, query: Query, searched: Searched, among: Sequence[int] | None) -> list[int]:
    """The Emails that match those parts of the filter that need no scan."""
    plain = [
        node
        for node in conjuncts(query.filter)
        if not any(condition.name in SCANNED for condition in Query(query.type, node, ()).conditions())
    ]
    rest = Query(query.type, Operator("AND", tuple(plain)), ())
    compiler = Compiler(reading.account_id, rest, {}, searched)
    selection = compiler.selection() if among is None else compiler.among(among)
    (rows,) = reading.run(selection.rows())
    return [row[0] for row in rows]


def _fields(reading: Reading, ids: Sequence[int]) -> Mapping[int, Fields]:
    """The header fields of messages, read from their octets."""
    (places,) = reading.run((HEADER_PLACES, (reading.account_id, ids)))
    wanted: dict[int, int] = {}
    for _, blob_id, _, end in places:
        wanted[blob_id] = max(end, wanted.get(blob_id, 0))
    raw = read_prefixes(reading.connection, reading.account_id, wanted)
    return {
        number: header_fields(raw.get(blob_id, b""), start, end) for number, blob_id, start, end in places
    }


class _Matcher:
    """One condition that needs a scan."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.found: list[int] = []
        self.field: str | None = None
        name, text = condition.value[0].lower(), condition.value[1:]
        stored = _STORED_FIELDS.get(name)
        self.needles = needles(text[0]) if text else []
        if stored is None:
            self.field = name
        self.line = STATIC_PROPERTIES.index(stored) if stored is not None else None

    def matches(self, lines: Sequence[str], fields: Fields) -> bool:
        """Whether an Email matches: by a line of its static JSON, or by its header fields."""
        if self.line is not None:
            value = lines[self.line]
            if not self.needles:
                return value != "null"
            text = haystack(orjson.loads(value))
            return all(needle in text for needle in self.needles)
        for name, octets in fields:
            if name.lower() == self.field:
                text = " ".join(as_text(octets).casefold().split())
                if all(needle in text for needle in self.needles):
                    return True
        return False
