"""The searches in text of an Email/query: text, from, to, cc, bcc, subject, body (RFC 8621 §4.4.1).

The index of words decides. Only of a message so long that not every word is at its place in the index, a phrase is looked for in
the message itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jmapcore.blobs import storage
from jmapcore.protocol.deadline import checkpoint
from jmapcore.protocol.errors import UnsupportedFilter
from jmapcore.store.query import Condition, FilterNode, Query
from jmapcore.store.reading import Reading
from mail.message.scan import scan
from mail.message.summary import summarise_message
from mail.search.lexemes import Field
from mail.search.message_text import body_texts, short_texts
from mail.search.places import LocatedText, found_in
from mail.search.terms import FIELDS, SearchText, TooManyWordsError, parse
from mail.search.tsquery import Writer
from mail.search.words import Words, cleaned
from mail.search_languages import words_for

SECONDS = 5.0
"""How long phrases may be looked for in long messages."""

MOST_OCTETS = 200_000
"""Octets of all tsqueries of a filter: PostgreSQL takes a megabyte, and reads every word of it."""

PERHAPS = "SELECT q.id FROM email_search AS q WHERE q.account_id = %s AND q.tsv @@ %s::tsquery"
PERHAPS_AMONG = f"{PERHAPS} AND q.id = ANY(%b::int[])"
BLOBS = "SELECT s.id, s.blob_id FROM email_static AS s WHERE s.account_id = %s AND s.id = ANY(%b::int[])"


@dataclass(frozen=True, slots=True)
class WordsQuery:
    """A tsquery; it narrows where nothing matches that has none of its words, which is what an index can serve."""

    text: str
    narrows: bool


@dataclass(slots=True)
class Searched:
    """What the searches in text of one query became; conditions are known by their identity."""

    writer: Writer
    texts: dict[int, SearchText] = field(default_factory=dict)
    beyond: dict[int, list[int]] = field(default_factory=dict)
    """The Emails in which the phrases of a condition were found, and not by the index."""

    def exact(self, condition: Condition) -> str:
        """The tsquery of one condition."""
        return self.writer.exact(self.texts[id(condition)], FIELDS[condition.name])

    def query(self, node: FilterNode) -> WordsQuery | None:
        """The tsquery of a part of a filter; None where not all of it is decided by the index of words."""
        if isinstance(node, Condition):
            text = self.texts.get(id(node))
            if text is None or text.is_blank or self.beyond.get(id(node)):
                return None
            return WordsQuery(self.exact(node), narrows=True)
        parts = [self.query(each) for each in node.conditions]
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        texts = [part.text for part in known]
        if node.operator == "AND":
            return WordsQuery(f"({' & '.join(texts)})", any(part.narrows for part in known))
        together = f"({' | '.join(texts)})"
        if node.operator == "OR":
            return WordsQuery(together, all(part.narrows for part in known))
        return WordsQuery(f"!{together}", narrows=False)


def search_texts(query: Query, words: Words) -> dict[int, SearchText]:
    """The parsed texts of the conditions of a query that search in text. Raises `UnsupportedFilter` for what is too long."""
    try:
        return {
            id(condition): parse(condition.value, words)
            for condition in query.conditions()
            if condition.name in FIELDS
        }
    except TooManyWordsError as error:
        raise UnsupportedFilter(str(error)) from None


def search(reading: Reading, query: Query, among: Sequence[int] | None = None) -> Searched:
    """What the searches in text of a query become; only phrases in `among` are looked for, where given.

    Raises `UnsupportedFilter` where they have too many words or take too long.
    """
    searched = Searched(
        Writer(reading.account_id), search_texts(query, words_for(reading.access.search_languages))
    )
    if not searched.texts:
        return searched
    conditions = [each for each in query.conditions() if id(each) in searched.texts]
    if sum(len(searched.exact(each).encode()) for each in conditions) > MOST_OCTETS:
        raise UnsupportedFilter("too many words")
    phrases = [each for each in conditions if searched.texts[id(each)].has_phrases]
    if phrases:
        _look_beyond(reading, searched, phrases, among)
    return searched


def _look_beyond(
    reading: Reading, searched: Searched, phrases: Sequence[Condition], among: Sequence[int] | None
) -> None:
    """Find phrases in messages of which the index does not have every word at its place."""
    account_id = reading.account_id
    texts = [searched.writer.perhaps(searched.texts[id(each)], FIELDS[each.name]) for each in phrases]
    if among is None:
        candidates = reading.run(*((PERHAPS, (account_id, text)) for text in texts))
    else:
        candidates = reading.run(*((PERHAPS_AMONG, (account_id, text, list(among))) for text in texts))
    wanted = {
        id(each): (each, {row[0] for row in rows})
        for each, rows in zip(phrases, candidates, strict=True)
        if rows
    }
    if not wanted:
        return
    deadline = time.monotonic() + SECONDS
    for email_id in sorted(set[int]().union(*(ids for _, ids in wanted.values()))):
        checkpoint()
        if time.monotonic() > deadline:
            raise UnsupportedFilter("too many long messages to look for a phrase in")
        located = _located(reading, email_id)
        for key, (condition, ids) in wanted.items():
            fields = [located.get(each, []) for each in FIELDS[condition.name]]
            if email_id in ids and found_in(searched.texts[key], fields):
                searched.beyond.setdefault(key, []).append(email_id)


def _located(reading: Reading, email_id: int) -> Mapping[Field, list[LocatedText]]:
    """The texts of a message, by field."""
    words = words_for(reading.access.search_languages)
    (rows,) = reading.run((BLOBS, (reading.account_id, [email_id])))
    found: dict[Field, list[LocatedText]] = {}
    for _, blob_id in rows:
        raw = storage.read_blobs(reading.connection, reading.account_id, [blob_id])[blob_id]
        message = scan(raw)
        for each, text in short_texts(message, summarise_message(message)):
            found.setdefault(each, []).append(LocatedText(cleaned(text), words))
        for text in body_texts(message):
            found.setdefault(Field.BODY, []).append(LocatedText(cleaned(text), words))
    return found
